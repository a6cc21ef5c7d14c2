//! Tables for what follows from the end of an attempt: rules, redialling the unknown, calls in progress, late truth.

use super::test_support::*;
use super::*;
use crate::api::{CallView, Outcome};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

fn ended(outcome: Outcome) -> AttemptResult {
    AttemptResult::Placed { call_id: Some("CA1".to_owned()), end: CallEnd::Known(outcome) }
}

fn awaited() -> AttemptResult {
    AttemptResult::Placed { call_id: Some("CA1".to_owned()), end: CallEnd::Awaited }
}

fn report(end: CallEnd, sequence: Option<i64>) -> Report {
    Report { call_id: Some("CA1".to_owned()), end, sequence }
}

/// The call after one more attempt, made when it is due, with this result at once.
fn tried(call: CallView, result: &AttemptResult) -> CallView {
    let now = status(&call).next_run_time.unwrap_or(at(DUE));
    let token = format!("t{}", status(&call).attempts.len());
    recorded(claimed(call, &token, now), &token, result, now)
}

/// The call after a report about its first attempt.
fn told(call: &CallView, report: &Report, now: Timestamp) -> Option<CallView> {
    let next = fold_report(call, &terms(call), 1, report, now)?;
    Some(stored(call.clone(), next))
}

/// Whole seconds from the end of the last attempt to the next.
fn wait(call: &CallView) -> i64 {
    let next = status(call).next_run_time.expect("another attempt");
    next.duration_since(last_attempt(call).end_time.unwrap()).as_secs()
}

fn with_rules(rules: Value) -> CallView {
    call(json!({"retryPolicy": {"maxAttempts": 10, "rules": rules}}))
}

#[test]
fn without_rules_an_outcome_is_final_and_only_a_person_is_a_success() {
    let cases = [
        (Outcome::Accepted, "Completed Completed"),
        (Outcome::Answered, "Completed Completed"),
        (Outcome::Machine, "Failed Machine"),
        (Outcome::Busy, "Failed Busy"),
        (Outcome::NoAnswer, "Failed NoAnswer"),
        (Outcome::Rejected, "Failed Rejected"),
        (Outcome::InvalidNumber, "Failed InvalidNumber"),
        (Outcome::Blocked, "Failed Blocked"),
        (Outcome::Cancelled, "Failed Cancelled"),
        // The phone may have rung: only a rule dials again.
        (Outcome::TransientError, "Failed TransientError"),
        (Outcome::Unknown, "Failed OutcomeUnknown"),
        (Outcome::Other("Newer".to_owned()), "Failed Newer"),
    ];
    for (outcome, expected) in cases {
        assert_eq!(standing(&tried(call(json!({})), &ended(outcome.clone()))), expected, "{outcome}");
    }
}

#[test]
fn a_rule_decides_before_anything_else() {
    let rule = |outcome: &str, action: &str| with_rules(json!([{"outcomes": [outcome], "action": action}]));
    assert_eq!(
        standing(&tried(rule("Machine", "Complete"), &ended(Outcome::Machine))),
        "Completed Completed"
    );
    assert_eq!(standing(&tried(rule("Busy", "Retry"), &ended(Outcome::Busy))), "Pending Retrying");
    assert_eq!(standing(&tried(rule("RateLimited", "Fail"), &busy())), "Failed RateLimited");
    assert_eq!(standing(&tried(rule("Rejected", "Retry"), &refused())), "Pending Retrying");
    assert_eq!(standing(&tried(rule("Unknown", "Retry"), &lost())), "Pending Retrying");
    assert_eq!(standing(&tried(rule("Unknown", "Complete"), &lost())), "Completed Completed");
    let both = json!([
        {"outcomes": ["Busy", "NoAnswer"], "action": "Fail"},
        {"outcomes": ["Busy"], "action": "Retry"},
    ]);
    assert_eq!(standing(&tried(with_rules(both), &ended(Outcome::Busy))), "Failed Busy", "the first rule");
}

