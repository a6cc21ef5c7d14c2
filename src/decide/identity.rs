//! Names and numbers that must come out the same in every process: attempt keys and jitter.

use crate::api::CallView;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use sha2::{Digest, Sha256};

/// The idempotency key of attempt `number` of the call with this uid: 32 hexadecimal digits. Another attempt or a
/// re-created object gets another key; the same attempt always gets the same.
pub fn attempt_key(uid: &str, number: i32) -> String {
    hex(&digest(&[uid, &number.to_string()])[..16])
}

/// Whom a call is for, without saying so: a hash of its namespace, name and number. `None` when its spec cannot be
/// read.
pub fn callee_digest(call: &CallView) -> Option<String> {
    Some(callee_of(&call.metadata, &call.spec.read()?.phone_number))
}

/// The same for an object of this namespace and name with this number.
pub fn callee_of(metadata: &ObjectMeta, phone_number: &str) -> String {
    let namespace = metadata.namespace.as_deref().unwrap_or_default();
    let name = metadata.name.as_deref().unwrap_or_default();
    hex(&digest(&["callee", namespace, name, phone_number])[..16])
}

/// A fixed share of `range` for this call and attempt, from 0 to just under `range`: spreads retries without making
/// two processes disagree.
pub fn jitter(uid: &str, number: i32, range: i64) -> i64 {
    let bytes = digest(&["jitter", uid, &number.to_string()]);
    let draw = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    if range <= 0 { 0 } else { i64::from(draw) % range }
}

/// SHA-256 over the parts, each with its length, so that no two lists of parts collide.
pub(super) fn digest(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

/// Lower-case hexadecimal. Without the formatter: every look at a call needs it.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16);
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(digit).collect()
}

/// The bytes that hexadecimal digits of either case stand for.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| !digits.is_empty() && digits.len().is_multiple_of(2))?;
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_stable_and_differs_by_object_and_attempt() {
        assert_eq!(attempt_key("u", 1), attempt_key("u", 1));
        assert_ne!(attempt_key("u", 1), attempt_key("u", 2));
        assert_ne!(attempt_key("u", 1), attempt_key("v", 1));
        assert_ne!(attempt_key("u1", 1), attempt_key("u", 11));
        assert_eq!(attempt_key("u", 1).len(), 32);
    }

    #[test]
    fn hexadecimal_goes_there_and_back() {
        assert_eq!(hex(&[0x00, 0x0f, 0xa9, 0xff]), "000fa9ff");
        assert_eq!(unhex("000FA9ff").unwrap(), [0x00, 0x0f, 0xa9, 0xff]);
    }

    #[test]
    fn jitter_stays_in_its_range() {
        for number in 1..200 {
            assert!((0..200).contains(&jitter("u", number, 200)));
        }
        assert_eq!(jitter("u", 1, 0), 0);
    }
}
