//! Values from Secrets, for as long as one dialer needs them.
//!
//! Promise: they go into requests and nowhere else. No `Display`, and `Debug` shows how many there are.

use crate::decide::SecretKey;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

/// The values that a dialer's requests need.
#[derive(Default)]
pub struct Credentials {
    values: BTreeMap<SecretKey, Vec<u8>>,
    refused: AtomicBool,
}

impl Credentials {
    /// These values.
    pub fn new(values: BTreeMap<SecretKey, Vec<u8>>) -> Self {
        Self { values, refused: AtomicBool::new(false) }
    }

    /// The value of a key.
    ///
    /// # Errors
    /// When it was not read, which is a fault of the operator; nothing can be sent then.
    pub fn value(&self, key: &SecretKey) -> Result<&[u8], String> {
        let value = self.values.get(key).map(Vec::as_slice);
        value.ok_or_else(|| format!("Secret \"{}\", key \"{}\" was not read", key.name, key.key))
    }

    /// All values.
    pub fn values(&self) -> impl Iterator<Item = &[u8]> {
        self.values.values().map(Vec::as_slice)
    }

    /// Notes that a provider did not accept them: they may have been changed since they were read.
    pub fn distrust(&self) {
        self.refused.store(true, Ordering::Relaxed);
    }

    /// Whether a provider did not accept them.
    pub fn is_distrusted(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({} values)", self.values.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_shows_a_value() {
        let key = SecretKey { name: "dialer".to_owned(), key: "token".to_owned() };
        let credentials = Credentials::new(BTreeMap::from([(key.clone(), b"canary".to_vec())]));
        assert_eq!(format!("{credentials:?}"), "Credentials(1 values)");
        assert_eq!(credentials.value(&key), Ok(b"canary".as_slice()));
        let other = SecretKey { key: "other".to_owned(), ..key };
        assert!(credentials.value(&other).is_err_and(|why| !why.contains("canary")));
    }
}
