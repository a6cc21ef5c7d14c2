//! Pure time: zones and the instants that people write.
//!
//! Promise: the same text and zone give the same instant everywhere, from the time zone database that is compiled in.
//! May not: read a clock, do I/O, know of Kubernetes. Business hours, calendars and recurrence will live here.

mod when;
mod zone;

pub use when::{BadTime, resolve};
pub use zone::{DATABASE_VERSION, UnknownZone, find_zone};
