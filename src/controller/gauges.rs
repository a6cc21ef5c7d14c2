//! Gauges: how things are in this process at the moment of a scrape. Looks at namespaces, Dialers and running scripts,
//! never at all calls.

use super::context::Context;
use super::flights::Tally;
use crate::dial::LineKey;
use crate::metrics::{DialerMoment, Moment, NamespaceMoment};
use std::collections::HashMap;

/// How things are now.
pub fn moment(context: &Context) -> Moment {
    let limit = super::unrecorded::UNRECORDED_CLAIMS;
    Moment {
        ready: context.readiness.missing().is_empty(),
        unrecorded: context.unrecorded.count(),
        unrecorded_limit: limit,
        writes_in_flight: context.api.gate().in_flight(),
        writes_waiting: context.api.gate().waiting(),
        journal_errors: context.journal.write_errors(),
        namespaces: namespaces(context),
        dialers: dialers(context),
    }
}

fn namespaces(context: &Context) -> Vec<NamespaceMoment> {
    let now = context.clock.now();
    context.scopes.all().iter().flat_map(|scope| scope.outlook.at(now)).collect()
}

fn dialers(context: &Context) -> Vec<DialerMoment> {
    let tallies = context.flights.tallies();
    let scopes = context.scopes.all();
    let dialers = scopes.iter().flat_map(|scope| scope.dialers.state());
    dialers.map(|dialer| carried(context, &tallies, super::dialers::key(&dialer))).collect()
}

fn carried(context: &Context, tallies: &HashMap<LineKey, Tally>, line: LineKey) -> DialerMoment {
    let tally = tallies.get(&line).copied().unwrap_or_default();
    let (in_progress, degraded) =
        (context.admission.in_progress(&line), context.admission.trouble(&line).is_some());
    let (namespace, name) = line;
    DialerMoment { namespace, name, queued: tally.queued, in_flight: tally.claimed, in_progress, degraded }
}
