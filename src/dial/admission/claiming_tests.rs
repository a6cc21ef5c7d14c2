//! Who is claimed ahead, and what becomes of claims that wait, in paused time.

use super::*;
use crate::clock::Monotonic;
use crate::decide::{AttemptResult, CallEnd};
use crate::dial::{Answer, Health};
use jiff::SignedDuration;
use std::pin::Pin;
use tokio::time::{advance, timeout};

const AT_ONCE: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(2);

fn begun() -> Timestamp {
    "2026-11-02T10:00:00Z".parse().unwrap()
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

type Waits<T> = Pin<Box<dyn Future<Output = T>>>;

/// A Dialer that carries two calls at a time, and claims that land after 10 ms.
struct Bench {
    clock: Clock,
    admission: Admission,
    limits: Limits,
}

impl Bench {
    fn new(longest_lead: Duration) -> Self {
        Self::of(Ahead::new(longest_lead, false))
    }

    fn of(ahead: Ahead) -> Self {
        let clock = Clock::paused(begun());
        let limits = Limits { max_concurrent: 2, spacing: None, held_to_the_end: false };
        Self { clock, admission: Admission::new(clock, ahead), limits }
    }

    fn key() -> LineKey {
        ("n".to_owned(), "d".to_owned())
    }

    /// So many milliseconds after the beginning.
    fn at(milliseconds: i64) -> Timestamp {
        begun() + SignedDuration::from_millis(milliseconds)
    }

    fn now(&self) -> i128 {
        self.clock.now().duration_since(begun()).as_millis()
    }

    fn join_as(&self, priority: Priority, due: i64) -> Waits<Option<Turn>> {
        Box::pin(self.admission.join(&Self::key(), self.limits, priority, Self::at(due)).turn())
    }

    fn join(&self, due: i64) -> Waits<Option<Turn>> {
        self.join_as(Priority::Medium, due)
    }

    fn permit(&self, turn: Turn, due: i64) -> Waits<Option<Result<Permit, String>>> {
        Box::pin(turn.permit_between(Self::at(due), self.in_ten_seconds()))
    }

    fn in_ten_seconds(&self) -> Monotonic {
        self.clock.monotonic().after(Duration::from_secs(10))
    }

    /// Claims that take ten milliseconds and dialers that answer in `hold`, often enough to be known.
    async fn gain_experience(&self, hold: Duration) {
        for _ in 0..100 {
            let turn = given(self.join(0)).await;
            advance(ms(10)).await;
            let permit = self.permit(turn, 0).await.unwrap().unwrap();
            advance(hold).await;
            drop(permit);
        }
    }

    /// How many of these have their turn by now.
    async fn turns(waiting: Vec<Waits<Option<Turn>>>) -> Vec<Turn> {
        let mut turns = Vec::new();
        for call in waiting {
            if let Ok(turn) = timeout(AT_ONCE, call).await {
                turns.push(turn.unwrap());
            }
        }
        turns
    }
}

async fn given(waiting: Waits<Option<Turn>>) -> Turn {
    timeout(AT_ONCE, waiting).await.expect("its turn, at once").unwrap()
}

fn refused() -> Answer {
    let why = "connection refused".to_owned();
    Answer { result: AttemptResult::Unsent { why: why.clone() }, health: Health::Unreachable(why) }
}

fn answered() -> Answer {
    let result = AttemptResult::Placed { call_id: None, end: CallEnd::NotReported };
    Answer { result, health: Health::Answered }
}

#[tokio::test(start_paused = true)]
async fn a_call_is_claimed_before_it_is_due_and_sent_when_it_is() {
    let bench = Bench::new(LONGEST);
    let turn = bench.join(5_000).await.unwrap();
    assert_eq!(bench.now(), 4_750, "nothing is known of claims yet");
    let mut permit = bench.permit(turn, 5_000);
    assert!(timeout(ms(249), &mut permit).await.is_err(), "it is not due");
    permit.await.unwrap().unwrap();
    assert_eq!(bench.now(), 5_000);
}

#[tokio::test(start_paused = true)]
async fn without_a_lead_the_turn_comes_when_the_call_is_due() {
    let bench = Bench::new(Duration::ZERO);
    bench.join(5_000).await.unwrap();
    assert_eq!(bench.now(), 5_000);
    // And no more of them than there are places.
    let turns = Bench::turns((0..5).map(|_| bench.join(0)).collect()).await;
    assert_eq!(turns.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn no_more_is_claimed_than_the_dialer_can_take_in_the_longest_lead() {
    let bench = Bench::new(LONGEST);
    bench.gain_experience(ms(1_000)).await;
    let now = i64::try_from(bench.now()).unwrap();
    // Two places, and each is free again twice in two seconds.
    let turns = Bench::turns((0..20).map(|_| bench.join(now)).collect()).await;
    assert_eq!(turns.len(), 6);
    let mut permits: Vec<_> = turns.into_iter().map(|turn| bench.permit(turn, now)).collect();
    let mut granted = Vec::new();
    for permit in &mut permits {
        if let Ok(permit) = timeout(AT_ONCE, permit).await {
            granted.push(permit.unwrap().unwrap());
        }
    }
    assert_eq!(granted.len(), 2, "never more at a time than it carries");
    let next = bench.join(now);
    drop(granted.pop());
    // Its place goes to a claimed call, and another may be claimed.
    given(next).await;
    for waits in permits.iter_mut().skip(2).take(1) {
        timeout(AT_ONCE, waits).await.expect("a place").unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn for_an_unknown_dialer_fewer_are_claimed_where_a_crash_would_leave_them_in_doubt() {
    for (remembered, most) in [(false, 2 + 2 * 8), (true, 2 + 2 * 100)] {
        let bench = Bench::of(Ahead::new(LONGEST, remembered));
        let mut claimed = Vec::new();
        while let Ok(turn) = timeout(AT_ONCE, bench.join(0)).await {
            let mut permit = bench.permit(turn.unwrap(), 100);
            // Its claim is stored at once, and waits.
            assert!(futures::poll!(&mut permit).is_pending());
            claimed.push(permit);
        }
        assert_eq!(claimed.len(), most);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_more_is_claimed_for_a_dialer_that_answers_nobody() {
    let bench = Bench::new(LONGEST);
    bench.gain_experience(ms(10)).await;
    let now = i64::try_from(bench.now()).unwrap();
    let mut hang = Vec::new();
    for _ in 0..2 {
        let turn = given(bench.join(now)).await;
        hang.push(bench.permit(turn, now).await.unwrap().unwrap());
    }
    // For all that is known, each place is free again in a moment.
    drop(given(bench.join(now)).await);
    advance(ms(5_000)).await;
    assert_eq!(Bench::turns(vec![bench.join(now)]).await.len(), 0);
    let next = bench.join(now);
    hang.pop();
    given(next).await;
}

#[tokio::test(start_paused = true)]
async fn where_a_call_holds_its_place_to_its_end_only_free_places_are_claimed_for() {
    let mut bench = Bench::new(LONGEST);
    bench.limits.held_to_the_end = true;
    let turns = Bench::turns((0..5).map(|_| bench.join(0)).collect()).await;
    assert_eq!(turns.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn of_those_that_are_due_the_urgent_go_first_and_nobody_waits_for_one_that_is_not() {
    let mut bench = Bench::new(LONGEST);
    bench.limits.max_concurrent = 1;
    let calls = [
        ("medium", Priority::Medium, 1_000),
        ("high", Priority::High, 1_000),
        ("high, later", Priority::High, 1_100),
        ("low", Priority::Low, 1_000),
    ];
    let mut permits = Vec::new();
    for (name, priority, due) in calls {
        let turn = bench.join_as(priority, due).await.unwrap();
        permits.push((name, bench.permit(turn, due)));
    }
    let mut order = Vec::new();
    while !permits.is_empty() {
        let (granted, index, _) =
            futures::future::select_all(permits.iter_mut().map(|(_, permit)| permit)).await;
        order.push((permits.remove(index).0, bench.now()));
        advance(ms(60)).await;
        drop(granted.unwrap().unwrap());
    }
    let expected = [("high", 1_000), ("medium", 1_060), ("high, later", 1_120), ("low", 1_180)];
    assert_eq!(order, expected);
}

#[tokio::test(start_paused = true)]
async fn trouble_ends_the_waiting_of_claimed_calls_but_for_the_one_that_tries() {
    let bench = Bench::new(LONGEST);
    let turns = Bench::turns((0..8).map(|_| bench.join(0)).collect()).await;
    let mut turns = turns.into_iter();
    for _ in 0..5 {
        let permit = bench.permit(turns.next().unwrap(), 0).await;
        permit.unwrap().unwrap().report(&refused());
    }
    let withheld = bench.permit(turns.next().unwrap(), 0).await.unwrap();
    assert_eq!(withheld.unwrap_err(), "the Dialer is in trouble: connection refused");
    let mut next = bench.join(0);
    assert!(timeout(ms(4_900), &mut next).await.is_err(), "nobody is claimed meanwhile");
    let tries = timeout(ms(200), next).await.expect("after five seconds one tries").unwrap();
    let change = bench.permit(tries, 0).await.unwrap().unwrap().report(&answered());
    assert_eq!(change, Some(Change::Closed));
    bench.permit(turns.next().unwrap(), 0).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_expires_in_line_makes_room_and_the_next_goes() {
    let mut bench = Bench::new(LONGEST);
    bench.limits.max_concurrent = 1;
    let turn = given(bench.join(0)).await;
    let holds = bench.permit(turn, 0).await.unwrap().unwrap();
    let turn = given(bench.join(0)).await;
    assert!(bench.permit(turn, 0).await.is_none(), "no place before it expires");
    assert_eq!(bench.now() / 100, 100);
    let next = bench.join(0);
    drop(holds);
    let turn = given(next).await;
    bench.permit(turn, 0).await.unwrap().unwrap();
}
