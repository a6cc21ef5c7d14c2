//! A real Kubernetes control plane of one's own: etcd, kube-apiserver and kube-controller-manager as plain
//! processes on loopback, with RBAC on, and the real kubectl to talk to it.
//!
//! It starts in seconds from programs that `tests/control-plane/build.sh` builds once, uses free ports and a
//! temporary directory, and leaves neither process nor file behind however this process ends: see
//! `guarded.rs`, which must be included beside this file as the module `guarded`.
#![allow(dead_code, reason = "shared: not every user needs every method")]
#![allow(clippy::disallowed_methods, reason = "deadlines for real programs need the real clock")]

use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::guarded::{Guarded, GuardedDirectory, random_hex};

const CONTROL_PLANE_FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/control-plane");

/// How long a part of the control plane may take to get ready.
const READY_DEADLINE: Duration = Duration::from_secs(120);
const POLL_INTERVAL: Duration = Duration::from_millis(100);
const SHOWN_LOG_LINES: usize = 40;

/// A free port may be taken by somebody else before our program binds it.
const START_ATTEMPTS: usize = 3;
const PORT_TAKEN: &str = "address already in use";

/// The controllers that make namespaces, ServiceAccounts, owner references and aggregated roles work.
const CONTROLLERS: &str = "garbage-collector-controller,namespace-controller,serviceaccount-controller,\
                           clusterrole-aggregation-controller";

/// A running control plane. All of it ends with this value.
#[derive(Debug)]
pub struct ControlPlane {
    // Fields are dropped in this order: who uses a part ends before it, and the directory is deleted last.
    controller_manager: Option<Guarded>,
    api_server: Mutex<Guarded>,
    etcd: Mutex<Guarded>,
    settings: Settings,
}

/// What the programs are started with.
#[derive(Debug)]
struct Settings {
    programs: PathBuf,
    etcd_url: String,
    port: u16,
    url: String,
    admin_token: String,
    admin_kubeconfig: PathBuf,
    ca_file: PathBuf,
    directory: GuardedDirectory,
}

/// Why a control plane did not get ready.
enum NotReady {
    /// A program ended because its port was taken: worth another try.
    PortTaken(String),
    Other(String),
}

impl From<String> for NotReady {
    fn from(message: String) -> Self {
        Self::Other(message)
    }
}

impl From<NotReady> for String {
    fn from(not_ready: NotReady) -> Self {
        match not_ready {
            NotReady::PortTaken(message) | NotReady::Other(message) => message,
        }
    }
}

impl ControlPlane {
    /// Starts a control plane and waits until it can be used. Builds the programs if this machine does not
    /// have them, which takes minutes and is told on stderr.
    pub fn start() -> Result<Self, String> {
        let programs = find_programs()?;
        let mut attempt = 1;
        loop {
            match Self::start_once(&programs) {
                Err(NotReady::PortTaken(_)) if attempt < START_ATTEMPTS => attempt += 1,
                result => return result.map_err(String::from),
            }
        }
    }