#[test]
fn a_rule_has_its_own_delays_and_its_own_number_of_attempts() {
    let rules = json!([
        {"outcomes": ["Busy"], "action": "Retry", "delaySeconds": [300, 900], "maxAttempts": 4},
        {"outcomes": ["NoAnswer"], "action": "Retry", "delaySeconds": [7200], "maxAttempts": 2},
    ]);
    let mut call = with_rules(rules);
    // The count of one rule is not that of another.
    for (outcome, expected) in
        [(Outcome::Busy, 300), (Outcome::NoAnswer, 7200), (Outcome::Busy, 900), (Outcome::Busy, 900)]
    {
        call = tried(call, &ended(outcome.clone()));
        assert_eq!(wait(&call), expected, "{outcome}");
    }
    assert_eq!(standing(&tried(call.clone(), &ended(Outcome::NoAnswer))), "Failed NoAnswer");
    assert_eq!(standing(&tried(call, &ended(Outcome::Busy))), "Failed Busy");
}

#[test]
fn the_policy_bounds_its_rules_and_the_dialer_may_ask_for_more_patience() {
    let rules = json!([{"outcomes": ["Busy", "RateLimited"], "action": "Retry", "delaySeconds": [60]}]);
    let call = call(json!({"retryPolicy": {"maxAttempts": 2, "rules": rules}}));
    let first = tried(call.clone(), &ended(Outcome::Busy));
    assert_eq!(standing(&tried(first, &ended(Outcome::Busy))), "Failed Busy");
    let later = AttemptResult::NotPlaced {
        kind: NotPlaced::Transient,
        outcome: Outcome::RateLimited,
        why: "slow down".to_owned(),
        retry_after: Some(SignedDuration::from_secs(100)),
    };
    assert_eq!(wait(&tried(call, &later)), 100);
}

#[test]
fn what_is_unknown_is_dialled_again_only_where_the_policy_says_so() {
    let redial = || call(json!({"retryPolicy": {"onUnknown": "Redial", "maxAttempts": 2}}));
    assert_eq!(standing(&tried(call(json!({})), &lost())), "Failed OutcomeUnknown");
    let first = tried(redial(), &lost());
    assert_eq!(standing(&first), "Pending Retrying");
    assert_eq!(word(&decided(&first, status(&first).next_run_time.unwrap())), "dial 2");
    let second = tried(first, &lost());
    assert_eq!(standing(&second), "Failed OutcomeUnknown");
    assert_eq!(status(&second).attempt_count, Some(2), "each counts");
    // An orphan as well; but not what the dialer took and never reported, nor what a restored store has forgotten.
    let settled = |doubt| {
        let open = claimed(redial(), "t", at(DUE));
        let next = resolved_unknown(&open, &terms(&open), 1, doubt, due_plus(100_000)).unwrap();
        standing(&stored(open.clone(), next))
    };
    assert_eq!(settled(Doubt::NoResult), "Pending Retrying");
    assert_eq!(settled(Doubt::NoEnd), "Failed OutcomeUnknown");
    assert_eq!(settled(Doubt::RolledBack), "Failed OutcomeUnknown");
}

#[test]
fn a_placed_call_is_in_progress_until_its_end_is_reported_or_awaited_no_longer() {
    let going = tried(call(json!({})), &awaited());
    assert_eq!(standing(&going), "Processing InProgress");
    assert!(last_attempt(&going).is_in_progress());
    assert_eq!((status(&going).call_id.as_deref(), &status(&going).outcome), (Some("CA1"), &None));
    assert_eq!(word(&decided(&going, due_plus(3_599_000))), "in progress 1");
    assert_eq!(word(&decided(&going, due_plus(3_600_000))), "resolve 1 Unknown(NoEnd)");
    let done = told(&going, &report(CallEnd::Known(Outcome::Answered), None), due_plus(60_000)).unwrap();
    assert_eq!(standing(&done), "Completed Completed");
    assert_eq!(last_attempt(&done).end_time, Some(due_plus(60_000)));
    assert_eq!(status(&done).outcome, Some(Outcome::Answered));
}

