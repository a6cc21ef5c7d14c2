//! TLS: a provider whose certificate is expired, of another host, or of an authority that nobody trusts hears nothing.

use crate::support::*;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn file(name: &str) -> PathBuf {
    in_checkout("tests/api_server/tls").join(name)
}

/// A server with this certificate; gives its port and how many requests it could read.
fn server(certificate: &str) -> (u16, Arc<AtomicUsize>) {
    let chain = vec![CertificateDer::from_pem_file(file(&format!("{certificate}.crt"))).unwrap()];
    let key = PrivateKeyDer::from_pem_file(file(&format!("{certificate}.key"))).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let read = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&read);
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let (mut socket, config, count) = (connection.unwrap(), Arc::clone(&config), Arc::clone(&count));
            std::thread::spawn(move || {
                let mut session = ServerConnection::new(config).unwrap();
                let mut stream = Stream::new(&mut session, &mut socket);
                let mut request = [0; 8192];
                if stream.read(&mut request).is_ok_and(|length| length > 0) {
                    count.fetch_add(1, Ordering::SeqCst);
                    let answer = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
                    stream.write_all(answer.as_bytes()).ok();
                    stream.flush().ok();
                }
            });
        }
    });
    (port, read)
}

#[test]
fn only_a_certificate_that_holds_gets_a_request() {
    let namespace = namespace("tls");
    let cases = [
        ("good", "Completed", ""),
        ("expired", "Pending", "Expired"),
        ("wrong-host", "Pending", "not valid for name"),
        ("unknown", "Pending", "UnknownIssuer"),
    ];
    let servers: Vec<_> = cases.iter().map(|(name, _, _)| server(name)).collect();
    for ((name, _, _), (port, _)) in cases.iter().zip(&servers) {
        let dialer = format!(
            "apiVersion: call-operator.dev/v1alpha1\nkind: Dialer\nmetadata:\n  name: {name}\nspec:\n  http:\n    url: https://localhost:{port}/calls\n"
        );
        apply(&namespace, &dialer);
        let reference = format!("  dialerRef:\n    name: {name}");
        apply(&namespace, &call(name, "+15550000001", &in_ms(1000), &reference));
    }
    let trusted = file("trusted.crt").to_string_lossy().into_owned();
    let _operator = Operator::start_trusting(&namespace, &trusted);
    for ((name, expected, complaint), (_, read)) in cases.iter().zip(&servers) {
        if *expected == "Completed" {
            wait_for_state(&namespace, name, "Completed");
            assert_eq!(read.load(Ordering::SeqCst), 1);
            continue;
        }
        let waiting = eventually("the complaint", || {
            let call = get(&namespace, "scall", name);
            let message = call["status"]["message"].as_str().unwrap_or_default().to_owned();
            message.contains("TLS with localhost").then_some(message)
        });
        assert!(waiting.contains(complaint), "{name}: {waiting}");
        assert_eq!(read.load(Ordering::SeqCst), 0, "{name} was sent a request");
    }
}
