//! Notice: what each watched event means beyond its own object, noted before that object is reconciled.
//!
//! Keeps the process's own memory in step with the caches, and wakes the objects that depend on the one that changed.
//!
//! A new list shows deletions only by what is missing, and that is known at its end: then all objects of its kind are
//! looked at again.

use super::context::Scope;
use super::{calendars, dialers, places};
use crate::api::{CalendarView, CallView, DialerView, SeriesView};
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher::Event;
use std::sync::Arc;

/// A call: its claims are remembered, its series and siblings are told.
pub fn notice_call(scope: Arc<Scope>) -> impl FnMut(&Event<CallView>) + Send + 'static {
    let mut lists = 0_u64;
    move |event| match event {
        Event::Apply(call) | Event::InitApply(call) => {
            scope.families.note(call);
            // An event from before our own claim must not make it forgotten.
            if !scope.context.newest.is_ahead_of(call) {
                scope.context.recent.note(call, scope.context.clock.now());
                places::note(&scope, call);
            }
            tell_family(&scope, call);
        }
        Event::Delete(call) => {
            scope.families.forget(call);
            scope.context.flights.withdraw(call.uid());
            scope.context.following.nudge(call.uid());
            scope.context.newest.forget(call.uid());
            scope.context.holds.clear(call.uid());
            scope.context.confirmed.forget(call.uid());
            scope.outlook.forget(call.uid());
            places::vacate(&scope, call.uid());
            tell_family(&scope, call);
        }
        Event::Init => lists += 1,
        Event::InitDone => {
            scope.listed.calls.cancel();
            if lists > 1 {
                places::forget_the_missing(&scope);
                scope.outlook.keep_only(&scope.calls.state());
                dialers::wake_all_calls(&scope);
                wake_all_series(&scope);
            }
        }
    }
}

/// The series makes the next call, or counts this one as ended; a sibling may have waited for that.
fn tell_family(scope: &Scope, call: &CallView) {
    let Some(mark) = &call.series else { return };
    scope.wake_series(call.namespace(), &mark.name);
    if call.is_finished() {
        scope.context.confirmed.forget(call.uid());
        scope.wake_siblings(call);
    }
}

/// A Dialer that is deleted is not reconciled: its calls are told here, and all calls after a new list, which shows
/// deletions only by what is missing. From the first list on calls may be decided.
pub fn notice_dialer(scope: Arc<Scope>) -> impl FnMut(&Event<DialerView>) + Send + 'static {
    move |event| match event {
        Event::Delete(dialer) => {
            scope.context.dialer_book.forget(dialer);
            scope.context.verdicts.forget(&dialers::key(dialer));
            scope.context.admission.forget_trouble(&dialers::key(dialer));
            dialers::wake_calls_of(&scope, dialer);
        }
        Event::InitDone if scope.listed.dialers.is_cancelled() => {
            wake_all_dialers(&scope);
            dialers::wake_all_calls(&scope);
        }
        Event::InitDone => scope.listed.dialers.cancel(),
        Event::Init | Event::InitApply(_) | Event::Apply(_) => {}
    }
}

/// A calendar: the calls and series that use it are planned anew at once.
pub fn notice_calendar(scope: Arc<Scope>) -> impl FnMut(&Event<CalendarView>) + Send + 'static {
    let mut known = std::collections::HashMap::new();
    move |event| match event {
        Event::Apply(calendar) | Event::InitApply(calendar) => {
            // Its own status changes at every opening and closing, and concerns nobody.
            let version = calendar.metadata.generation;
            if known.insert(calendar.uid().to_owned(), version) != Some(version) {
                calendars::wake_users(&scope, calendar);
            }
        }
        Event::Delete(calendar) => {
            known.remove(calendar.uid());
            scope.context.calendar_book.forget(calendar);
            calendars::wake_users(&scope, calendar);
        }
        Event::InitDone if scope.listed.calendars.is_cancelled() => {
            wake_all_calendars(&scope);
            dialers::wake_all_calls(&scope);
            wake_all_series(&scope);
        }
        Event::InitDone => scope.listed.calendars.cancel(),
        Event::Init => {}
    }
}

/// A series: its calls may be held, vouched for, or on their own from now on.
pub fn notice_series(scope: Arc<Scope>) -> impl FnMut(&Event<SeriesView>) + Send + 'static {
    move |event| match event {
        Event::Apply(series) | Event::InitApply(series) => wake_children(&scope, series),
        Event::Delete(series) => {
            scope.context.series_book.forget(series);
            scope.context.newest_series.forget(series.uid());
            wake_children(&scope, series);
        }
        Event::InitDone if scope.listed.series.is_cancelled() => {
            wake_all_series(&scope);
            dialers::wake_all_calls(&scope);
        }
        Event::InitDone => scope.listed.series.cancel(),
        Event::Init => {}
    }
}

/// Once this replica leads, what it has only looked at so far is acted on; never ends.
pub async fn wake_all_when_leading(scope: &Scope) {
    scope.context.leadership.begins().await;
    wake_all_dialers(scope);
    wake_all_calendars(scope);
    wake_all_series(scope);
    dialers::wake_all_calls(scope);
    std::future::pending().await
}

fn wake_children(scope: &Scope, series: &SeriesView) {
    let family = scope.family(series.uid());
    family.iter().filter(|call| !call.is_finished()).for_each(|call| scope.wake(call));
}

fn wake_all_series(scope: &Scope) {
    scope.series.state().iter().for_each(|series| scope.wake_series(series.namespace(), series.name()));
}

fn wake_all_dialers(scope: &Scope) {
    for dialer in scope.dialers.state() {
        // Fails only when the controller has ended, and then nobody needs waking.
        scope.wake_dialer.send(ObjectRef::from_obj(&*dialer)).ok();
    }
}

fn wake_all_calendars(scope: &Scope) {
    for calendar in scope.calendars.state() {
        scope.wake_calendar.send(ObjectRef::from_obj(&*calendar)).ok();
    }
}
