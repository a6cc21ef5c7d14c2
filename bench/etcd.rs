//! The store below the API server, through etcd's JSON gateway: to put many objects there in seconds.
//!
//! The API server stores objects of CRDs as JSON, and its watch tells it of every change, so what is put here is what an
//! earlier run of everybody would have left.

use crate::plain_http;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

/// etcd takes 128 operations in a transaction.
const PUTS_AT_A_TIME: usize = 100;

/// One etcd.
pub struct Etcd {
    address: String,
}

/// What is stored, and under which key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The path of the object.
    pub key: String,
    /// The object.
    pub value: String,
}

#[derive(Deserialize)]
struct Range {
    #[serde(default)]
    kvs: Vec<Stored>,
}

#[derive(Deserialize)]
struct Stored {
    key: String,
    value: String,
}

impl Etcd {
    /// The one that listens there.
    pub fn new(address: &str) -> Self {
        Self { address: address.to_owned() }
    }

    /// All whose key begins so.
    pub fn read(&self, prefix: &str) -> Result<Vec<Pair>, String> {
        let question = json!({"key": STANDARD.encode(prefix), "range_end": STANDARD.encode(behind(prefix))});
        let answer = plain_http::post(&self.address, "/v3/kv/range", &question.to_string())?;
        let range: Range = serde_json::from_str(&answer).map_err(|error| format!("etcd: {error}"))?;
        range
            .kvs
            .iter()
            .map(|stored| Ok(Pair { key: text(&stored.key)?, value: text(&stored.value)? }))
            .collect()
    }

    /// Stores all of these.
    pub fn put(&self, pairs: &[Pair]) -> Result<(), String> {
        pairs.chunks(PUTS_AT_A_TIME).try_for_each(|some| {
            crate::interrupt::check()?;
            let puts: Vec<Value> = some.iter().map(put).collect();
            plain_http::post(&self.address, "/v3/kv/txn", &json!({"success": puts}).to_string()).map(drop)
        })
    }
}

fn put(pair: &Pair) -> Value {
    json!({"request_put": {"key": STANDARD.encode(&pair.key), "value": STANDARD.encode(&pair.value)}})
}

/// The least key that is behind all keys that begin so.
fn behind(prefix: &str) -> Vec<u8> {
    let mut end = prefix.as_bytes().to_vec();
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end
}

fn text(encoded: &str) -> Result<String, String> {
    let bytes = STANDARD.decode(encoded).map_err(|error| format!("etcd: {error}"))?;
    String::from_utf8(bytes).map_err(|error| format!("etcd: {error}"))
}
