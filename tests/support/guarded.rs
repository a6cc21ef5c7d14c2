//! Programs and directories that cannot outlive the process that made them.
//!
//! A [`Guarded`] program ends, and a [`GuardedDirectory`] disappears, when its value is dropped, and also
//! when this process panics, is interrupted, exits with the value in a `static`, or is killed with SIGKILL.
//! Each has a guard, a small shell process that reads a pipe which only this process can write to: however
//! this process ends, the kernel closes the pipe, and the guard acts.
//!
//! Only the program itself is ended, not what it may have started.
#![allow(dead_code, reason = "shared: not every user needs every method")]
#![allow(clippy::disallowed_methods, reason = "deadlines for real programs need the real clock")]

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Becomes the program, after it has left a watcher behind. So the program is a child of ours, with our pipe
/// out of its reach, and has no children that it does not know of. The watcher ends when it is told that the
/// program has ended; when the pipe closes without a word it ends the program. `$$` is the program's process
/// id.
const BECOME_GUARDED: &str = r#"
exec 3<&0 </dev/null
(
    (
        trap '' HUP INT TERM
        exec >/dev/null 2>&1
        read -r told <&3 && exit
        kill -s TERM $$
        tries=0
        while [ $tries -lt 20 ] && kill -s 0 $$; do
            sleep 0.1
            tries=$((tries + 1))
        done
        kill -s KILL $$
    ) &
)
exec 3<&-
exec "$@"
"#;

/// Deletes a directory when it is told to, or when the pipe closes. In the second case programs may be ending
/// at the same time and still write, so it deletes once more when their guards have had the time to end them.
const DELETE_DIRECTORY: &str = r#"
trap '' HUP INT TERM
read -r told
why=$?
rm -rf "$1"
[ $why -eq 0 ] && exit
sleep 3
rm -rf "$1"
"#;

/// What a dropped program gets to end by itself before it is killed; its guard gives it the same.
const GRACE: Duration = Duration::from_secs(2);
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A running program, or what is left of it. Its output goes to a log file.
#[derive(Debug)]
pub struct Guarded {
    name: String,
    pid: u32,
    log_path: PathBuf,
    process: Mutex<Process>,
}

#[derive(Debug)]
struct Process {
    child: Child,
    guard: Option<ChildStdin>,
}

impl Guarded {
    /// Starts a program with our environment and `envs`, no input, and both outputs appended to the file
    /// `log_path`.
    pub fn spawn(
        program: impl AsRef<Path>,
        args: &[&str],
        envs: &[(&str, &str)],
        log_path: impl Into<PathBuf>,
    ) -> Result<Self, String> {
        let (program, log_path) = (program.as_ref(), log_path.into());
        // The guard would only say so in the log.
        if program.components().count() > 1 && !program.is_file() {
            return Err(format!("there is no program {}", program.display()));
        }
        let cannot_log = |error| format!("cannot write to {}: {error}", log_path.display());
        let log = OpenOptions::new().create(true).append(true).open(&log_path).map_err(cannot_log)?;
        let errors = log.try_clone().map_err(cannot_log)?;
        let mut child = guard_command(BECOME_GUARDED)
            .arg(program)
            .args(args)
            .envs(envs.iter().copied())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        Ok(Self {
            name: program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned(),
            pid: child.id(),
            log_path,
            process: Mutex::new(Process { guard: child.stdin.take(), child }),
        })
    }

    /// The program's file name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The process id of the program itself.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether the program has not ended.
    pub fn is_running(&self) -> bool {
        self.exit_code().is_none()
    }

    /// How the program ended: its exit code, or 128 and the signal's number, as a shell has it (137 is
    /// SIGKILL). `None` while it runs.
    pub fn exit_code(&self) -> Option<i32> {
        self.process().exit_code()
    }

