//! The image at work: entered as a container runtime does, by mounts and chroot.

use crate::archive::Image;
use crate::support::guarded::{Guarded, GuardedDirectory};
use crate::support::{Operator, cluster, succeed};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::PathBuf;
use std::process::Command;

/// Whom the image runs as.
const NOBODY: u32 = 65532;

/// Where a pod finds its service account.
const ACCOUNT: &str = "var/run/secrets/kubernetes.io/serviceaccount";

/// In a mount namespace of its own: the root, the volumes in it, then nothing can be written any more; then the program,
/// as nobody, with no variables but those of a pod.
const ENTER: &str = r#"
set -e
root=$1 volume=$2 host=$3 port=$4
shift 4
chroot=$(PATH=$PATH:/usr/sbin:/sbin command -v chroot)
mount --bind "$root" "$root"
mount --bind "$volume" "$root/volume"
mount --rbind /proc "$root/proc"
mount -o remount,ro,bind "$root"
exec env -i KUBERNETES_SERVICE_HOST="$host" KUBERNETES_SERVICE_PORT="$port" \
    "$chroot" --userspec=65532:65532 --groups=65532 "$root" /call-operator "$@"
"#;

/// A root file system, with what a runtime adds to it.
pub struct Container {
    root: PathBuf,
    directory: GuardedDirectory,
}

impl Container {
    /// Adds what kubelet would: mount points, a hosts file, a volume that nobody may write to but the program.
    pub fn of(image: &Image) -> Self {
        let root = image.root();
        for point in ["volume", "proc", ACCOUNT] {
            std::fs::create_dir_all(root.join(point)).unwrap();
        }
        std::fs::write(root.join("etc/hosts"), "127.0.0.1 localhost\n").unwrap();
        let directory = GuardedDirectory::create("call-operator-volume").unwrap();
        let journal = directory.path().join("journal");
        std::fs::create_dir(&journal).unwrap();
        let container = Self { root, directory };
        container.hand_over();
        container
    }

    /// Where it can write.
    pub fn volume(&self) -> PathBuf {
        self.directory.path().to_owned()
    }

    /// The program with these arguments.
    pub fn command(&self, arguments: &[&str]) -> Command {
        command(&self.words(arguments, "", ""))
    }

    /// The operator for a namespace, under the shipped service account, ready.
    pub fn operator(&self, namespace: &str) -> Operator {
        let words = self.operator_words(namespace, "/volume/journal");
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let log = cluster().dir().join("operator-in-image.log");
        Operator::adopt(Guarded::spawn(words[0], &words[1..], &[], log).unwrap())
    }

    /// The same, with its journal in this directory, not started.
    pub fn operator_command(&self, namespace: &str, journal: &str) -> Command {
        command(&self.operator_words(namespace, journal))
    }

    fn operator_words(&self, namespace: &str, journal: &str) -> Vec<String> {
        let token =
            succeed(cluster().kubectl().args(["-n", "call-operator", "create", "token", "call-operator"]));
        let account = self.root.join(ACCOUNT);
        std::fs::write(account.join("token"), token.trim()).unwrap();
        std::fs::write(account.join("namespace"), "call-operator").unwrap();
        std::fs::copy(cluster().ca_file(), account.join("ca.crt")).unwrap();
        let (host, port) = cluster().url().trim_start_matches("https://").split_once(':').unwrap();
        let arguments = [
            "controller",
            "--namespace",
            namespace,
            "--journal-dir",
            journal,
            "--health-address=127.0.0.1:0",
            "--metrics-address=127.0.0.1:0",
            "--callback-address=none",
            "--log-format=json",
            "--dialer-allow-http",
            "--dialer-allow-private-addresses",
        ];
        self.words(&arguments, host, port)
    }

    fn words(&self, arguments: &[&str], host: &str, port: &str) -> Vec<String> {
        // Without root, buildah's user namespace makes us root where the image's users exist.
        let namespace: &[&str] =
            if is_root() { &["unshare", "--mount"] } else { &["buildah", "unshare", "unshare", "--mount"] };
        let (root, volume) = (self.root.to_string_lossy(), self.directory.path().to_string_lossy());
        let enter = ["/bin/sh", "-c", ENTER, "enter", &root, &volume, host, port];
        namespace.iter().chain(&enter).chain(arguments).map(|word| (*word).to_owned()).collect()
    }

    /// Makes the volume the program's own.
    fn hand_over(&self) {
        for path in [self.volume(), self.volume().join("journal")] {
            if is_root() {
                chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
            } else {
                succeed(Command::new("buildah").args(["unshare", "chown", "65532:65532"]).arg(&path));
            }
        }
    }
}

fn command(words: &[String]) -> Command {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    command
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}