#[test]
fn a_call_that_the_dialer_took_and_forgot_is_never_dialled_again() {
    let rules = json!([{"outcomes": ["Unknown"], "action": "Retry"}]);
    let policy = json!({"retryPolicy": {"onUnknown": "Redial", "rules": rules}});
    let forgotten = tried(call(policy), &ended(Outcome::Unknown));
    assert_eq!(standing(&forgotten), "Failed OutcomeUnknown");
}

#[test]
fn a_cancelled_call_in_progress_is_ended_and_its_outcome_stands() {
    let cancelled = |outcome: Outcome| {
        let mut going = tried(call(json!({"retryPolicy": {"onUnknown": "Redial"}})), &awaited());
        going.spec = call(json!({"cancel": true})).spec;
        let decision = decided(&going, due_plus(1000));
        assert!(matches!(decision, Decision::InProgress { ending: Ending::TooLate, .. }), "{decision:?}");
        let said = status_for(&going, &decision, due_plus(1000)).unwrap();
        assert!(said.message.as_ref().unwrap().contains("too late"), "{said:?}");
        assert_eq!(status_for(&stored(going.clone(), said), &decision, due_plus(1100)), None);
        told(&going, &report(CallEnd::Known(outcome), None), due_plus(2000)).unwrap()
    };
    assert_eq!(standing(&cancelled(Outcome::Cancelled)), "Cancelled Cancelled");
    assert_eq!(standing(&cancelled(Outcome::NoAnswer)), "Failed NoAnswer");
    assert_eq!(standing(&cancelled(Outcome::Answered)), "Completed Completed");
    assert!(status(&cancelled(Outcome::Answered)).message.as_ref().unwrap().contains("too late"));
}

#[test]
fn a_report_that_overtakes_the_answer_proves_that_the_call_was_placed() {
    let open = || claimed(call(json!({})), "t", at(DUE));
    let ringing = told(&open(), &report(CallEnd::Awaited, None), due_plus(10)).unwrap();
    assert_eq!(standing(&ringing), "Processing InProgress");
    // Whatever the answer to the request says then, or does not.
    for result in [lost(), busy(), refused(), unsent()] {
        let folded =
            fold_result(&ringing, &terms(&ringing), &mark(&ringing, "t"), &result, at(DUE), due_plus(20));
        assert!(folded.is_none(), "{result:?}");
    }
    let over = told(&open(), &report(CallEnd::Known(Outcome::Busy), None), due_plus(10)).unwrap();
    assert_eq!(standing(&over), "Failed Busy");
    let answered = fold_result(&over, &terms(&over), &mark(&over, "t"), &awaited(), at(DUE), due_plus(20));
    assert!(answered.is_none(), "already known");
}

#[test]
fn a_report_repeated_or_out_of_order_changes_nothing_unless_it_is_numbered_and_later() {
    let end = |outcome: Outcome, sequence| report(CallEnd::Known(outcome), sequence);
    let going = tried(call(json!({})), &awaited());
    let over = told(&going, &end(Outcome::Busy, None), due_plus(100)).unwrap();
    for again in [end(Outcome::Busy, None), end(Outcome::Answered, None), report(CallEnd::Awaited, None)] {
        assert!(told(&over, &again, due_plus(200)).is_none(), "{again:?}");
    }
    let over = told(&going, &end(Outcome::Busy, Some(3)), due_plus(100)).unwrap();
    assert!(told(&over, &end(Outcome::Answered, Some(2)), due_plus(200)).is_none());
    assert!(told(&over, &end(Outcome::Answered, Some(3)), due_plus(200)).is_none());
    let repeated = told(&over, &end(Outcome::Busy, Some(4)), due_plus(200)).unwrap();
    assert_eq!(status(&repeated).completion_time, Some(due_plus(100)), "when it ended does not move");
    let corrected = told(&over, &end(Outcome::Answered, Some(4)), due_plus(200)).unwrap();
    assert_eq!(standing(&corrected), "Completed Completed");
}

#[test]
fn a_report_about_an_attempt_that_was_refused_or_never_made_is_not_believed() {
    let retrying = tried(call(json!({})), &busy());
    assert!(told(&retrying, &report(CallEnd::Known(Outcome::Answered), None), due_plus(100)).is_none());
    assert!(told(&call(json!({})), &report(CallEnd::Awaited, None), due_plus(100)).is_none());
}

