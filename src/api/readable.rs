//! Parts of objects that may be unreadable to this version.
//!
//! Promise: what a newer version (or a forger) wrote never fails a whole list or watch; it is kept as the error that
//! it gave, and harms only its own object.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A part of an object that was read, or the reason why it could not be.
#[derive(Clone, Debug, PartialEq)]
pub enum Readable<T> {
    /// The part.
    Read(T),
    /// Why it could not be read.
    Unreadable(String),
}

impl<T: Default> Default for Readable<T> {
    fn default() -> Self {
        Self::Read(T::default())
    }
}

impl<T> Readable<T> {
    /// The part, if it could be read.
    pub fn read(&self) -> Option<&T> {
        match self {
            Self::Read(part) => Some(part),
            Self::Unreadable(_) => None,
        }
    }
}

/// Never fails: what does not fit becomes [`Readable::Unreadable`].
pub(super) fn readable<'de, D, T>(deserializer: D) -> Result<Readable<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    let raw = Option::<Box<RawValue>>::deserialize(deserializer)?;
    Ok(raw.map_or_else(Readable::default, |raw| match serde_json::from_str(raw.get()) {
        Ok(part) => Readable::Read(part),
        Err(error) => Readable::Unreadable(error.to_string()),
    }))
}
