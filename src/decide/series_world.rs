//! A small world for tests: one series, its calendar and its calls, what people do to them, and time.
//!
//! Time stands still while the operator works and jumps to where its decisions ask it to look again. A process that
//! crashes is one that may write only so many times more.

use super::test_support::{defaults, nov};
use super::*;
use crate::api::{CallState, CallView, RecurringCallStatus, ScheduledCallStatus, SeriesView};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// The passes over everything that it may take until nothing changes any more.
const MOST_ROUNDS: usize = 30;

/// A call as the API server holds it.
#[derive(Clone, Debug)]
pub(super) struct StoredCall {
    /// Metadata and spec.
    pub object: Value,
    pub status: ScheduledCallStatus,
    pub edited: Timestamp,
    /// The object as the operator remembers it, but for status and edit.
    pub view: CallView,
}

impl StoredCall {
    pub fn new(object: Value, created: Timestamp) -> Self {
        let status = ScheduledCallStatus {
            observed_generation: Some(-1),
            state: Some(CallState::Pending),
            ..ScheduledCallStatus::default()
        };
        Self { view: view_of(&object), object, status, edited: created }
    }

    /// Replaces metadata and spec; another spec is another generation.
    pub fn replace(&mut self, mut object: Value, now: Timestamp) {
        if object["spec"] != self.object["spec"] {
            let generation = self.object["metadata"]["generation"].as_i64().unwrap();
            object["metadata"]["generation"] = json!(generation + 1);
        }
        self.view = view_of(&object);
        self.object = object;
        self.edited = whole_second(now);
    }
}

fn view_of(object: &Value) -> CallView {
    let mut view: CallView = serde_json::from_value(object.clone()).unwrap();
    view.trim();
    view
}

/// The phone has rung.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ring {
    pub nominal: Timestamp,
    pub effective: Timestamp,
    pub number: i64,
    pub at: Timestamp,
}

/// Everything there is.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub now: Timestamp,
    pub defaults: Defaults,
    pub spec: Value,
    pub generation: i64,
    pub created: Timestamp,
    pub edited: Timestamp,
    pub status: RecurringCallStatus,
    /// Spec and last edit of the calendar named `hours`.
    pub calendar: Option<(Value, Timestamp)>,
    pub calls: BTreeMap<String, StoredCall>,
    /// The cache shows what was made only after the next time that all has become quiet.
    pub lags: bool,
    pub unseen: BTreeSet<String>,
    /// Names that belong to somebody else.
    pub foreign: BTreeSet<String>,
    pub dialer_held: bool,
    /// What the dialer answers next; then it places every call.
    pub answers: VecDeque<AttemptResult>,
    pub rung: Vec<Ring>,
    /// Numbers and nominal times of the calls made, in that order.
    pub made: Vec<(i64, Timestamp)>,
    /// Writes before the process dies.
    pub writes_left: Option<usize>,
    pub writes: usize,
    pub uids: usize,
    /// When the series and siblings of a call were last read live.
    pub confirmed: BTreeMap<String, Timestamp>,
    /// What was read last: of which spec, calendar and opening by default.
    planned: RefCell<Option<Page>>,
}

type Page = (Value, Option<Value>, String, Reading);

/// Revision and plan of a series.
type Reading = (String, Result<Arc<SeriesPlan>, Vec<FieldError>>);

impl World {
    /// A series created at `created`, which the operator has not seen yet.
    pub fn new(created: &str, spec: Value) -> Self {
        let created: Timestamp = created.parse().unwrap();
        Self {
            now: created,
            defaults: Defaults { time_zone: "UTC".to_owned(), ..defaults() },
            spec,
            generation: 1,
            created,
            edited: created,
            status: serde_json::from_value(json!({"observedGeneration": -1})).unwrap(),
            calendar: None,
            calls: BTreeMap::new(),
            lags: false,
            unseen: BTreeSet::new(),
            foreign: BTreeSet::new(),
            dialer_held: false,
            answers: VecDeque::new(),
            rung: Vec::new(),
            made: Vec::new(),
            writes_left: None,
            writes: 0,
            uids: 0,
            confirmed: BTreeMap::new(),
            planned: RefCell::default(),
        }
    }

    /// The same with a calendar.
    pub fn with_calendar(mut self, spec: Value) -> Self {
        self.calendar = Some((spec, self.created));
        self
    }

    // --- what people do ---

    /// Sets fields of the series' spec now; null removes one.
    pub fn edit(&mut self, fields: Value) {
        merge(&mut self.spec, &fields);
        self.generation += 1;
        self.edited = whole_second(self.now);
    }