    /// The control plane that all tests of this process share; it is started when the first one asks for it.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Result<ControlPlane, String>> = OnceLock::new();
        match SHARED.get_or_init(Self::start) {
            Ok(control_plane) => control_plane,
            Err(reason) => panic!("there is no control plane: {reason}"),
        }
    }

    fn start_once(programs: &Path) -> Result<Self, NotReady> {
        let settings = Settings::new(programs)?;
        let etcd = Mutex::new(settings.start_etcd()?);
        let api_server = Mutex::new(settings.start_api_server()?);
        let mut control_plane = Self { controller_manager: None, api_server, etcd, settings };
        control_plane.wait_for_api_server(&control_plane.api_server())?;
        // The controller manager gives up when it finds no API server, so it comes last.
        let controller_manager = control_plane.settings.start_controller_manager()?;
        control_plane.wait_for_default_service_account(&controller_manager)?;
        control_plane.controller_manager = Some(controller_manager);
        Ok(control_plane)
    }

    /// Where the API server listens: `https://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.settings.url
    }

    /// Where etcd takes clients: `127.0.0.1:PORT`, without encryption.
    pub fn etcd_address(&self) -> &str {
        self.settings.etcd_url.trim_start_matches("http://")
    }

    /// The process id of etcd.
    pub fn etcd_pid(&self) -> u32 {
        self.etcd().pid()
    }

    /// The process id of the API server, which is another one after a restart.
    pub fn api_server_pid(&self) -> u32 {
        self.api_server().pid()
    }

    /// A bearer token that may do everything (group `system:masters`).
    pub fn admin_token(&self) -> &str {
        &self.settings.admin_token
    }

    /// The certificate authority of the API server's certificate (PEM), behind that certificate itself.
    pub fn ca_file(&self) -> &Path {
        &self.settings.ca_file
    }

    /// The directory with everything of this control plane: data, certificates, logs, kubeconfigs. It is
    /// deleted at the end, with whatever else was put there.
    pub fn dir(&self) -> &Path {
        self.settings.directory.path()
    }

    /// A kubeconfig that may do everything.
    pub fn admin_kubeconfig(&self) -> &Path {
        &self.settings.admin_kubeconfig
    }

    /// The real kubectl.
    pub fn kubectl_path(&self) -> PathBuf {
        self.settings.programs.join("kubectl")
    }

    /// kubectl as the admin; the caller adds arguments.
    pub fn kubectl(&self) -> Command {
        self.kubectl_as(self.admin_kubeconfig())
    }

    /// kubectl as whoever this kubeconfig is.
    pub fn kubectl_as(&self, kubeconfig: &Path) -> Command {
        let mut command = Command::new(self.kubectl_path());
        command.arg("--kubeconfig").arg(kubeconfig);
        // Neither preferences nor caches of the user who runs the tests.
        command.env("KUBECTL_KUBERC", "false").env("KUBECACHEDIR", self.dir().join("kubectl-cache"));
        command
    }

    /// A kubeconfig that is a ServiceAccount, with its namespace as the default one, for eight hours.
    pub fn kubeconfig_for(&self, namespace: &str, service_account: &str) -> Result<PathBuf, String> {
        let arguments = ["create", "token", service_account, "--namespace", namespace, "--duration=8h"];
        let token = self.run_kubectl(&arguments, None)?;
        let path = self.dir().join(format!("kubeconfig-{namespace}-{service_account}"));
        self.settings.write_kubeconfig(&path, token.trim(), namespace)?;
        Ok(path)
    }

    /// `kubectl apply` of a manifest file; returns what kubectl says.
    pub fn apply_file(&self, manifest: impl AsRef<Path>) -> Result<String, String> {
        self.run_kubectl(&["apply", "-f", &manifest.as_ref().to_string_lossy()], None)
    }

    /// `kubectl apply` of a manifest; returns what kubectl says.
    pub fn apply_yaml(&self, manifest: &str) -> Result<String, String> {
        self.run_kubectl(&["apply", "-f", "-"], Some(manifest))
    }

    /// What the API server answers to a GET of this path.
    pub fn get_raw(&self, path: &str) -> Result<String, String> {
        self.run_kubectl(&["get", "--raw", path], None)
    }

    /// Kills the API server (SIGKILL). [`restart_api_server`](Self::restart_api_server) brings it back.
    pub fn kill_api_server(&self) -> Result<(), String> {
        self.api_server().kill_now()
    }

    /// Starts the API server again, with the same port, certificate and data, after killing it if it runs.
    /// Returns when it is ready.
    pub fn restart_api_server(&self) -> Result<(), String> {
        self.launch_api_server()?;
        Ok(self.wait_for_api_server(&self.api_server())?)
    }

    /// The same, but does not wait until it is ready.
    pub fn launch_api_server(&self) -> Result<(), String> {
        let mut api_server = self.api_server();
        api_server.kill_now()?;
        *api_server = self.settings.start_api_server()?;
        Ok(())
    }

    /// Copies the store to the directory `copy`, which must not exist. The store stands still meanwhile.
    pub fn snapshot(&self, copy: &Path) -> Result<(), String> {
        let etcd = self.etcd();
        etcd.signal("STOP")?;
        let copied = copy_directory(&self.settings.file("etcd"), copy);
        etcd.signal("CONT")?;
        copied.map_err(|error| format!("cannot copy the store: {error}"))
    }

    /// Puts the store back to a copy, as an administrator does: all API servers are stopped meanwhile.
    pub fn restore(&self, copy: &Path) -> Result<(), String> {
        self.kill_api_server()?;
        let data = self.settings.file("etcd");
        self.etcd().kill_now()?;
        std::fs::remove_dir_all(&data)
            .and_then(|()| copy_directory(copy, &data))
            .map_err(|error| format!("cannot put the copy back: {error}"))?;
        *self.etcd() = self.settings.start_etcd()?;
        self.restart_api_server()
    }

    fn etcd(&self) -> MutexGuard<'_, Guarded> {
        self.etcd.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn api_server(&self) -> MutexGuard<'_, Guarded> {
        self.api_server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_for_api_server(&self, api_server: &Guarded) -> Result<(), NotReady> {
        let ask = ["get", "--raw", "/readyz", "--request-timeout=2s"];
        wait_until("the API server was ready", &[&*self.etcd()], api_server, || self.run_kubectl(&ask, None))
    }

    fn wait_for_default_service_account(&self, controller_manager: &Guarded) -> Result<(), NotReady> {
        let ask = ["get", "serviceaccount", "default", "--namespace=default", "--request-timeout=2s"];
        let (etcd, api_server) = (self.etcd(), self.api_server());
        let needed = [&*etcd, &*api_server];
        let condition = "the default ServiceAccount was there";
        wait_until(condition, &needed, controller_manager, || self.run_kubectl(&ask, None))
    }

    fn run_kubectl(&self, arguments: &[&str], input: Option<&str>) -> Result<String, String> {
        let failed = |why: &dyn Display| format!("kubectl {} failed: {why}", arguments.join(" "));
        let mut child = self
            .kubectl()
            .args(arguments)
            .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(&error))?;
        if let (Some(mut pipe), Some(input)) = (child.stdin.take(), input) {
            // kubectl may stop reading when it finds a mistake, and then says so itself.
            let _ = pipe.write_all(input.as_bytes());
        }
        let output = child.wait_with_output().map_err(|error| failed(&error))?;
        if !output.status.success() {
            return Err(failed(&String::from_utf8_lossy(&output.stderr).trim()));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        // The data is thrown away: no program needs to end in order.
        for program in [self.controller_manager.as_ref(), Some(&*self.api_server()), Some(&*self.etcd())] {
            let _ = program.map(Guarded::kill_now);
        }
    }
}

