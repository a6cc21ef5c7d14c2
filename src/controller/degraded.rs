//! Degraded: what this process has to say of a Dialer's trouble.
//!
//! Two replicas may run side by side, each with a breaker of its own. Promise: each changes the condition `Degraded` only
//! when its own breaker changes, or at its first look at a Dialer; at all other times it keeps what is stored. So they
//! never write against each other.

use super::context::Scope;
use super::script::line_of;
use crate::api::{CallView, ConditionText, DEGRADED, DialerStatus, DialerView, Truth};
use crate::dial::{Change, LineKey, Trouble, TroubleKind};
use kube::ResourceExt;
use kube::runtime::events::EventType;
use kube::runtime::reflector::ObjectRef;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is yet to be said, by Dialer.
#[derive(Debug, Default)]
pub struct Verdicts(Mutex<HashMap<LineKey, Page>>);

#[derive(Debug)]
struct Page {
    uid: String,
    unsaid: Option<Verdict>,
}

/// What a breaker says of its Dialer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Calls go.
    Fine,
    /// Calls wait.
    InTrouble(Trouble),
}

impl Verdict {
    fn of(trouble: Option<Trouble>) -> Self {
        trouble.map_or(Self::Fine, Self::InTrouble)
    }
}

impl Verdicts {
    /// What is yet to be said of this Dialer; at the first look, how its breaker stands.
    pub fn unsaid(&self, key: &LineKey, dialer: &DialerView, trouble: Option<Trouble>) -> Option<Verdict> {
        let uid = dialer.uid().unwrap_or_default();
        let mut pages = self.lock();
        let known = pages.get(key).filter(|page| page.uid == uid);
        if let Some(page) = known {
            return page.unsaid.clone();
        }
        let unsaid = Some(Verdict::of(trouble));
        pages.insert(key.clone(), Page { uid, unsaid: unsaid.clone() });
        unsaid
    }

    /// The status says so now; a newer verdict is still to be said.
    pub fn said(&self, key: &LineKey, verdict: &Option<Verdict>) {
        if let Some(page) = self.lock().get_mut(key).filter(|page| page.unsaid == *verdict) {
            page.unsaid = None;
        }
    }

    /// Whether anything is yet to be said.
    pub fn is_pending(&self, key: &LineKey) -> bool {
        self.lock().get(key).is_some_and(|page| page.unsaid.is_some())
    }

    /// Forgets a Dialer that is gone.
    pub fn forget(&self, key: &LineKey) {
        self.lock().remove(key);
    }

