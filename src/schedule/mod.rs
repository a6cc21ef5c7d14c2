//! Pure time: zones, the instants that people write, business hours, recurrence, and the occurrences of a series.
//!
//! ```text
//! Rule (wall clock) ─▶ NominalTimes (instants) ─▶ Sequence: skip dates ─▶ Hours ─▶ merge ─▶ end ─▶ Entry
//! ```
//!
//! Promise: the same input gives the same instants everywhere, from the time zone database that is compiled in, and
//! never by counting from an earlier answer. May not: read a clock, do I/O, know of Kubernetes.

mod cron;
mod hours;
mod hours_search;
#[cfg(test)]
mod hours_tests;
mod nominal;
mod recurrence;
mod sequence;
#[cfg(test)]
mod sequence_tests;
mod span;
mod when;
mod zone;

pub use cron::{BadCron, Cron};
pub use hours::{Adjusted, Adjustment, Hours};
pub use nominal::{NominalTimes, Rule, Start};
pub use recurrence::{Frequency, MonthDayPolicy, Recurrence, Weekdays};
pub use sequence::{Entry, MOST_OCCURRENCES, Sequence, TooManyOccurrences, Walk, WalkEnd};
pub use span::{BadSpan, Span, time_of_day};
pub use when::{BadTime, Moment, last_moment, local_date, resolve};
pub use zone::{DATABASE_VERSION, UnknownZone, find_zone};
