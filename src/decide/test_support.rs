//! Small builders for the tables in this folder.

use super::*;
use crate::api::CallView;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

pub(super) fn defaults() -> Defaults {
    Defaults { time_zone: "Asia/Kolkata".to_owned(), retry_max_attempts: 3, retry_initial_delay_seconds: 2 }
}