    /// Before the first look there is nothing to note: that will see how the breaker stands.
    fn note(&self, key: &LineKey, verdict: Verdict) {
        if let Some(page) = self.lock().get_mut(key) {
            page.unsaid = Some(verdict);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<LineKey, Page>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answer to this call has changed the breaker of its Dialer: its status is to say so, and an event.
pub fn note_change(scope: &Scope, call: &CallView, change: Change) {
    let context = &scope.context;
    let line = line_of(call);
    let dialer = scope.dialers.get(&ObjectRef::<DialerView>::new(&line.1).within(&line.0));
    let (verdict, event) = match change {
        Change::Opened(trouble) => {
            let event = (EventType::Warning, trouble.kind.as_str(), message(&trouble));
            (Verdict::InTrouble(trouble), Some(event))
        }
        Change::StillOpen(trouble) => (Verdict::InTrouble(trouble), None),
        Change::Closed => {
            let said = "the provider answered: calls are placed again".to_owned();
            (Verdict::Fine, Some((EventType::Normal, "Recovered", said)))
        }
    };
    context.verdicts.note(&line, verdict);
    if let (Some(dialer), Some((type_, reason, said))) = (dialer, event) {
        context.events.about_dialer(&dialer, type_, reason, said);
    }
    scope.traffic.hurry(&line);
}

/// The condition to write: what is to be said, or what is stored. A trouble of the same kind is not said again.
pub fn condition(stored: &DialerStatus, unsaid: Option<&Verdict>) -> Option<ConditionText> {
    let stored = stored.conditions.iter().find(|condition| condition.type_ == DEGRADED);
    let stored = stored.filter(|condition| condition.status == Truth::True.as_str());
    let kept =
        stored.map(|condition| ConditionText::holds(DEGRADED, &condition.reason, condition.message.as_str()));
    match unsaid {
        None => kept,
        Some(Verdict::Fine) => None,
        Some(Verdict::InTrouble(trouble)) => {
            let reason = trouble.kind.as_str();
            let same = kept.filter(|kept| kept.reason == reason);
            same.or_else(|| Some(ConditionText::holds(DEGRADED, reason, message(trouble))))
        }
    }
}

/// The trouble as a clause of a sentence.
pub fn clause(trouble: &Trouble) -> String {
    let what = match trouble.kind {
        TroubleKind::Unreachable => "the provider cannot be reached",
        TroubleKind::AuthFailed => "the provider does not accept the credentials",
    };
    format!("{what} ({})", trouble.why)
}

fn message(trouble: &Trouble) -> String {
    format!("{}; calls wait, and one at a time tries again, after 5 seconds up to a minute", clause(trouble))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn dialer(uid: &str) -> DialerView {
        serde_json::from_value(json!({"metadata": {"namespace": "n", "name": "d", "uid": uid}})).unwrap()
    }

    fn key() -> LineKey {
        ("n".to_owned(), "d".to_owned())
    }

    fn trouble(why: &str) -> Trouble {
        Trouble { kind: TroubleKind::Unreachable, why: why.to_owned() }
    }

    /// The status that says so.
    fn stored(text: Option<ConditionText>) -> DialerStatus {
        let conditions = text.map(|text| {
            json!({"type": text.type_, "status": text.status.as_str(), "reason": text.reason,
                "message": text.message, "lastTransitionTime": "2026-11-02T10:00:00Z"})
        });
        serde_json::from_value(json!({"conditions": conditions.into_iter().collect::<Vec<_>>()})).unwrap()
    }

    #[test]
    fn what_another_replica_has_written_is_kept_until_our_own_breaker_changes() {
        let verdicts = Verdicts::default();
        let said_by_other =
            stored(condition(&DialerStatus::default(), Some(&Verdict::InTrouble(trouble("a")))));
        // The first look of a new process ends what one that died has left behind.
        let first = verdicts.unsaid(&key(), &dialer("u"), None);
        assert_eq!(first, Some(Verdict::Fine));
        assert_eq!(condition(&said_by_other, first.as_ref()), None);
        verdicts.said(&key(), &first);
        let later = verdicts.unsaid(&key(), &dialer("u"), None);
        assert_eq!(later, None);
        assert_eq!(condition(&said_by_other, None).unwrap().reason, "Unreachable");
        verdicts.note(&key(), Verdict::Fine);
        assert!(verdicts.is_pending(&key()));
        let own = verdicts.unsaid(&key(), &dialer("u"), None);
        assert_eq!(condition(&said_by_other, own.as_ref()), None);
    }

    #[test]
    fn the_same_trouble_is_not_said_again_and_another_is() {
        let first = condition(&DialerStatus::default(), Some(&Verdict::InTrouble(trouble("a"))));
        let status = stored(first.clone());
        assert_eq!(condition(&status, Some(&Verdict::InTrouble(trouble("b")))), first);
        let auth = Trouble { kind: TroubleKind::AuthFailed, why: "HTTP 401".to_owned() };
        assert_eq!(condition(&status, Some(&Verdict::InTrouble(auth))).unwrap().reason, "AuthFailed");
    }

    #[test]
    fn what_came_up_while_the_last_was_written_is_still_said() {
        let verdicts = Verdicts::default();
        let first = verdicts.unsaid(&key(), &dialer("u"), Some(trouble("a")));
        verdicts.note(&key(), Verdict::Fine);
        verdicts.said(&key(), &first);
        assert_eq!(verdicts.unsaid(&key(), &dialer("u"), None), Some(Verdict::Fine));
        let anew = verdicts.unsaid(&key(), &dialer("v"), None);
        assert_eq!(anew, Some(Verdict::Fine), "a Dialer made anew is looked at as for the first time");
    }
}
