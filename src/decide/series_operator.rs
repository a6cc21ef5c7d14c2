//! The pure operator of [`World`]: it carries out what is decided, write by write, as `controller::series` and
//! `controller::call` do.

use super::series_world::{Ring, StoredCall, World, whole_second};
use super::test_support::placed;
use super::*;
use crate::api::{CallView, ScheduledCallStatus, SeriesView};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

/// Why a pass ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// The process is gone.
    Crashed,
    /// It begins anew.
    Conflict,
}

impl World {
    /// One pass over the series; gives when to look again.
    pub fn pass_over_series(&mut self) -> Option<Timestamp> {
        loop {
            match self.try_series() {
                Ok(wake) => return wake,
                Err(Stop::Conflict) => {}
                Err(Stop::Crashed) => return None,
            }
        }
    }

    fn observed(&self, plan: &SeriesPlan) -> Vec<Child> {
        let mut children = self.children(Some(plan));
        let last =
            self.status.last_scheduled_time.filter(|last| plan.sequence.effective_of(*last) > self.now);
        let unseen = last.filter(|last| children.iter().all(|child| child.nominal != *last));
        let name = unseen.map(|nominal| child_name(&self.series(), plan, nominal));
        if let Some(name) = name.filter(|name| self.calls.contains_key(name)) {
            children.push(Child::of(&self.view_of(&name), Some(plan)).unwrap());
        }
        children
    }

    fn try_series(&mut self) -> Result<Option<Timestamp>, Stop> {
        let (series, revision) = (self.series(), self.revision());
        let plan = match self.plan() {
            Ok(plan) => plan,
            Err(errors) => {
                self.record(&series, &revision, None, &errors, &self.children(None))?;
                return Ok(None);
            }
        };
        let mut children = self.observed(&plan);
        let facts = self.facts(&series, &revision, children.clone());
        let decision = match decide_series(&facts, &plan, self.now) {
            Ok(decision) => decision,
            Err(error) => {
                let errors = [FieldError::new("TooManyOccurrences", "spec.startTime", error)];
                self.record(&series, &revision, None, &errors, &self.children(None))?;
                return Ok(None);
            }
        };
        if let Some(status) = set_back_status(&self.status, &decision) {
            self.write()?;
            self.status = status;
            return Err(Stop::Conflict);
        }
        for name in &decision.take_back {
            self.delete(name)?;
            children.retain(|child| child.name != *name);
        }
        let mut refused = Vec::new();
        for occurrence in &decision.make {
            match self.make(&series, &plan, occurrence)? {
                Some(child) => children.push(child),
                None => refused.push(FieldError::new("NameConflict", "metadata.name", "taken")),
            }
        }
        if let Some((name, occurrence)) = &decision.refresh {
            self.refresh(&series, name, occurrence)?;
        }
        let done = Some(&decision).filter(|_| refused.is_empty());
        self.record(&series, &revision, done, &refused, &children)?;
        // What is not counted yet must leave a record, or it would be made again.
        let over = beyond_history(&plan, &children, self.now);
        for name in over.iter().filter(|_| refused.is_empty()) {
            self.delete(name)?;
        }
        Ok(decision.look_again)
    }

    fn make(
        &mut self,
        series: &SeriesView,
        plan: &SeriesPlan,
        occurrence: &Occurrence,
    ) -> Result<Option<Child>, Stop> {
        let name = child_name(series, plan, occurrence.entry.nominal);
        if self.foreign.contains(&name) {
            return Ok(None);
        }
        if !self.calls.contains_key(&name) {
            self.write()?;
            let mut object = child_object(series, series.read_spec().unwrap(), &name, occurrence);
            self.uids += 1;
            let created = whole_second(self.now);
            object["metadata"]["uid"] = json!(format!("uid-{}", self.uids));
            object["metadata"]["generation"] = json!(1);
            object["metadata"]["resourceVersion"] = json!(self.writes.to_string());
            object["metadata"]["creationTimestamp"] = json!(created.to_string());
            let late = occurrence.entry.effective <= self.now;
            assert!(!late || occurrence.entry.effective > self.last_edit(), "made for a time before an edit");
            assert!(plan.reaches(occurrence.number), "made beyond the last");
            self.made.push((occurrence.number, occurrence.entry.nominal));
            self.calls.insert(name.clone(), StoredCall::new(object, created));
            if self.lags {
                self.unseen.insert(name.clone());
            }
        }
        Ok(Some(Child::of(&self.view_of(&name), Some(plan)).unwrap()))
    }

    fn last_edit(&self) -> Timestamp {
        let uses_calendar = !matches!(self.calendar_state(), CalendarState::NotNamed);
        let calendar = self.calendar.as_ref().filter(|_| uses_calendar).map(|(_, edited)| *edited);
        self.edited.max(calendar.unwrap_or(self.created))
    }

    fn refresh(&mut self, series: &SeriesView, name: &str, occurrence: &Occurrence) -> Result<(), Stop> {
        let Some(call) = self.calls.get(name) else { return Ok(()) };
        let wanted = child_object(series, series.read_spec().unwrap(), name, occurrence);
        let untouched = call.status.start_time.is_none();
        let Some(next) = refreshed_child(&call.object, &wanted).filter(|_| untouched) else { return Ok(()) };
        self.write()?;
        self.calls.get_mut(name).unwrap().replace(next, self.now);
        Ok(())
    }

