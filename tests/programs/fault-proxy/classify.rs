//! Names of requests and events that are the same in every run of a scenario: no uid, no token, no time in them.

use http::Method;
use serde_json::Value;

/// What a request to an API server is, without its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// `LIST`, `WATCH`, or the method.
    pub verb: String,
    /// Resource, with its subresource: `scheduledcalls/status`.
    pub resource: String,
    /// The whole name.
    pub text: String,
}

/// The name of a request to the API server.
pub fn api_request(method: &Method, path: &str, query: &str, body: &[u8]) -> Name {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let rest = match parts.as_slice() {
        ["api", _, rest @ ..] => rest,
        ["apis", _, _, rest @ ..] => rest,
        _ => return plain(method, path),
    };
    let rest = match rest {
        ["namespaces", _, rest @ ..] if !rest.is_empty() => rest,
        rest => rest,
    };
    let (resource, name) = match rest {
        [resource] => ((*resource).to_owned(), String::new()),
        [resource, name] => ((*resource).to_owned(), (*name).to_owned()),
        [resource, name, sub @ ..] => (format!("{resource}/{}", sub.join("/")), (*name).to_owned()),
        [] => return plain(method, path),
    };
    let asked = |parameter: &str| query.split('&').any(|pair| pair == parameter);
    let has = |prefix: &str| query.split('&').any(|pair| pair.starts_with(prefix));
    let verb = match (method, name.is_empty()) {
        (&Method::GET, true) if asked("watch=true") || asked("watch=1") || asked("watch") => "WATCH",
        (&Method::GET, true) => "LIST",
        _ => method.as_str(),
    };
    let subject = match verb {
        "LIST" if asked("limit=1") => "limit=1".to_owned(),
        "LIST" if has("continue=") => "continue".to_owned(),
        "POST" if name.is_empty() => posted(body),
        _ => stable(&name),
    };
    let text = format!("{verb} {resource} {subject}").trim_end().to_owned();
    Name { verb: verb.to_owned(), resource, text }
}

fn plain(method: &Method, path: &str) -> Name {
    Name { verb: method.to_string(), resource: path.to_owned(), text: format!("{method} {path}") }
}

/// What is being created: an event by what it is about, anything else by its name.
fn posted(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    match (body["regarding"]["name"].as_str(), body["reason"].as_str()) {
        (Some(about), Some(reason)) => format!("{} {reason}", stable(about)),
        _ => stable(body["metadata"]["name"].as_str().unwrap_or("?")),
    }
}

/// The name of a request to a phone provider.
pub fn dialer_request(method: &Method, path: &str, query: &str, body: &[u8]) -> Name {
    let number = last_digits(body);
    let text = match (method, number) {
        (_, Some(digits)) => format!("DIAL {method} {digits}"),
        (&Method::GET, None) if !query.is_empty() => "DIAL GET lookup".to_owned(),
        (_, None) => format!("DIAL {method} {}", if path.matches('/').count() > 1 { "call" } else { "?" }),
    };
    Name { verb: method.to_string(), resource: "DIAL".to_owned(), text }
}

/// The last four digits of the number in a JSON or form body.
fn last_digits(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let start = text.find("+1555").or_else(|| text.find("%2B1555"))?;
    let digits: String = text[start..]
        .trim_start_matches("%2B")
        .chars()
        .skip_while(|c| *c == '+')
        .take_while(char::is_ascii_digit)
        .collect();
    Some(digits[digits.len().saturating_sub(4)..].to_owned())
}

/// The name of a watch event: `EVENT scheduledcalls MODIFIED c1`.
pub fn watch_event(resource: &str, line: &[u8]) -> Option<String> {
    let event: Value = serde_json::from_slice(line).ok()?;
    let kind = event["type"].as_str()?;
    let name = event["object"]["metadata"]["name"].as_str().unwrap_or("");
    Some(format!("EVENT {resource} {kind} {}", stable(name)).trim_end().to_owned())
}

/// A name without the hash that a series or a recorder has put behind it.
fn stable(name: &str) -> String {
    let is_hash = |tail: &str| tail.len() >= 8 && tail.bytes().all(|byte| byte.is_ascii_hexdigit());
    match name.rsplit_once(['-', '.']) {
        Some((stem, tail)) if is_hash(tail) => format!("{stem}-*"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(method: &str, path: &str, query: &str, body: &str) -> String {
        api_request(&method.parse().unwrap(), path, query, body.as_bytes()).text
    }

    #[test]
    fn requests_have_names_without_uids() {
        let calls = "/apis/call-operator.dev/v1alpha1/namespaces/n1/scheduledcalls";
        assert_eq!(named("GET", calls, "limit=5000", ""), "LIST scheduledcalls");
        assert_eq!(named("GET", calls, "limit=1", ""), "LIST scheduledcalls limit=1");
        assert_eq!(named("GET", calls, "watch=true&timeoutSeconds=50", ""), "WATCH scheduledcalls");
        assert_eq!(named("GET", &format!("{calls}/c1"), "", ""), "GET scheduledcalls c1");
        assert_eq!(named("PUT", &format!("{calls}/c1/status"), "", ""), "PUT scheduledcalls/status c1");
        let child = r#"{"metadata":{"name":"daily-0123456789"}}"#;
        assert_eq!(named("POST", calls, "", child), "POST scheduledcalls daily-*");
        let event = r#"{"regarding":{"name":"c1"},"reason":"Completed"}"#;
        let events = "/apis/events.k8s.io/v1/namespaces/n1/events";
        assert_eq!(named("POST", events, "", event), "POST events c1 Completed");
        assert_eq!(named("GET", "/version", "", ""), "GET /version");
    }

    #[test]
    fn requests_to_a_dialer_are_named_after_the_number() {
        let dial = |method: &str, path: &str, query: &str, body: &str| {
            dialer_request(&method.parse().unwrap(), path, query, body.as_bytes()).text
        };
        assert_eq!(dial("POST", "/calls", "", r#"{"phoneNumber":"+15550000012"}"#), "DIAL POST 0012");
        assert_eq!(dial("POST", "/calls", "", "To=%2B15550000012&a=b"), "DIAL POST 0012");
        assert_eq!(dial("GET", "/calls", "key=0123", ""), "DIAL GET lookup");
        assert_eq!(dial("GET", "/calls/x1", "", ""), "DIAL GET call");
    }
}
