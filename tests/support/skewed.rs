//! An API server whose clock seems to be off: a proxy that changes the `Date` of every answer.

use super::control_plane::ControlPlane;
use super::guarded::Guarded;
use super::{eventually, free_address};
use jiff::{SignedDuration, Timestamp};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A proxy in front of a control plane. Its last part ends with the process, and sooner with its peers.
pub struct SkewedServer {
    seconds: Arc<AtomicI64>,
    kubeconfig: PathBuf,
    _proxy: Guarded,
}

impl SkewedServer {
    /// Starts one that passes on the requests of whoever `kubeconfig` is.
    pub fn start(cluster: &ControlPlane, kubeconfig: &Path) -> Self {
        let address = free_address();
        let port = address.rsplit(':').next().unwrap().to_owned();
        let config = kubeconfig.to_string_lossy().into_owned();
        let arguments = ["--kubeconfig", &config, "proxy", "--port", &port];
        let log = cluster.dir().join("kubectl-proxy.log");
        let proxy = Guarded::spawn(cluster.kubectl_path(), &arguments, &[], log).unwrap();
        eventually("kubectl proxy to listen", || TcpStream::connect(&address).ok());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seconds = Arc::new(AtomicI64::new(0));
        let skew = Arc::clone(&seconds);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(&address) else { continue };
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                std::thread::spawn(move || pass(from, to, |bytes| bytes.to_vec()));
                let skew = Arc::clone(&skew);
                std::thread::spawn(move || {
                    pass(server, client, |bytes| skewed(bytes, skew.load(Ordering::Relaxed)))
                });
            }
        });
        let kubeconfig = cluster.dir().join("kubeconfig-skewed");
        let text = format!(
            "apiVersion: v1\nkind: Config\nclusters: [{{name: c, cluster: {{server: '{url}'}}}}]\nusers: [{{name: u}}]\ncontexts: [{{name: x, context: {{cluster: c, user: u}}}}]\ncurrent-context: x\n"
        );
        std::fs::write(&kubeconfig, text).unwrap();
        Self { seconds, kubeconfig, _proxy: proxy }
    }

    /// How to reach it.
    pub fn kubeconfig(&self) -> String {
        self.kubeconfig.to_string_lossy().into_owned()
    }

    /// Lets its clock seem to be ahead by so many seconds.
    pub fn skew(&self, seconds: i64) {
        self.seconds.store(seconds, Ordering::Relaxed);
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, change: impl Fn(&[u8]) -> Vec<u8>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if to.write_all(&change(&buffer[..read])).is_err() {
            break;
        }
    }
    to.shutdown(Shutdown::Both).ok();
}

/// The bytes with another date, if they hold one: a header comes in one piece, for the server writes it in one.
fn skewed(bytes: &[u8], seconds: i64) -> Vec<u8> {
    const NAME: &[u8] = b"\r\nDate: ";
    const FORM: &str = "%a, %d %b %Y %H:%M:%S GMT";
    let mut bytes = bytes.to_vec();
    let Some(at) = bytes.windows(NAME.len()).position(|window| window == NAME) else { return bytes };
    let now = Timestamp::now() + SignedDuration::from_secs(seconds);
    let date = now.strftime(FORM).to_string();
    let start = at + NAME.len();
    bytes[start..start + date.len()].copy_from_slice(date.as_bytes());
    bytes
}
