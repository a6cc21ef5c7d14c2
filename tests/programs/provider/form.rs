//! Reading a request, in JSON or as a form, under the names that providers use.

use serde_json::{Map, Value, json};

/// What a request for a call says.
pub struct Wanted {
    /// Who is to be rung.
    pub phone_number: String,
    /// Its key, if any.
    pub key: String,
    /// Number of the attempt, 1 when it does not say.
    pub attempt: usize,
    /// What the call is to do.
    pub script: Option<String>,
    /// Where its states are to be told.
    pub callback_url: Option<String>,
    /// All of it.
    pub body: Value,
}

impl Wanted {
    /// Reads a body; the key of the header wins.
    pub fn read(content_type: &str, body: &[u8], header_key: Option<&str>) -> Self {
        let body = if content_type.starts_with("application/x-www-form-urlencoded") {
            Value::Object(form(&String::from_utf8_lossy(body)))
        } else {
            serde_json::from_slice(body).unwrap_or_else(|_| json!(String::from_utf8_lossy(body)))
        };
        let text = |names: &[&str]| {
            names.iter().find_map(|name| body.pointer(name)).and_then(Value::as_str).map(str::to_owned)
        };
        let attempt = body["attempt"].as_u64().or_else(|| body["attempt"].as_str()?.parse().ok());
        Self {
            phone_number: text(&["/phoneNumber", "/to", "/To"]).unwrap_or_default(),
            key: header_key
                .map(str::to_owned)
                .or_else(|| text(&["/idempotencyKey", "/key", "/command_id"]))
                .unwrap_or_default(),
            attempt: attempt.and_then(|attempt| usize::try_from(attempt).ok()).unwrap_or(1),
            script: text(&["/parameters/script", "/script"]),
            callback_url: text(&["/callbackURL", "/callbackUrl", "/StatusCallback", "/webhook_url"]),
            body,
        }
    }
}

/// `a=b&c=d`, decoded.
pub fn form(text: &str) -> Map<String, Value> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(name), json!(decoded(value)))).collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        match (first, tail.get(..2).and_then(hex)) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = tail;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_forms_say_the_same() {
        let json = br#"{"phoneNumber":"+15550000001","attempt":2,"parameters":{"script":"ring drop"}}"#;
        let json = Wanted::read("application/json", json, Some("k"));
        assert_eq!((json.phone_number.as_str(), json.attempt, json.key.as_str()), ("+15550000001", 2, "k"));
        assert_eq!(json.script.as_deref(), Some("ring drop"));
        let form = b"To=%2B15550000001&attempt=2&script=ring+drop&StatusCallback=http%3A%2F%2Fa%2Fb";
        let form = Wanted::read("application/x-www-form-urlencoded", form, None);
        assert_eq!((form.phone_number.as_str(), form.attempt), ("+15550000001", 2));
        assert_eq!(form.script.as_deref(), Some("ring drop"));
        assert_eq!(form.callback_url.as_deref(), Some("http://a/b"));
    }
}