    fn record(
        &mut self,
        series: &SeriesView,
        revision: &str,
        decision: Option<&SeriesDecision>,
        errors: &[FieldError],
        children: &[Child],
    ) -> Result<(), Stop> {
        let outcome = SeriesOutcome { decision, revision, errors, children };
        if let Some(status) = series_status(series, &self.status, &outcome, self.now) {
            self.write()?;
            self.status = status;
        }
        Ok(())
    }

    fn delete(&mut self, name: &str) -> Result<(), Stop> {
        self.write()?;
        let gone = self.calls.remove(name).unwrap();
        let open = gone.status.attempts.iter().any(crate::api::Attempt::is_open);
        assert!(!open, "deleted while it rings: {name}");
        Ok(())
    }

    fn write(&mut self) -> Result<(), Stop> {
        match &mut self.writes_left {
            Some(0) => return Err(Stop::Crashed),
            Some(left) => *left -= 1,
            None => {}
        }
        self.writes += 1;
        Ok(())
    }

    /// One pass over a call; gives when to look again.
    pub fn pass_over_call(&mut self, name: &str) -> Option<Timestamp> {
        if self.unseen.contains(name) || !self.calls.contains_key(name) {
            return None;
        }
        let stored = &self.calls[name];
        if stored.view.metadata.generation == stored.status.observed_generation
            && stored.status.state.as_ref().unwrap().is_finished()
        {
            return None;
        }
        loop {
            let call = self.view_of(name);
            let defaults = self.defaults.clone();
            let facts = self.call_facts(&call, &defaults);
            let decision = decide_call(&facts, self.now);
            match &decision {
                Decision::Confirm => {
                    let before = self.confirmed.insert(call.uid().to_owned(), self.now);
                    assert_ne!(before, Some(self.now), "confirmed in vain");
                    continue;
                }
                Decision::Dial(order) => return self.dial(name, &call, order),
                Decision::Wait { until, .. } | Decision::Reject { until, .. } => {
                    self.store(name, status_for(&call, &decision, self.now));
                    return *until;
                }
                Decision::Miss { .. }
                | Decision::Cancel { .. }
                | Decision::GiveUp { .. }
                | Decision::InProgress { .. }
                | Decision::Remove
                | Decision::Done { .. } => {
                    self.store(name, status_for(&call, &decision, self.now));
                    return None;
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn store(&mut self, name: &str, status: Option<ScheduledCallStatus>) {
        if let Some(status) = status
            && self.write().is_ok()
        {
            self.calls.get_mut(name).unwrap().status = status;
        }
    }

    fn dial(&mut self, name: &str, call: &CallView, order: &DialOrder) -> Option<Timestamp> {
        let token = format!("token-{}", self.writes);
        let claim = ClaimText {
            key: attempt_key(call.uid(), order.attempt),
            token: token.clone(),
            holder: "holder".to_owned(),
            dialer_revision: "revision".to_owned(),
        };
        if self.writes_left.is_some_and(|left| left < 2) {
            // A crash between claim and record is the business of other tests.
            self.writes_left = Some(0);
            return None;
        }
        let claimed = claimed_status(call, order, claim, self.now).unwrap();
        assert!(claimed.attempts.last().unwrap().not_after >= self.now);
        self.store(name, Some(claimed));
        let open = self.view_of(name);
        let defaults = self.defaults.clone();
        may_still_send(&self.call_facts(&open, &defaults), &token, self.now).expect("just decided");
        let mark = call.series.as_ref().unwrap();
        let answer = self.answers.pop_front().unwrap_or_else(placed);
        if matches!(answer, AttemptResult::Placed { .. }) {
            self.rung.push(Ring {
                nominal: mark.nominal.unwrap(),
                effective: order.plan.effective,
                number: mark.occurrence.unwrap(),
                at: self.now,
            });
        }
        let again = self.now + SignedDuration::from_secs(1);
        let facts = self.call_facts(&open, &defaults);
        let terms = Terms::of(&open, &defaults, &facts.calendar);
        let claim = ClaimMark { number: order.attempt, token };
        let status = fold_result(&open, &terms, &claim, &answer, again, self.now).unwrap();
        let next = status.next_run_time;
        self.store(name, Some(status));
        next
    }

    pub fn call_facts<'a>(&'a self, call: &'a CallView, defaults: &'a Defaults) -> CallFacts<'a> {
        let name = "default".to_owned();
        let why = "Dialer \"default\" is suspended".to_owned();
        let dialer = if self.dialer_held { DialerState::Held { why } } else { DialerState::Ready { name } };
        let named = call.spec.read().and_then(|spec| HoursFields::of_call(spec).calendar_name());
        CallFacts {
            dialer,
            calendar: if named.is_some() { self.calendar_state() } else { CalendarState::NotNamed },
            parent: self.parent_of(call),
            confirmed_at: self.confirmed.get(call.uid()).copied(),
            ..super::test_support::facts(call, defaults)
        }
    }

    fn parent_of(&self, call: &CallView) -> Parent {
        let plan = match self.plan() {
            Ok(plan) => plan,
            Err(errors) => return Parent::Broken(errors[0].to_string()),
        };
        let others = self.calls.keys().map(|name| self.view_of(name));
        let siblings = others.filter(|other| other.uid() != call.uid() && !other.is_finished());
        Parent::Known(Box::new(ParentFacts {
            plan,
            edited_at: Some(self.edited),
            listed: self.status.active.iter().any(|listed| listed.uid == call.uid()),
            siblings: siblings.filter_map(|other| Sibling::of(&other)).collect(),
        }))
    }
}
