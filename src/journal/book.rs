//! What a journal says, in memory. Bounded: what is forgotten raises the instant since which everything is known.

use super::line::{FORMAT, Line};
use crate::api::{Attempt, CallView, ScheduledCall};
use crate::decide::{AttemptResult, RecentClaim, SetBack, callee_digest, callee_of};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, VecDeque};

/// How long a send is remembered; after that its call's deadline has usually passed.
const REMEMBER: SignedDuration = SignedDuration::from_hours(24);

/// Most sends that are remembered.
const MOST: usize = 100_000;

/// One request that is about to leave. The order of the fields is that of the line: up to the token they must be
/// readable in a line that was cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SendMark {
    /// The object.
    pub uid: String,
    /// Number of the attempt.
    pub number: i32,
    /// The claim.
    pub token: String,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed: Option<Timestamp>,
    /// Hash of whom it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callee: Option<String>,
    /// The time of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective: Option<Timestamp>,
}

impl SendMark {
    /// What is to be written before the request of this attempt leaves: `call` is the object as it was stored with the
    /// claim.
    pub fn of_claim(call: &ScheduledCall, attempt: &Attempt) -> Self {
        Self {
            uid: call.metadata.uid.clone().unwrap_or_default(),
            callee: Some(callee_of(&call.metadata, &call.spec.phone_number)),
            effective: call.status.as_ref().and_then(|status| status.effective_time),
            ..Self::bare(attempt)
        }
    }

    /// What is to be written before this claim of somebody else is taken over: `attempt` as it will be then.
    pub fn of_orphan(call: &CallView, attempt: &Attempt) -> Self {
        Self {
            uid: call.uid().to_owned(),
            callee: callee_digest(call),
            effective: call.status.read().and_then(|status| status.effective_time),
            ..Self::bare(attempt)
        }
    }

    fn bare(attempt: &Attempt) -> Self {
        Self {
            uid: String::new(),
            number: attempt.number,
            token: attempt.token.clone(),
            claimed: Some(attempt.claim_time),
            callee: None,
            effective: None,
        }
    }
}

/// What is known of a claim.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// Its request did not leave.
    NotSent,
    /// Its request may have left, and nobody has read an answer.
    Sent,
    /// What became of it.
    Answered(AttemptResult),
    /// Too long ago to know.
    Forgotten,
}

/// What was seen of the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreMark {
    /// The highest version, since it was last set back.
    pub highest: u64,
    /// When it was last seen, by the API server's clock.
    pub last_good: Option<Timestamp>,
    /// The last time that it was set back.
    pub set_back: Option<SetBack>,
}

impl StoreMark {
    /// It was seen in this version.
    pub fn note(&mut self, version: u64, time: Timestamp) {
        self.highest = self.highest.max(version);
        self.last_good = self.last_good.max(Some(time));
    }

    /// It was set back to this version.
    pub fn note_set_back(&mut self, set_back: SetBack, version: u64) {
        *self = Self { highest: version, last_good: self.last_good, set_back: Some(set_back) };
    }
}

/// All sends that are remembered.
#[derive(Debug)]
pub struct Book {
    calls: HashMap<String, Vec<Entry>>,
    /// By age.
    order: VecDeque<(Timestamp, String)>,
    /// Every send of a claim made since then is known.
    since: Timestamp,
    /// What was seen of the store.
    pub store: StoreMark,
}

#[derive(Clone, Debug)]
struct Entry {
    mark: SendMark,
    result: Option<Box<AttemptResult>>,
}

impl Default for Book {
    fn default() -> Self {
        Self {
            calls: HashMap::new(),
            order: VecDeque::new(),
            since: Timestamp::MIN,
            store: StoreMark::default(),
        }
    }
}

impl Book {
    /// A book that knows of every send since then.
    pub fn since(since: Timestamp) -> Self {
        Self { since, ..Self::default() }
    }

    /// How many sends it holds.
    pub fn len(&self) -> usize {
        self.calls.values().map(Vec::len).sum()
    }