    /// Waits for the program to end, and tells how as [`exit_code`](Self::exit_code) does. `None` if it still
    /// runs when the time is over.
    pub fn wait(&self, timeout: Duration) -> Option<i32> {
        let deadline = Instant::now() + timeout;
        loop {
            let code = self.exit_code();
            if code.is_some() || Instant::now() >= deadline {
                return code;
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    }

    /// Kills the program (SIGKILL) and returns when it is gone.
    pub fn kill_now(&self) -> Result<(), String> {
        let mut process = self.process();
        let killed = process.child.kill().and_then(|()| process.child.wait());
        process.exit_code();
        killed.map(|_| ()).map_err(|error| format!("cannot kill {}: {error}", self.name))
    }

    /// Asks the program to end (SIGTERM); does not wait for it.
    pub fn terminate(&self) -> Result<(), String> {
        self.signal("TERM")
    }

    /// Sends a signal: `signal("STOP")`. An error if the program has ended.
    pub fn signal(&self, signal: &str) -> Result<(), String> {
        // As long as the lock is held nobody waits for the child, so the process id is the program's, dead or
        // alive.
        let mut process = self.process();
        if let Some(code) = process.exit_code() {
            return Err(format!("cannot send SIG{signal} to {}: it ended with code {code}", self.name));
        }
        // The shell's own kill: not every machine has the program.
        let sent = Command::new("/bin/sh")
            .args(["-c", r#"kill -s "$1" "$2""#, "kill", signal, &self.pid.to_string()])
            .output()
            .map_err(|error| format!("cannot run kill: {error}"))?;
        if sent.status.success() {
            return Ok(());
        }
        Err(format!("kill -s {signal} {}: {}", self.name, String::from_utf8_lossy(&sent.stderr).trim()))
    }

    /// The file that has the program's output.
    pub fn log_path(&self) -> &Path {
        &self.log_path
    }

    /// What the program has written so far.
    pub fn log(&self) -> String {
        let mut log = Vec::new();
        let _ = File::open(&self.log_path).and_then(|mut file| file.read_to_end(&mut log));
        String::from_utf8_lossy(&log).into_owned()
    }

    /// The last `lines` lines of the log.
    pub fn log_tail(&self, lines: usize) -> String {
        let log = self.log();
        let all: Vec<&str> = log.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }

    fn process(&self) -> MutexGuard<'_, Process> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = self.terminate();
        if self.wait(GRACE).is_none() {
            let _ = self.kill_now();
        }
    }
}

impl Process {
    fn exit_code(&mut self) -> Option<i32> {
        let status = self.child.try_wait().ok().flatten()?;
        // From here on the process id may be given to another process: the guard must not use it any more.
        release(&mut self.guard);
        Some(code_of(status))
    }
}

fn code_of(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

/// A directory for temporary files, which only this user can read.
#[derive(Debug)]
pub struct GuardedDirectory {
    path: PathBuf,
    guard_process: Child,
    guard: Option<ChildStdin>,
}

impl GuardedDirectory {
    /// Makes a directory with a unique name that starts with `prefix`, where this system has temporary files.
    pub fn create(prefix: &str) -> Result<Self, String> {
        let name = format!("{prefix}-{}-{}", std::process::id(), random_hex(4)?);
        let path = std::env::temp_dir().join(name);
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(|error| format!("cannot make the directory {}: {error}", path.display()))?;
        let started =
            guard_command(DELETE_DIRECTORY).arg(&path).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        match started {
            Ok(mut guard_process) => Ok(Self { path, guard: guard_process.stdin.take(), guard_process }),
            Err(error) => {
                let _ = fs::remove_dir(&path);
                Err(format!("cannot start the guard of {}: {error}", path.display()))
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for GuardedDirectory {
    fn drop(&mut self) {
        release(&mut self.guard);
        let _ = self.guard_process.wait();
    }
}

/// As many random bytes, as hexadecimal digits.
pub fn random_hex(bytes: usize) -> Result<String, String> {
    let mut random = vec![0; bytes];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut random))
        .map_err(|error| format!("cannot read random bytes: {error}"))?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A shell with a pipe from us, which runs a guard script; arguments to be added are the script's. It has a
/// process group of its own, so that Ctrl-C in the terminal reaches us alone and the guard notices it through
/// the pipe. Rust opens pipes close-on-exec, so that no other child of ours holds this one open.
fn guard_command(script: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script, "guard"].map(OsStr::new)).stdin(Stdio::piped()).process_group(0);
    command
}

/// Tells a guard that its work is over (a program's) or due now (a directory's).
fn release(guard: &mut Option<ChildStdin>) {
    if let Some(mut pipe) = guard.take() {
        let _ = pipe.write_all(b"now\n");
    }
}
