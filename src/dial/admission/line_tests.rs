//! Who goes when, in paused time.

use super::*;
use crate::api::Priority;
use crate::clock::Monotonic;
use crate::decide::{AttemptResult, CallEnd};
use crate::dial::{Answer, Health};
use jiff::Timestamp;
use std::pin::Pin;
use tokio::time::{advance, timeout};

const AT_ONCE: Duration = Duration::from_millis(1);

fn key() -> LineKey {
    ("n".to_owned(), "d".to_owned())
}

/// Long ago, later by so many seconds: whoever is due then is due.
fn then(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

fn limits(max_concurrent: usize, spacing: Option<u64>) -> Limits {
    Limits { max_concurrent, spacing: spacing.map(Duration::from_secs), held_to_the_end: false }
}

fn never() -> Monotonic {
    Clock::default().monotonic().after(Duration::from_secs(1_000_000))
}

fn refused() -> Health {
    Health::Unreachable("connection refused".to_owned())
}

/// The answer that fits: only one that the provider has given may have rung.
fn answer(health: &Health) -> Answer {
    let result = match health {
        Health::Answered => AttemptResult::Placed { call_id: None, end: CallEnd::NotReported },
        _ => AttemptResult::Unsent { why: "no".to_owned() },
    };
    Answer { result, health: health.clone() }
}

/// A call in line.
type Waiting = Pin<Box<dyn Future<Output = Option<Turn>>>>;

struct Bench {
    admission: Admission,
    limits: Limits,
    joined: i64,
}

impl Bench {
    fn new(limits: Limits) -> Self {
        Self {
            admission: Admission::new(Clock::default(), Ahead::new(Duration::ZERO, false)),
            limits,
            joined: 0,
        }
    }

    fn join_as(&self, priority: Priority, due: Timestamp) -> Waiting {
        Box::pin(self.admission.join(&key(), self.limits, priority, due).turn())
    }

    fn join(&mut self) -> Waiting {
        self.joined += 1;
        self.join_as(Priority::Medium, then(self.joined))
    }

    /// The turn of the next call to join, which it must get at once.
    async fn turn(&mut self) -> Turn {
        let mut waiting = self.join();
        given(&mut waiting).await
    }

    /// One call that goes at once and meets this.
    async fn dial(&mut self, health: &Health) -> Option<Change> {
        let mut permit = started(self.turn().await).await;
        permit.report(&answer(health))
    }

    async fn open_the_breaker(&mut self) {
        for _ in 0..4 {
            assert_eq!(self.dial(&refused()).await, None);
        }
        assert!(matches!(self.dial(&refused()).await, Some(Change::Opened(_))));
    }

    fn set(&mut self, limits: Limits) {
        self.limits = limits;
        self.admission.set_limits(&key(), limits);
    }
}

/// The permit for a claim that is stored at once and never expires.
async fn started(turn: Turn) -> Permit {
    turn.permit_between(then(0), never()).await.expect("before it expires").expect("no trouble")
}

async fn given(waiting: &mut Waiting) -> Turn {
    timeout(AT_ONCE, waiting).await.expect("its turn, at once").unwrap()
}

async fn waits(waiting: &mut Waiting, time: Duration) {
    assert!(timeout(time, waiting).await.is_err(), "it may not go yet");
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn no_more_at_a_time_than_allowed_and_a_dropped_turn_goes_to_the_next() {
    let mut bench = Bench::new(limits(2, None));
    let first = bench.turn().await;
    let second = bench.turn().await;
    let mut third = bench.join();
    waits(&mut third, AT_ONCE).await;
    assert_eq!(bench.admission.obstacle(&key()), Obstacle::Full);
    drop(first);
    given(&mut third).await;
    drop(second);
    assert_eq!(bench.admission.obstacle(&key()), Obstacle::None);
}

#[tokio::test(start_paused = true)]
async fn the_urgent_go_first() {
    let mut bench = Bench::new(limits(1, None));
    let mut turn = bench.turn().await;
    let ranks = [
        ("low", Priority::Low, 0),
        ("medium", Priority::Medium, 1),
        ("high", Priority::High, 2),
        ("high, five minutes later", Priority::High, 302),
    ];
    let join = |(name, priority, due)| (name, bench.join_as(priority, then(due)));
    let mut tickets: Vec<_> = ranks.into_iter().map(join).collect();
    let mut order = Vec::new();
    while !tickets.is_empty() {
        drop(turn);
        let mut granted = None;
        for (index, (_, ticket)) in tickets.iter_mut().enumerate() {
            if let Ok(turn) = timeout(AT_ONCE, ticket).await {
                granted = Some((index, turn.unwrap()));
                break;
            }
        }
        let (index, next) = granted.expect("somebody's turn");
        order.push(tickets.remove(index).0);
        turn = next;
    }
    assert_eq!(order, ["high", "medium", "high, five minutes later", "low"]);
}

/// A Dialer that carries one call at a time, each for ten seconds, and a stream of urgent calls that it cannot keep up
/// with: two of them every ten seconds, for ever.
#[tokio::test(start_paused = true)]
async fn a_low_call_gets_its_turn_in_a_steady_stream_of_high_ones() {
    let mut bench = Bench::new(limits(1, None));
    let mut turn = bench.turn().await;
    let mut low = bench.join_as(Priority::Low, then(0));
    let mut stream = Vec::new();
    for round in 0..200 {
        let due = round * 10;
        stream.push(bench.join_as(Priority::High, then(due)));
        stream.push(bench.join_as(Priority::High, then(due)));
        advance(seconds(10)).await;
        drop(turn);
        if timeout(AT_ONCE, &mut low).await.is_ok() {
            // Those that were due less than ten minutes after it went first, at one every ten seconds.
            assert!((100..=125).contains(&round), "after {round} rounds");
            return;
        }
        let next = stream.remove(0).await;
        turn = next.unwrap();
    }
    panic!("it starves");
}

#[tokio::test(start_paused = true)]
async fn calls_in_progress_hold_places_each_one_however_often_it_is_said() {
    let mut bench = Bench::new(limits(2, None));
    bench.admission.occupy(&key(), "a");
    bench.admission.occupy(&key(), "a");
    let first = bench.turn().await;
    let mut second = bench.join();
    waits(&mut second, AT_ONCE).await;
    // Handed over: it is in progress before its turn ends.
    bench.admission.occupy(&key(), "b");
    drop(first);
    waits(&mut second, AT_ONCE).await;
    bench.admission.vacate("nobody");
    waits(&mut second, AT_ONCE).await;
    bench.admission.vacate("a");
    bench.admission.vacate("a");
    let held = given(&mut second).await;
    let mut third = bench.join();
    waits(&mut third, AT_ONCE).await;
    bench.admission.vacate("b");
    given(&mut third).await;
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn the_pace_is_kept_and_not_used_up_by_those_who_leave() {
    let mut bench = Bench::new(limits(10, Some(10)));
    bench.dial(&Health::Answered).await;
    let left = bench.join();
    let mut second = bench.join();
    drop(left);
    assert_eq!(bench.admission.obstacle(&key()), Obstacle::Pace);
    waits(&mut second, Duration::from_millis(9_900)).await;
    let turn = timeout(Duration::from_millis(200), &mut second).await.unwrap().unwrap();
    // Not used: the next need not wait for it.
    drop(turn);
    drop(bench.turn().await);
    // Nor does one that was given a permit and not sent.
    let mut permit = started(bench.turn().await).await;
    permit.report(&answer(&Health::NotAsked));
    drop(permit);
    bench.dial(&Health::Answered).await;
    let mut next = bench.join();
    waits(&mut next, Duration::from_millis(9_900)).await;
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_goes_unused_does_not_let_the_next_start_too_soon_after_the_one_before() {
    let mut bench = Bench::new(limits(10, Some(10)));
    let slow = bench.turn().await;
    // Its claim takes nine seconds.
    advance(seconds(9)).await;
    let _slow = started(slow).await;
    advance(seconds(1)).await;
    drop(bench.turn().await);
    let quick = bench.turn().await;
    let start = Clock::default().monotonic();
    let _quick = started(quick).await;
    let waited = Clock::default().monotonic().since(start);
    assert!(waited >= Duration::from_millis(8_900), "it waited for {waited:?}");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_the_pace_longer_than_the_claim_lives() {
    let mut bench = Bench::new(limits(10, None));
    let turns = [bench.turn().await, bench.turn().await];
    bench.set(limits(10, Some(60)));
    let [first, second] = turns;
    let _first = started(first).await;
    let now = Clock::default().monotonic();
    assert!(second.permit_between(then(0), now.after(seconds(10))).await.is_none());
    assert_eq!(Clock::default().monotonic().since(now).as_secs(), 10);
    // The pace is that of the first: fifty seconds are left.
    let mut next = bench.join();
    waits(&mut next, seconds(49)).await;
    assert!(timeout(seconds(2), &mut next).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_may_have_rung_counts_whatever_is_known_of_the_provider() {
    let mut bench = Bench::new(limits(10, Some(10)));
    let mut permit = started(bench.turn().await).await;
    let broken = AttemptResult::Ambiguous { why: "the connection broke".to_owned() };
    assert_eq!(permit.report(&Answer { result: broken, health: Health::NotAsked }), None);
    drop(permit);
    let mut next = bench.join();
    waits(&mut next, Duration::from_millis(9_900)).await;
}

/// As on the resume of a suspended Dialer: all calls come at once, and none had a turn for long.
#[tokio::test(start_paused = true)]
async fn a_resume_does_not_begin_with_a_burst() {
    let mut bench = Bench::new(limits(10, Some(10)));
    bench.dial(&Health::Answered).await;
    advance(seconds(3600)).await;
    let mut waiting: Vec<_> = (0..4).map(|_| bench.join()).collect();
    let mut starts = Vec::new();
    for call in &mut waiting {
        let turn = timeout(seconds(11), call).await.unwrap().unwrap();
        started(turn).await.report(&answer(&Health::Answered));
        starts.push(Clock::default().monotonic());
    }
    for pair in starts.windows(2) {
        assert!(pair[1].since(pair[0]) >= seconds(10), "{starts:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn new_limits_hold_at_once_and_count_what_went_before() {
    let mut bench = Bench::new(limits(1, None));
    let first = bench.turn().await;
    let mut second = bench.join();
    waits(&mut second, AT_ONCE).await;
    bench.set(limits(2, None));
    let turn = given(&mut second).await;
    started(turn).await.report(&answer(&Health::Answered));
    drop(first);
    // A pace that is set later counts from the call before.
    bench.set(limits(2, Some(60)));
    let mut third = bench.join();
    waits(&mut third, seconds(50)).await;
    // A faster one does not wait for the alarm of the slower.
    bench.set(limits(2, Some(52)));
    waits(&mut third, seconds(1)).await;
    timeout(seconds(2), &mut third).await.expect("after 52 seconds").unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_start_seen_elsewhere_counts() {
    let mut bench = Bench::new(limits(10, Some(10)));
    // The clock of the runtime has just begun.
    advance(seconds(100)).await;
    bench.admission.note_start(&key(), seconds(4));
    let mut first = bench.join();
    waits(&mut first, Duration::from_millis(5_900)).await;
    timeout(Duration::from_millis(200), &mut first).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn while_the_breaker_is_open_nobody_has_a_turn_and_then_one_call_tries() {
    let mut bench = Bench::new(limits(10, None));
    bench.open_the_breaker().await;
    let (mut first, mut second) = (bench.join(), bench.join());
    assert!(matches!(bench.admission.obstacle(&key()), Obstacle::Trouble(_)));
    waits(&mut first, Duration::from_millis(4_900)).await;
    let turn = timeout(Duration::from_millis(200), &mut first).await.expect("the first tries").unwrap();
    waits(&mut second, seconds(30)).await;
    let mut permit = started(turn).await;
    assert_eq!(permit.report(&answer(&Health::Answered)), Some(Change::Closed));
    // Before the permit is even dropped: there are places.
    given(&mut second).await;
    assert_eq!(bench.admission.trouble(&key()), None);
}

#[tokio::test(start_paused = true)]
async fn a_failed_try_holds_the_line_for_twice_as_long() {
    let mut bench = Bench::new(limits(10, None));
    bench.open_the_breaker().await;
    let mut tries = bench.join();
    let turn = timeout(seconds(6), &mut tries).await.unwrap().unwrap();
    let change = started(turn).await.report(&answer(&refused()));
    assert!(matches!(change, Some(Change::StillOpen(_))));
    let mut next = bench.join();
    waits(&mut next, Duration::from_millis(9_900)).await;
    timeout(Duration::from_millis(200), &mut next).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_try_that_comes_to_nothing_is_the_next_ones_at_once() {
    let mut bench = Bench::new(limits(10, None));
    bench.open_the_breaker().await;
    let (mut first, mut second, mut third) = (bench.join(), bench.join(), bench.join());
    let turn = timeout(seconds(6), &mut first).await.unwrap().unwrap();
    drop(turn);
    let mut withdrawn = started(given(&mut second).await).await;
    waits(&mut third, seconds(1)).await;
    assert_eq!(withdrawn.report(&answer(&Health::NotAsked)), None);
    drop(withdrawn);
    let mut permit = started(given(&mut third).await).await;
    assert_eq!(permit.report(&answer(&Health::Answered)), Some(Change::Closed));
}

#[tokio::test(start_paused = true)]
async fn an_edited_dialer_is_tried_at_once_and_one_made_anew_is_as_good_as_any() {
    let mut bench = Bench::new(limits(10, None));
    bench.open_the_breaker().await;
    let (mut first, mut second) = (bench.join(), bench.join());
    waits(&mut first, AT_ONCE).await;
    bench.admission.try_again(&key());
    let turn = given(&mut first).await;
    waits(&mut second, AT_ONCE).await;
    bench.admission.forget_trouble(&key());
    given(&mut second).await;
    drop(turn);
    assert_eq!(bench.admission.trouble(&key()), None);
}

#[tokio::test(start_paused = true)]
async fn the_try_waits_for_a_place_and_for_the_pace_like_any_call() {
    let mut bench = Bench::new(limits(1, Some(8)));
    for _ in 0..5 {
        let mut call = bench.join();
        let turn = timeout(seconds(9), &mut call).await.unwrap().unwrap();
        started(turn).await.report(&answer(&refused()));
    }
    bench.admission.occupy(&key(), "in progress");
    let mut tries = bench.join();
    waits(&mut tries, seconds(20)).await;
    bench.admission.vacate("in progress");
    let turn = given(&mut tries).await;
    started(turn).await.report(&answer(&Health::Answered));
    let mut next = bench.join();
    waits(&mut next, Duration::from_millis(7_900)).await;
}