impl Settings {
    fn new(programs: &Path) -> Result<Self, String> {
        let directory = GuardedDirectory::create("call-operator-control-plane")?;
        let [etcd_port, port] = free_ports()?;
        let settings = Self {
            programs: programs.to_path_buf(),
            etcd_url: format!("http://127.0.0.1:{etcd_port}"),
            port,
            url: format!("https://127.0.0.1:{port}"),
            admin_token: random_hex(16)?,
            admin_kubeconfig: directory.path().join("kubeconfig-admin"),
            ca_file: directory.path().join("certificates/apiserver.crt"),
            directory,
        };
        let admin = format!("{},admin,admin,\"system:masters\"\n", settings.admin_token);
        write_private(&settings.file("tokens.csv"), &admin)?;
        settings.write_kubeconfig(&settings.admin_kubeconfig, &settings.admin_token, "default")?;
        Ok(settings)
    }

    fn start_etcd(&self) -> Result<Guarded, String> {
        let arguments = [
            format!("--data-dir={}", self.file("etcd").display()),
            format!("--listen-client-urls={}", self.etcd_url),
            format!("--advertise-client-urls={}", self.etcd_url),
            // It has no peers; the system picks the port.
            "--listen-peer-urls=http://127.0.0.1:0".to_owned(),
            "--unsafe-no-fsync".to_owned(),
        ];
        self.spawn("etcd", &arguments)
    }

    fn start_api_server(&self) -> Result<Guarded, String> {
        let signing_key = service_account_key();
        let arguments = [
            format!("--etcd-servers={}", self.etcd_url),
            "--bind-address=127.0.0.1".to_owned(),
            // Otherwise it looks for an address of this machine, which fails where there is no network.
            "--advertise-address=127.0.0.1".to_owned(),
            format!("--secure-port={}", self.port),
            // It makes its own certificate there, once.
            format!("--cert-dir={}", self.file("certificates").display()),
            "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
            format!("--service-account-key-file={signing_key}"),
            format!("--service-account-signing-key-file={signing_key}"),
            format!("--token-auth-file={}", self.file("tokens.csv").display()),
            "--authorization-mode=RBAC".to_owned(),
            "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
            "--endpoint-reconciler-type=none".to_owned(),
        ];
        self.spawn("kube-apiserver", &arguments)
    }

