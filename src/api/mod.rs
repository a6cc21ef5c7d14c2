//! Wire types: what people write in YAML and what the operator answers in `status`.
//!
//! Promise: the doc comments here are the reference (`kubectl explain`), the schema is complete and bounded, and
//! nothing here decides anything. May not: import from any other module of this crate, read a clock, do I/O.

#![allow(clippy::duplicated_attributes, reason = "kube's printcolumn takes one attribute a column")]

mod business_calendar;
mod call_view;
mod conditions;
mod crd;
mod dialer;
mod dialer_http;
mod lean;
mod open_enum;
mod readable;
mod recurring_call;
mod retry;
mod scheduled_call;
mod scheduled_call_status;
mod timing_views;
mod tracking;

pub use business_calendar::*;
pub use call_view::*;
pub use conditions::*;
pub use crd::{all_crds, crd_of_kind, to_yaml as crd_to_yaml};
pub use dialer::*;
pub use dialer_http::*;
pub use lean::LeanCall;
pub use readable::Readable;
pub use recurring_call::*;
pub use retry::*;
pub use scheduled_call::*;
pub use scheduled_call_status::*;
pub use timing_views::*;
pub use tracking::*;

/// The API group. Every label, annotation and CRD name is built from it; a test holds the kinds' derives to it.
pub const GROUP: &str = "call-operator.dev";

/// The served and stored API version.
pub const VERSION: &str = "v1alpha1";

/// The name of the Dialer that a call uses when it names none.
pub const DEFAULT_DIALER: &str = "default";

/// Label of a call that a series made: the name of the series (cut to what a label may hold).
pub const RECURRING_CALL_LABEL: &str = "call-operator.dev/recurring-call";

/// Label with which the owner of a Secret lets Dialers of its namespace use it; its value must be "true".
pub const DIALER_SECRET_LABEL: &str = "call-operator.dev/dialer";

/// Annotation of a call that a series made: its nominal time (RFC 3339, UTC).
pub const SCHEDULED_TIME_ANNOTATION: &str = "call-operator.dev/scheduled-time";

/// Annotation of a call that a series made: its number in the series, from 1.
pub const OCCURRENCE_ANNOTATION: &str = "call-operator.dev/occurrence";
