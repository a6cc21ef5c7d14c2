//! One thing that is wrong with a spec: a word for programs, the field, and what to do about it.

/// A field that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// CamelCase word for the condition.
    pub reason: &'static str,
    /// Path of the field, for example `spec.timeZone`.
    pub path: String,
    /// What is wrong and what to do, without the path.
    pub message: String,
}

impl FieldError {
    /// `message` says what is wrong with the field at `path` and what to do.
    pub fn new(reason: &'static str, path: impl Into<String>, message: impl std::fmt::Display) -> Self {
        Self { reason, path: path.into(), message: message.to_string() }
    }

    /// A spec that this version cannot read at all.
    pub fn unreadable(why: &str) -> Self {
        Self::new("InvalidSpec", "spec", format!("this version of call-operator cannot read it: {why}"))
    }
}

/// Several problems as one text.
pub fn said(errors: &[FieldError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// The word for several problems: that of the first.
pub fn first_reason(errors: &[FieldError]) -> &'static str {
    errors.first().map_or("InvalidSpec", |error| error.reason)
}

impl std::fmt::Display for FieldError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}