#[test]
fn late_truth_ends_a_call_that_was_given_up_and_drops_a_redial() {
    let given_up = || tried(call(json!({})), &lost());
    let late = |call: &CallView, end| told(call, &report(end, None), due_plus(200_000)).unwrap();
    assert_eq!(standing(&late(&given_up(), CallEnd::Known(Outcome::Answered))), "Completed Completed");
    assert_eq!(standing(&late(&given_up(), CallEnd::Known(Outcome::NoAnswer))), "Failed NoAnswer");
    let named = late(&given_up(), CallEnd::Awaited);
    assert_eq!(standing(&named), "Failed OutcomeUnknown");
    assert_eq!(status(&named).call_id.as_deref(), Some("CA1"), "only the name, until the end is known");
    assert_eq!(standing(&late(&named, CallEnd::Known(Outcome::Busy))), "Failed Busy");

    let rules = json!([{"outcomes": ["Busy"], "action": "Retry", "delaySeconds": [600]}]);
    let waiting = || tried(call(json!({"retryPolicy": {"onUnknown": "Redial", "rules": rules}})), &lost());
    assert_eq!(standing(&waiting()), "Pending Retrying");
    assert_eq!(standing(&late(&waiting(), CallEnd::Known(Outcome::Answered))), "Completed Completed");
    assert_eq!(standing(&late(&waiting(), CallEnd::Awaited)), "Processing InProgress");
    assert_eq!(wait(&late(&waiting(), CallEnd::Known(Outcome::Busy))), 600, "the rule, not the redial");

    // The redial has begun: the late truth is noted, and the open attempt goes on.
    let again = waiting();
    let next = status(&again).next_run_time.unwrap();
    let redialling = late(&claimed(again, "t2", next), CallEnd::Known(Outcome::NoAnswer));
    assert_eq!(standing(&redialling), "Processing Dialing");
    assert_eq!(status(&redialling).attempts[0].outcome, Some(Outcome::NoAnswer));
    assert!(last_attempt(&redialling).is_unanswered());
}

#[test]
fn an_orphan_that_is_taken_over_is_ours_until_it_is_settled() {
    let open = claimed(call(json!({})), "t", at(DUE));
    let mine = ClaimMark { number: 1, token: "mine".to_owned() };
    let next = taken_over(&open, &mine, "me", due_plus(200_000), due_plus(80_000)).unwrap();
    let taken = stored(open, next);
    let attempt = last_attempt(&taken);
    assert_eq!((attempt.holder.as_str(), attempt.token.as_str()), ("me", "mine"));
    assert_eq!((attempt.claim_time, attempt.not_after), (at(DUE), due_plus(200_000)));
    assert_eq!(word(&decided(&taken, due_plus(200_000 + 59_999))), "in flight");
    assert_eq!(word(&decided(&taken, due_plus(200_000 + 60_000))), "resolve 1 Unknown(NoResult)");
    let fold = |token: &str, result| {
        let mark = ClaimMark { number: 1, token: token.to_owned() };
        fold_result(&taken, &terms(&taken), &mark, &result, at(DUE), due_plus(90_000))
    };
    assert!(fold("t", lost()).is_none(), "the one who lost it has no say, unless it was placed");
    assert!(fold("t", placed()).is_some());
    assert_eq!(standing(&stored(taken.clone(), fold("mine", lost()).unwrap())), "Failed OutcomeUnknown");
    let finished = stored(taken.clone(), fold("mine", placed()).unwrap());
    assert!(taken_over(&finished, &mine, "me", due_plus(1), due_plus(0)).is_none());
}

#[test]
fn that_an_attempt_was_never_sent_does_not_undo_the_one_after_it() {
    let first = claimed(call(json!({"retryPolicy": {"onUnknown": "Redial"}})), "t1", at(DUE));
    let next = resolved_unknown(&first, &terms(&first), 1, Doubt::NoResult, due_plus(70_000)).unwrap();
    let waiting = stored(first, next);
    let redialled = claimed(waiting.clone(), "t2", status(&waiting).next_run_time.unwrap());
    // Whoever claimed the first was asleep, and wakes now.
    let late = |call: &CallView| recorded(call.clone(), "t1", &unsent(), due_plus(80_000));
    assert_eq!(standing(&late(&redialled)), "Processing Dialing");
    let done = recorded(redialled, "t2", &placed(), due_plus(75_000));
    assert_eq!(standing(&late(&done)), "Completed Completed");
    assert_eq!(status(&late(&done)).attempts[0].placed, Some(false));
}

