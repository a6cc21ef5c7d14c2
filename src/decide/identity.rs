//! Names and numbers that must come out the same in every process: attempt keys and jitter.

use sha2::{Digest, Sha256};

/// The idempotency key of attempt `number` of the call with this uid: 32 hexadecimal digits. Another attempt or a
/// re-created object gets another key; the same attempt always gets the same.
pub fn attempt_key(uid: &str, number: i32) -> String {
    hex(&digest(&[uid, &number.to_string()])[..16])
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

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
    fn jitter_stays_in_its_range() {
        for number in 1..200 {
            assert!((0..200).contains(&jitter("u", number, 200)));
        }
        assert_eq!(jitter("u", 1, 0), 0);
    }
}
