//! Where a provider reports what becomes of a call, and how a report proves that it was asked for.
//!
//! Promise: the address of a report names one attempt of one object and bears a code that only the operator can make;
//! checking it takes the same time whatever is wrong with it.

use super::identity::{hex, unhex};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Fewest characters of the secret from which the codes are made.
pub const CALLBACK_KEY_LENGTH: usize = 32;

/// First part of the path of every report.
pub const CALLBACK_ROOT: &str = "/callbacks";

/// Path at which the provider reports on this attempt.
pub fn callback_path(namespace: &str, name: &str, uid: &str, attempt: i32, mac: &str) -> String {
    format!("{CALLBACK_ROOT}/{namespace}/{name}/{uid}/{attempt}/{mac}")
}

/// The code for reports on this attempt: HMAC-SHA-256 over the parts, each with its length, in hexadecimal.
pub fn callback_mac(key: &[u8], namespace: &str, name: &str, uid: &str, attempt: i32) -> String {
    let mac = authenticated(key, namespace, name, uid, attempt);
    mac.map_or_else(String::new, |mac| hex(&mac.finalize().into_bytes()))
}

/// Whether `given` is the code for reports on this attempt; takes as long for a wrong code as for the right one.
pub fn callback_mac_fits(
    key: &[u8],
    namespace: &str,
    name: &str,
    uid: &str,
    attempt: i32,
    given: &str,
) -> bool {
    let Some(given) = unhex(given) else { return false };
    authenticated(key, namespace, name, uid, attempt).is_some_and(|mac| mac.verify_slice(&given).is_ok())
}

/// HMAC takes a key of any length, so there always is one.
fn authenticated(key: &[u8], namespace: &str, name: &str, uid: &str, attempt: i32) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    for part in ["callback", namespace, name, uid, &attempt.to_string()] {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

    #[test]
    fn a_code_fits_its_own_attempt_and_nothing_else() {
        let code = callback_mac(KEY, "n", "call", "u", 1);
        assert_eq!(code.len(), 64);
        assert!(callback_mac_fits(KEY, "n", "call", "u", 1, &code));
        assert!(callback_mac_fits(KEY, "n", "call", "u", 1, &code.to_uppercase()));
        let other = b"0123456789abcdef0123456789abcdeF".as_slice();
        let wrong = [
            (KEY, "m", "call", "u", 1),
            (KEY, "n", "cal", "lu", 1),
            (KEY, "n", "call", "v", 1),
            (KEY, "n", "call", "u", 11),
            (other, "n", "call", "u", 1),
        ];
        for (key, namespace, name, uid, attempt) in wrong {
            assert!(!callback_mac_fits(key, namespace, name, uid, attempt, &code));
        }
        for given in ["", "00", &code[..62], &format!("{code}00"), &"x".repeat(64), &"é".repeat(32)] {
            assert!(!callback_mac_fits(KEY, "n", "call", "u", 1, given), "{given}");
        }
    }

    #[test]
    fn the_code_is_the_hmac_that_anybody_can_compute() {
        // hmac.new(key, b"".join(struct.pack(">Q", len(p)) + p for p in parts), "sha256"), in Python.
        assert_eq!(callback_mac(KEY, "n", "call", "u", 1), PYTHON);
        assert_eq!(callback_path("n", "call", "u", 1, "c0de"), "/callbacks/n/call/u/1/c0de");
    }

    const PYTHON: &str = "f1e0e45ade83c172091bb0afdf6f3220d779208e1c9408a0ef4c88a8724e5d9d";
}