#[test]
fn a_request_is_repeated_under_its_key_only_by_the_first_to_take_it_over() {
    let plan = |settling| {
        let spec = serde_json::from_value(json!({"simulated": {}})).unwrap();
        let plan = plan_dialer("uid", &spec, DialerSettings::default()).unwrap();
        DialerPlan { settling, revision: "revision".to_owned(), ..plan }.into()
    };
    let settle = SignedDuration::from_secs(120);
    let repeat = Settling::Repeat { key_lifetime: SignedDuration::from_hours(1), settle };
    let decided = |call: &CallView, settling, offset| {
        let defaults = defaults();
        let facts = CallFacts { dialer_plan: Some(plan(settling)), ..facts(call, &defaults) };
        word(&decide_call(&facts, due_plus(offset)))
    };
    let open = claimed(call(json!({})), "t", at(DUE));
    assert_eq!(decided(&open, repeat, 80_000), "resolve 1 Asking");
    let mine = ClaimMark { number: 1, token: "mine".to_owned() };
    let taken = taken_over(&open, &mine, "me", due_plus(200_000), due_plus(80_000)).unwrap();
    let taken = stored(open, taken);
    assert_eq!(decided(&taken, repeat, 260_000), "resolve 1 Unknown(NoResult)");
    assert_eq!(decided(&taken, Settling::Look { settle }, 260_000), "resolve 1 Asking", "asking is harmless");
}

#[test]
fn attempts_beyond_ten_are_counted_though_not_listed() {
    let mut call = call(json!({"retryPolicy": {"maxAttempts": 10}}));
    for _ in 0..9 {
        call = tried(call, &busy());
    }
    // A status that somebody forged, or that a later version wrote.
    let mut longer = status(&call).clone();
    longer.attempts.push(last_attempt(&call).clone());
    longer.attempt_count = Some(9);
    let next = longer.next_run_time.unwrap();
    let call = claimed(stored(call, longer), "t", next);
    assert_eq!((status(&call).attempts.len(), status(&call).attempt_count), (10, Some(10)));
}

#[test]
fn a_finished_call_is_removed_when_its_time_is_over() {
    let (defaults, hour) = (defaults(), SignedDuration::from_hours(1));
    let kept = Defaults { ttl_completed: Some(hour), ttl_failed: Some(hour * 2), ..defaults };
    let decided = |call: &CallView, offset: i64| {
        let facts = facts(call, &kept);
        word(&decide_call(&facts, due_plus(offset)))
    };
    let done = |spec: Value, result: AttemptResult| tried(call(spec), &result);
    let cases = [
        (done(json!({}), placed()), 3600),
        (done(json!({}), refused()), 7200),
        (done(json!({"ttlSecondsAfterFinished": 10}), placed()), 10),
        (done(json!({"ttlSecondsAfterFinished": 0}), refused()), 0),
    ];
    for (call, seconds) in cases {
        assert_eq!(decided(&call, seconds * 1000), "remove", "{seconds}");
        if seconds > 0 {
            assert_eq!(decided(&call, seconds * 1000 - 1), "done", "{seconds}");
        }
    }
    assert_eq!(decided(&call(json!({"ttlSecondsAfterFinished": 0})), -1000), "wait Scheduled");
    let mut tracked = done(json!({"ttlSecondsAfterFinished": 0}), placed());
    tracked.applied_by_tool = true;
    assert_eq!(decided(&tracked, 86_400_000), "done");
    let Decision::Dial(order) = super::test_support::decided(
        &CallView { applied_by_tool: true, ..call(json!({"ttlSecondsAfterFinished": 0})) },
        at(DUE),
    ) else {
        panic!()
    };
    assert!(order.plan.ttl_ignored);
}
