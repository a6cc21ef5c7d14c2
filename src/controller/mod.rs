//! The controller: Kubernetes on one side, dialers on the other.
//!
//! Stages, one file each: [`observe`] → (pure: plan, decide) → [`script`]: [`claim`] → [`place`] → [`record`].
//! Promise: nothing is dialled without a stored claim; every API write but that of the [`lease`] passes the [`gate`]; a
//! broken object harms only itself. May not: decide anything itself.

mod api_server;
mod books;
mod calendars;
mod call;
mod callbacks;
mod children;
mod claim;
mod cleanup;
mod confirm;
mod context;
mod counted;
mod degraded;
mod dialer_status;
mod dialers;
mod error;
mod events;
mod families;
mod filling;
mod flights;
mod follow;
mod gate;
mod gauges;
mod lease;
mod measured;
mod memory;
mod notice;
mod observe;
mod outlook;
mod place;
mod places;
mod provider;
mod recall;
mod record;
mod run;
mod script;
mod secrets;
mod series;
mod serve_scope;
mod settle;
mod store_check;
mod store_watch;
mod time_check;
mod traffic;
mod transport;
mod unrecorded;
mod watch;

pub use lease::LeaseSettings;
pub use run::{RunError, Settings, run};