    /// Takes in a line of a file.
    pub fn take_in(&mut self, line: Line) {
        match line {
            Line::Begin { .. } => {}
            Line::Sent(mark) => self.enter(mark),
            Line::Answered { uid, token, result } => {
                self.answer(&uid, &token, &result);
            }
            Line::Seen { version, time } => self.store.note(version, time),
            Line::SetBack { set_back, version } => self.store.note_set_back(set_back, version),
        }
    }

    /// Enters a send, and forgets what is too old or too much. A line that was cut may not say when its claim was made:
    /// such a send is not forgotten.
    pub fn enter(&mut self, mark: SendMark) {
        let entries = self.calls.entry(mark.uid.clone()).or_default();
        if entries.iter().any(|entry| entry.mark.token == mark.token) {
            return;
        }
        let (uid, claimed) = (mark.uid.clone(), mark.claimed);
        entries.push(Entry { mark, result: None });
        let Some(claimed) = claimed else { return };
        self.order.push_back((claimed, uid));
        let is_old = |first: &Timestamp| claimed.duration_since(*first) > REMEMBER;
        while self.order.len() > MOST || self.order.front().is_some_and(|(first, _)| is_old(first)) {
            let Some((first, uid)) = self.order.pop_front() else { break };
            self.forget(first, &uid);
        }
    }

    fn forget(&mut self, claimed: Timestamp, uid: &str) {
        let next = claimed.saturating_add(SignedDuration::from_nanos(1)).unwrap_or(claimed);
        self.since = self.since.max(next);
        if let Some(entries) = self.calls.get_mut(uid) {
            entries.retain(|entry| entry.mark.claimed.is_none_or(|own| own > claimed));
            if entries.is_empty() {
                self.calls.remove(uid);
            }
        }
    }

    /// Notes what became of a send; `false` when there is none.
    pub fn answer(&mut self, uid: &str, token: &str, result: &AttemptResult) -> bool {
        let Some(entries) = self.calls.get_mut(uid) else { return false };
        let Some(index) = entries.iter().position(|entry| entry.mark.token == token) else { return false };
        if matches!(result, AttemptResult::Unsent { .. }) {
            entries.remove(index);
        } else {
            entries[index].result = Some(Box::new(result.clone()));
        }
        if entries.is_empty() {
            self.calls.remove(uid);
        }
        true
    }

    /// What is known of the claim made at `claimed` under this token.
    pub fn fate(&self, uid: &str, token: &str, claimed: Timestamp) -> Fate {
        let mut entries = self.calls.get(uid).into_iter().flatten();
        match entries.find(|entry| entry.mark.token == token) {
            Some(Entry { result: Some(result), .. }) => Fate::Answered((**result).clone()),
            Some(Entry { result: None, .. }) => Fate::Sent,
            None if claimed >= self.since => Fate::NotSent,
            None => Fate::Forgotten,
        }
    }

    /// Highest number of an attempt at this object.
    pub fn highest_sent(&self, uid: &str) -> Option<i32> {
        self.calls.get(uid)?.iter().map(|entry| entry.mark.number).max()
    }

    /// The calls that were or may have been placed.
    pub fn recent(&self) -> Vec<RecentClaim> {
        let entries = self.calls.values().flatten();
        entries.filter(|entry| entry.may_have_rung()).filter_map(|entry| entry.mark.recent()).collect()
    }

    /// The lines of a file that says all this.
    pub fn lines(&self, holder: &str, boot: &str) -> Vec<Line> {
        let (holder, boot) = (holder.to_owned(), boot.to_owned());
        let mut lines = vec![Line::Begin { format: FORMAT, holder, boot, since: self.since }];
        let StoreMark { highest, last_good, set_back } = self.store;
        lines.extend(set_back.map(|set_back| Line::SetBack { set_back, version: highest }));
        lines.extend(last_good.map(|time| Line::Seen { version: highest, time }));
        let mut entries: Vec<&Entry> = self.calls.values().flatten().collect();
        entries.sort_by_key(|entry| entry.mark.claimed);
        for Entry { mark, result } in entries {
            lines.push(Line::Sent(mark.clone()));
            let (uid, token) = (mark.uid.clone(), mark.token.clone());
            lines.extend(result.clone().map(|result| Line::Answered { uid, token, result }));
        }
        lines
    }
}

