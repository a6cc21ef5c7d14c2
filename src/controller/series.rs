//! Reconciler of RecurringCalls: observe → plan → decide → apply (set back, take back, make, refresh) → record → tidy.

use super::books::SeriesReading;
use super::children::{self, Made};
use super::context::Scope;
use super::error::{ApiError, ErrorClass};
use super::gate::WriteClass;
use crate::api::{RecurringCall, RecurringCallStatus, SeriesView};
use crate::clock::time_until;
use crate::decide::{
    Child, FieldError, SeriesDecision, SeriesFacts, SeriesOutcome, SeriesPlan, beyond_history, decide_series,
    series_status, set_back_status,
};
use jiff::Timestamp;
use kube::runtime::controller::Action;
use std::sync::Arc;
use std::time::Duration;
use tracing::{debug, warn};

/// As for calls: timers do not see a clock that is stepped.
const LONGEST_SLEEP: Duration = Duration::from_secs(600);

/// A name that somebody else holds may become free.
const AFTER_NAME_CONFLICT: Duration = Duration::from_secs(30);

/// One pass over one series.
///
/// # Errors
/// When something could not be read or written; what was done before stands, and the next pass goes on from there.
pub async fn reconcile(series: Arc<SeriesView>, scope: Arc<Scope>) -> Result<Action, ApiError> {
    let leads = scope.context.leadership.leads();
    if !leads || !all_is_known(&scope).await || series.metadata.deletion_timestamp.is_some() {
        return Ok(Action::await_change());
    }
    let series = scope.context.newest_series.of(series);
    let Some(stored) = series.status.read() else {
        warn!(
            namespace = series.namespace(),
            name = series.name(),
            uid = series.uid(),
            "status cannot be read; the series is left alone"
        );
        return Ok(Action::await_change());
    };
    let calendar = scope.calendar_of_series(&series);
    let reading = scope.context.series_book.reading_of(&series, &scope.context.defaults, &calendar);
    let pass = Pass {
        scope: &scope,
        series: &series,
        stored,
        edited_at: SeriesFacts::last_edit(&series, &calendar),
        reading: &reading,
    };
    match &reading.plan {
        Ok(plan) => pass.run(plan).await,
        Err(errors) => pass.stall(errors).await,
    }
}

/// When to try again after an error.
pub fn on_error(series: Arc<SeriesView>, error: &ApiError, _scope: Arc<Scope>) -> Action {
    match error.class() {
        ErrorClass::Refused => {
            warn!(namespace = series.namespace(), name = series.name(), uid = series.uid(), %error, "series not served")
        }
        ErrorClass::Conflict | ErrorClass::Gone | ErrorClass::Transient => {
            debug!(namespace = series.namespace(), name = series.name(), uid = series.uid(), %error, "series not served");
        }
    }
    Action::requeue(error.class().retry_after())
}

async fn all_is_known(scope: &Scope) -> bool {
    tokio::select! {
        biased;
        () = scope.listed.for_series() => true,
        () = scope.context.shutdown.cancelled() => false,
    }
}

/// One pass, with what it was given.
struct Pass<'a> {
    scope: &'a Scope,
    series: &'a SeriesView,
    stored: &'a RecurringCallStatus,
    edited_at: Option<Timestamp>,
    reading: &'a SeriesReading,
}

impl Pass<'_> {
    async fn run(&self, plan: &SeriesPlan) -> Result<Action, ApiError> {
        let now = self.scope.context.clock.now();
        let mut children = children::observe(self.scope, self.series, plan, self.stored, now).await?;
        let decision = match decide_series(&self.facts(children.clone()), plan, now) {
            Ok(decision) => decision,
            Err(error) => {
                return self.stall(&[FieldError::new("TooManyOccurrences", "spec.startTime", error)]).await;
            }
        };
        let refused = self.apply(plan, &decision, &mut children).await?;
        self.record(Some(&decision).filter(|_| refused.is_empty()), &refused, &children).await?;
        // What is not counted yet must keep its record: it would be made again.
        let over = if refused.is_empty() { beyond_history(plan, &children, now) } else { Vec::new() };
        for name in &over {
            children::delete(self.scope, &children, name).await?;
        }
        Ok(self.next_look(&decision, &refused))
    }

    fn facts(&self, children: Vec<Child>) -> SeriesFacts<'_> {
        SeriesFacts {
            series: self.series,
            status: self.stored,
            revision: &self.reading.revision,
            edited_at: self.edited_at,
            created_at: self.series.created_at(),
            children,
        }
    }

    /// Carries out a decision; gives what stands in the way. What is taken back is first stored as not having happened.
    async fn apply(
        &self,
        plan: &SeriesPlan,
        decision: &SeriesDecision,
        children: &mut Vec<Child>,
    ) -> Result<Vec<FieldError>, ApiError> {
        if let Some(status) = set_back_status(self.stored, decision) {
            // The rest of the pass has a newer series to go on from: it begins anew.
            self.store(&status).await?;
            return Err(ApiError::Conflict);
        }
        for name in &decision.take_back {
            children::delete(self.scope, children, name).await?;
            children.retain(|child| child.name != *name);
        }
        let mut refused = Vec::new();
        for occurrence in &decision.make {
            match children::make(self.scope, self.series, plan, occurrence).await? {
                Made::Ours(child) => children.push(child),
                Made::Foreign(error) => refused.push(error),
            }
        }
        if let Some((name, occurrence)) = &decision.refresh {
            children::refresh(self.scope, self.series, name, occurrence).await?;
        }
        Ok(refused)
    }

    /// A spec that cannot be used: said, and nothing else is touched.
    async fn stall(&self, errors: &[FieldError]) -> Result<Action, ApiError> {
        let children = children::cached(self.scope, self.series, None);
        self.record(None, errors, &children).await?;
        Ok(Action::requeue(LONGEST_SLEEP))
    }

    async fn record(
        &self,
        decision: Option<&SeriesDecision>,
        errors: &[FieldError],
        children: &[Child],
    ) -> Result<(), ApiError> {
        let outcome = SeriesOutcome { decision, revision: &self.reading.revision, errors, children };
        let now = self.scope.context.clock.now();
        match series_status(self.series, self.stored, &outcome, now) {
            Some(status) => self.store(&status).await,
            None => Ok(()),
        }
    }

    async fn store(&self, status: &RecurringCallStatus) -> Result<(), ApiError> {
        let api = &self.scope.context.api;
        let mut view: SeriesView = api
            .replace_status::<RecurringCall, _, _>(WriteClass::Plan, &self.series.metadata, status)
            .await?;
        let events = &self.scope.context.events;
        events.conditions_written(self.series, &self.stored.conditions, &status.conditions);
        self.scope.context.take_in_series(&mut view);
        self.scope.context.newest_series.put(view);
        Ok(())
    }

    fn next_look(&self, decision: &SeriesDecision, refused: &[FieldError]) -> Action {
        if !refused.is_empty() {
            return Action::requeue(AFTER_NAME_CONFLICT);
        }
        let clock = self.scope.context.clock;
        let ahead =
            decision.look_again.map(|instant| time_until(instant, clock.now()).unwrap_or(Duration::ZERO));
        let sleep = ahead.map_or(LONGEST_SLEEP, |ahead| clock.real(ahead));
        Action::requeue(sleep.min(LONGEST_SLEEP))
    }
}