    /// Sets fields of the template's spec now.
    pub fn edit_template(&mut self, fields: Value) {
        self.edit(json!({"callTemplate": {"spec": fields}}));
    }

    pub fn edit_calendar(&mut self, spec: Value) {
        self.calendar = Some((spec, whole_second(self.now)));
    }

    /// Sets fields of the spec of one call.
    pub fn edit_call(&mut self, name: &str, fields: Value) {
        let call = self.calls.get_mut(name).unwrap();
        let mut object = call.object.clone();
        merge(&mut object["spec"], &fields);
        call.replace(object, self.now);
    }

    /// Deletes a call.
    pub fn delete_by_hand(&mut self, name: &str) {
        self.calls.remove(name).unwrap();
    }

    /// Deletes a call and creates it again as it was written, as `kubectl replace --force` does.
    pub fn recreate(&mut self, name: &str) {
        self.uids += 1;
        let created = whole_second(self.now);
        let mut object = self.calls[name].object.clone();
        object["metadata"]["uid"] = json!(format!("uid-{}", self.uids));
        object["metadata"]["creationTimestamp"] = json!(created.to_string());
        object["metadata"]["generation"] = json!(1);
        self.calls.insert(name.to_owned(), StoredCall::new(object, created));
    }

    // --- time ---

    /// The operator works until this instant, and at it.
    pub fn run_until(&mut self, until: &str) {
        self.run_to(until.parse().unwrap());
    }

    pub fn run_to(&mut self, until: Timestamp) {
        loop {
            let wake = self.settle();
            match wake {
                Some(wake) if wake <= until => self.now = wake,
                _ => break,
            }
        }
        self.now = until;
        self.settle();
    }

    /// The operator is away until this instant.
    pub fn sleep_until(&mut self, until: &str) {
        self.now = until.parse().unwrap();
    }

    /// Looks at everything until nothing changes; gives when to look again.
    pub fn settle(&mut self) -> Option<Timestamp> {
        let mut arriving = self.unseen.clone();
        for _ in 0..MOST_ROUNDS {
            let before = self.writes;
            let mut wakes = vec![self.pass_over_series()];
            let names: Vec<String> = self.calls.keys().cloned().collect();
            for name in names {
                wakes.push(self.pass_over_call(&name));
            }
            let quiet = self.writes == before || self.is_dead();
            if quiet && !arriving.is_empty() {
                self.unseen.retain(|name| !arriving.contains(name));
                arriving.clear();
            } else if quiet {
                let soon = (!self.unseen.is_empty()).then(|| self.now + SignedDuration::from_secs(1));
                wakes.push(soon);
                return wakes.into_iter().flatten().filter(|wake| *wake > self.now).min();
            }
        }
        panic!("writes without end at {}: {:#?}", self.now, self.status);
    }

    /// A new process, after one that died.
    pub fn restart(&mut self) {
        self.writes_left = None;
        self.confirmed.clear();
        self.unseen.clear();
    }

    pub fn is_dead(&self) -> bool {
        self.writes_left == Some(0)
    }

    // --- views ---

    pub fn series(&self) -> SeriesView {
        let object = json!({
            "metadata": {
                "namespace": "n", "name": "daily", "uid": "series-uid", "resourceVersion": "1",
                "generation": self.generation, "creationTimestamp": self.created.to_string(),
            },
            "spec": self.spec,
            "status": self.status,
        });
        let mut view: SeriesView = serde_json::from_value(object).unwrap();
        view.edited_at = Some(self.edited);
        assert!(view.read_spec().is_ok(), "{:?}", view.read_spec());
        view
    }

    pub fn calendar_state(&self) -> CalendarState {
        let series = self.series();
        let fields = HoursFields::of_template(&series.read_spec().unwrap().call_template.spec);
        if fields.calendar_name().is_none() {
            return CalendarState::NotNamed;
        }
        let Some((spec, edited)) = &self.calendar else { return CalendarState::Missing };
        let spec = serde_json::from_value(spec.clone()).unwrap();
        CalendarState::Ready(CalendarPlan {
            hours: plan_calendar(&spec).unwrap().into(),
            revision: calendar_revision(&spec),
            edited_at: Some(*edited),
        })
    }

    pub fn plan(&self) -> Result<Arc<SeriesPlan>, Vec<FieldError>> {
        self.reading().1
    }

    pub fn revision(&self) -> String {
        self.reading().0
    }

