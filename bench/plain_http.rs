//! HTTP to processes on loopback, without a client library: one request, one connection.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// Status code and body of the answer to a GET.
pub fn get(address: &str, path: &str) -> Result<(u16, String), String> {
    exchange(address, &format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n"))
        .map_err(|error| format!("GET http://{address}{path}: {error}"))
}

/// The body of the answer to a POST of JSON, which must be a 200.
pub fn post(address: &str, path: &str, body: &str) -> Result<String, String> {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.0\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    let failed = |why: &str| format!("POST http://{address}{path}: {why}");
    match exchange(address, &(head + body)) {
        Ok((200, answer)) => Ok(answer),
        Ok((code, answer)) => Err(failed(&format!("{code} {answer}"))),
        Err(error) => Err(failed(&error.to_string())),
    }
}

fn exchange(address: &str, request: &str) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let code = answer.split_whitespace().nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Ok((code, body.to_owned()))
}