impl Entry {
    fn may_have_rung(&self) -> bool {
        !matches!(self.result.as_deref(), Some(AttemptResult::NotPlaced { .. }))
    }
}

impl SendMark {
    fn recent(&self) -> Option<RecentClaim> {
        let (callee, effective) = (self.callee.clone()?, self.effective?);
        Some(RecentClaim { uid: self.uid.clone(), callee, effective, open_until: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::CallEnd;

    pub(super) fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_793_613_600 + second).unwrap()
    }

    fn mark(uid: &str, number: i32, token: &str, second: i64) -> SendMark {
        SendMark {
            uid: uid.to_owned(),
            number,
            token: token.to_owned(),
            claimed: Some(at(second)),
            callee: Some("c".to_owned()),
            effective: Some(at(second)),
        }
    }

    fn placed() -> AttemptResult {
        AttemptResult::Placed { call_id: Some("CA1".to_owned()), end: CallEnd::NotReported }
    }

    #[test]
    fn a_claim_is_unsent_sent_or_answered() {
        let mut book = Book::default();
        assert_eq!(book.fate("u", "t", at(0)), Fate::NotSent);
        assert!(!book.answer("u", "t", &placed()), "nothing was sent");
        book.enter(mark("u", 1, "t", 0));
        book.enter(mark("u", 1, "t", 0));
        assert_eq!(book.len(), 1, "a token stands there once");
        assert_eq!((book.fate("u", "t", at(0)), book.highest_sent("u")), (Fate::Sent, Some(1)));
        assert_eq!(book.fate("u", "other", at(0)), Fate::NotSent);
        assert!(book.answer("u", "t", &placed()));
        assert_eq!(book.fate("u", "t", at(0)), Fate::Answered(placed()));
        book.enter(mark("u", 2, "t2", 1));
        assert!(book.answer("u", "t2", &AttemptResult::Unsent { why: String::new() }));
        assert_eq!((book.fate("u", "t2", at(1)), book.highest_sent("u")), (Fate::NotSent, Some(1)));
    }

    #[test]
    fn what_is_forgotten_is_not_taken_for_unsent() {
        let mut book = Book::default();
        book.enter(mark("old", 1, "t", 0));
        book.enter(mark("new", 1, "t", 86_400));
        assert_eq!(book.fate("old", "t", at(0)), Fate::Sent);
        book.enter(mark("newer", 1, "t", 86_401));
        assert_eq!(book.fate("old", "t", at(0)), Fate::Forgotten);
        assert_eq!(book.fate("unused", "t", at(0)), Fate::Forgotten, "nobody knows any more");
        assert_eq!(book.fate("unused", "t", at(1)), Fate::NotSent);
        for index in 0..i32::try_from(MOST).unwrap() {
            book.enter(mark(&format!("u{index}"), 1, "t", 86_402));
        }
        assert_eq!(book.len(), MOST);
        assert_eq!(book.fate("newer", "t", at(86_401)), Fate::Forgotten);
    }

    #[test]
    fn the_lines_of_a_book_make_the_same_book() {
        let mut book = Book::default();
        book.enter(mark("a", 1, "t1", 0));
        book.enter(mark("b", 1, "t2", 90_000));
        book.enter(mark("b", 2, "t3", 90_001));
        book.answer("b", "t2", &placed());
        book.store.note(100, at(10));
        book.store.note_set_back(SetBack { last_good: at(10), noticed: at(20) }, 50);
        book.store.note(60, at(30));
        let lines = book.lines("h", "b");
        let Line::Begin { since, .. } = lines[0] else { panic!("{lines:?}") };
        let mut again = Book::since(since);
        lines.into_iter().for_each(|line| again.take_in(line));
        assert_eq!(again.lines("h", "b"), book.lines("h", "b"));
        assert_eq!(again.store, book.store);
        assert_eq!(again.fate("a", "t1", at(0)), Fate::Forgotten);
        assert_eq!(again.fate("b", "t2", at(90_000)), Fate::Answered(placed()));
        assert_eq!(again.recent().len(), 2);
    }
}
