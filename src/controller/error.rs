//! What can go wrong at the API server, and what each kind of error means for the caller.

use crate::words::with_causes;
use kube::core::Status;
use std::time::Duration;

/// A request to the API server that did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// Somebody else has written the object since we read it: read it again, it says nothing about who.
    #[error("the object has changed since it was read")]
    Conflict,
    /// There is no such object any more, or one of another uid.
    #[error("the object is gone")]
    Gone,
    /// The API server understood and refused; the same request would be refused again.
    #[error("refused by the API server: {0}")]
    Refused(String),
    /// The API server has too much to do and did not look at the request.
    #[error("the API server is busy: {why}")]
    Busy {
        /// What it said.
        why: String,
        /// How long it wants to be left alone.
        pause: Duration,
    },
    /// No answer, or one that does not say whether the request was carried out.
    #[error("no certain answer from the API server: {0}")]
    Uncertain(String),
}

/// How an error is handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// Somebody was faster: look again soon.
    Conflict,
    /// Nothing more to do.
    Gone,
    /// Our permissions or our request are wrong: say so loudly, try rarely.
    Refused,
    /// The API server is away or busy: try again.
    Transient,
}

impl ApiError {
    /// What kind of error this is.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Conflict => ErrorClass::Conflict,
            Self::Gone => ErrorClass::Gone,
            Self::Refused(_) => ErrorClass::Refused,
            Self::Busy { .. } | Self::Uncertain(_) => ErrorClass::Transient,
        }
    }
}

impl ErrorClass {
    /// When a reconcile that ended so is tried again; a change of the object comes first in any case.
    pub fn retry_after(self) -> Duration {
        match self {
            Self::Conflict => Duration::from_millis(500),
            // Objects that are not in the cache are not looked at again.
            Self::Gone | Self::Refused => Duration::from_secs(30),
            Self::Transient => Duration::from_secs(1),
        }
    }
}

impl From<kube::Error> for ApiError {
    fn from(error: kube::Error) -> Self {
        match &error {
            kube::Error::Api(status) => Self::of_status(status),
            // The answer came and this version cannot read it; asking again would not help.
            kube::Error::SerdeError(why) => Self::Refused(format!("the answer cannot be read: {why}")),
            _ => Self::Uncertain(with_causes(&error)),
        }
    }
}

impl ApiError {
    /// What an answer without success says.
    pub fn of_status(status: &Status) -> Self {
        match status.code {
            409 => Self::Conflict,
            // A proxy's 404 says nothing about the object.
            404 if status.reason == "NotFound" => Self::Gone,
            429 => {
                let seconds = status.details.as_ref().map_or(0, |details| details.retry_after_seconds);
                let pause = Duration::from_secs(u64::from(seconds));
                Self::Busy { why: status.message.clone(), pause }
            }
            404 | 410 | 500..=599 => Self::Uncertain(status.message.clone()),
            _ => Self::Refused(status.message.clone()),
        }
    }
}