    fn reading(&self) -> Reading {
        let calendar = self.calendar.as_ref().map(|(spec, _)| spec);
        let mut planned = self.planned.borrow_mut();
        let known = planned.as_ref().filter(|(spec, hours, start, _)| {
            *spec == self.spec && hours.as_ref() == calendar && *start == self.defaults.hours.start
        });
        if let Some((.., reading)) = known {
            return reading.clone();
        }
        let (series, hours) = (self.series(), self.calendar_state());
        let spec = series.read_spec().unwrap();
        let plan = plan_series(spec, self.created, &self.defaults, &hours).map(Arc::new);
        let reading = (schedule_revision(spec, &self.defaults, &hours), plan);
        let start = self.defaults.hours.start.clone();
        *planned = Some((self.spec.clone(), calendar.cloned(), start, reading.clone()));
        reading
    }

    pub fn view_of(&self, name: &str) -> CallView {
        let call = &self.calls[name];
        let mut view = call.view.clone();
        view.status = crate::api::Readable::Read(call.status.clone());
        view.edited_at = Some(call.edited);
        view
    }

    /// The calls as `controller::children` shows them to a pass.
    pub fn children(&self, plan: Option<&SeriesPlan>) -> Vec<Child> {
        let names = self.calls.keys().filter(|name| !self.unseen.contains(*name));
        names.filter_map(|name| Child::of(&self.view_of(name), plan)).collect()
    }

    pub fn facts<'a>(
        &'a self,
        series: &'a SeriesView,
        revision: &'a str,
        children: Vec<Child>,
    ) -> SeriesFacts<'a> {
        SeriesFacts {
            series,
            status: &self.status,
            revision,
            edited_at: SeriesFacts::last_edit(series, &self.calendar_state()),
            created_at: series.created_at(),
            children,
        }
    }

    /// Names of the calls that wait for a time ahead, the soonest first.
    pub fn ahead(&self) -> Vec<String> {
        let plan = self.plan().ok();
        let mut waiting = self.children(plan.as_deref());
        waiting.retain(|child| !child.finished && child.due > self.now);
        waiting.sort_by_key(|child| child.due);
        waiting.into_iter().map(|child| child.name).collect()
    }

    /// The name of the one call that waits for a time ahead.
    pub fn next_call(&self) -> String {
        let ahead = self.ahead();
        assert_eq!(ahead.len(), 1, "at {}: {ahead:?}", self.now);
        ahead[0].clone()
    }

    pub fn spec_of(&self, name: &str) -> &Value {
        &self.calls[name].object["spec"]
    }

    pub fn number_of(&self, name: &str) -> i64 {
        self.view_of(name).series.unwrap().occurrence.unwrap()
    }

    /// Reason of the series' Ready condition.
    pub fn reason(&self) -> &str {
        self.status.conditions.iter().find(|condition| condition.type_ == "Ready").unwrap().reason.as_str()
    }

    /// The name of the call with this nominal day and time.
    pub fn shown_name(&self, nominal: &str) -> String {
        self.calls.keys().find(|name| self.shown_call(name).starts_with(nominal)).unwrap().clone()
    }

    /// Nominal time, state and reason of every call that is there, in their order.
    pub fn shown(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.calls.keys().map(|name| self.shown_call(name)).collect();
        lines.sort();
        lines
    }

    fn shown_call(&self, name: &str) -> String {
        let view = self.view_of(name);
        let nominal = view.series.as_ref().unwrap().nominal.unwrap();
        let status = view.status.read().unwrap();
        let state = status.state.as_ref().map_or("", |state| state.as_str());
        let reason = status.failure_reason.as_deref().unwrap_or_default();
        format!("{} {state} {reason}", nominal.strftime("%d %H:%M")).trim_end().to_owned()
    }

    /// "day and time of the ring (number)", of every ring.
    pub fn rings(&self) -> Vec<String> {
        self.rung.iter().map(|ring| format!("{} #{}", ring.at.strftime("%d %H:%M"), ring.number)).collect()
    }
}

/// JSON merge patch.
fn merge(target: &mut Value, patch: &Value) {
    let Some(fields) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in fields {
        match value {
            Value::Null => {
                target.as_object_mut().unwrap().remove(key);
            }
            value => merge(&mut target[key], value),
        }
    }
}

/// The API server notes edits to the second.
pub(super) fn whole_second(instant: Timestamp) -> Timestamp {
    Timestamp::from_second(instant.as_second()).unwrap()
}

/// A series that the operator has seen at its creation.
pub(super) fn begun(created: &str, spec: Value) -> World {
    let mut world = World::new(&nov(created), spec);
    world.settle();
    world
}