    fn start_controller_manager(&self) -> Result<Guarded, String> {
        let arguments = [
            format!("--kubeconfig={}", self.admin_kubeconfig.display()),
            format!("--controllers={CONTROLLERS}"),
            "--use-service-account-credentials".to_owned(),
            format!("--service-account-private-key-file={}", service_account_key()),
            "--leader-elect=false".to_owned(),
            // No port at all: nobody asks it anything.
            "--secure-port=0".to_owned(),
        ];
        self.spawn("kube-controller-manager", &arguments)
    }

    fn spawn(&self, program: &str, arguments: &[String]) -> Result<Guarded, String> {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let log = self.file(&format!("{program}.log"));
        Guarded::spawn(self.programs.join(program), &arguments, &[], log)
    }

    fn write_kubeconfig(&self, path: &Path, token: &str, namespace: &str) -> Result<(), String> {
        let Self { url, ca_file, .. } = self;
        let ca_file = ca_file.display();
        let kubeconfig = format!(
            "apiVersion: v1
kind: Config
clusters: [{{name: test, cluster: {{server: '{url}', certificate-authority: '{ca_file}'}}}}]
users: [{{name: test, user: {{token: '{token}'}}}}]
contexts: [{{name: test, context: {{cluster: test, user: test, namespace: '{namespace}'}}}}]
current-context: test
"
        );
        write_private(path, &kubeconfig)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

/// The directory with the four programs. The script knows `KUBEBUILDER_ASSETS` as well.
fn find_programs() -> Result<PathBuf, String> {
    let script = format!("{CONTROL_PLANE_FILES}/build.sh");
    let output = Command::new(&script)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot run {script}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{script} failed ({}); it says why on stderr", output.status));
    }
    Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}

/// Copies a directory with all that is in it.
fn copy_directory(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_directory(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn service_account_key() -> String {
    format!("{CONTROL_PLANE_FILES}/service-account.key")
}

fn free_ports() -> Result<[u16; 2], String> {
    let bind = || TcpListener::bind("127.0.0.1:0");
    // Both are held until both are known, so they differ.
    let ports = || {
        let (first, second) = (bind()?, bind()?);
        Ok([first.local_addr()?.port(), second.local_addr()?.port()])
    };
    ports().map_err(|error: std::io::Error| format!("there is no free port: {error}"))
}

fn write_private(path: &Path, content: &str) -> Result<(), String> {
    OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(content.as_bytes()))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}

/// Asks until the answer is good, as long as all programs run: `awaited`, which brings it about, and the
/// `needed` ones.
fn wait_until(
    condition: &str,
    needed: &[&Guarded],
    awaited: &Guarded,
    ask: impl Fn() -> Result<String, String>,
) -> Result<(), NotReady> {
    let deadline = Instant::now() + READY_DEADLINE;
    loop {
        // First, so that a good answer cannot come from somebody else who has the port.
        for program in needed.iter().copied().chain([awaited]) {
            let Some(code) = program.exit_code() else { continue };
            let port_taken = program.log().contains(PORT_TAKEN);
            let message = format!("{} ended with code {code} before {condition}", program.name());
            let reason = if port_taken { NotReady::PortTaken } else { NotReady::Other };
            return Err(reason(with_log(&message, program)));
        }
        let Err(answer) = ask() else { return Ok(()) };
        if Instant::now() >= deadline {
            let seconds = READY_DEADLINE.as_secs();
            let message = format!("{seconds} s passed before {condition}; the last answer: {answer}");
            return Err(NotReady::Other(with_log(&message, awaited)));
        }
        std::thread::sleep(POLL_INTERVAL);
    }
}

fn with_log(message: &str, program: &Guarded) -> String {
    let (name, tail) = (program.name(), program.log_tail(SHOWN_LOG_LINES));
    format!("{message}\nThe last lines of {name}'s log:\n{tail}")
}
