//! Tables for the folds into `status`.

use super::test_support::*;
use super::*;
use crate::api::{CallState, CallView, Outcome, SUCCEEDED};
use serde_json::json;

#[test]
fn a_claim_freezes_the_call_and_says_who_may_send_until_when() {
    let open = claimed(call(json!({})), "token", due_plus(5));
    let attempt = last_attempt(&open);
    assert_eq!(standing(&open), "Processing Dialing");
    assert_eq!(status(&open).start_time, Some(at(DUE)));
    assert_eq!((attempt.not_before, attempt.not_after), (at(DUE), due_plus(10_005)));
    assert_eq!((attempt.claim_time, attempt.number), (due_plus(5), 1));
    assert_eq!(attempt.key, attempt_key("uid-1", 1));
    assert!(attempt.is_open());
    assert_eq!(status(&open).scheduled_time, Some(at(DUE)));
}

#[test]
fn the_first_byte_leaves_within_the_deadlines_or_not_at_all() {
    let cases = [
        (json!({"startingDeadlineSeconds": 3}), 0, 3000),
        (json!({"activeDeadlineSeconds": 4}), 0, 4000),
        (json!({}), 3_595_000, 3_600_000),
        (json!({}), 1000, 11_000),
    ];
    for (spec, claimed_at, expected) in cases {
        let open = claimed(call(spec.clone()), "t", due_plus(claimed_at));
        assert_eq!(last_attempt(&open).not_after, due_plus(expected), "{spec}");
    }
}

#[test]
fn each_result_means_what_the_design_says() {
    let cases = [
        (placed(), "Completed Completed", Some(Outcome::Accepted), true),
        (busy(), "Pending Retrying", Some(Outcome::RateLimited), false),
        (refused(), "Failed Rejected", Some(Outcome::Rejected), false),
        (lost(), "Failed OutcomeUnknown", Some(Outcome::Unknown), true),
        (unsent(), "Pending WaitingForDialer", None, false),
    ];
    for (result, expected, outcome, frozen) in cases {
        let call = recorded(claimed(call(json!({})), "t", at(DUE)), "t", &result, due_plus(50));
        assert_eq!(standing(&call), expected, "{result:?}");
        assert_eq!(status(&call).outcome, outcome, "{result:?}");
        assert_eq!(status(&call).start_time.is_some(), frozen, "{result:?}");
        let finished = status(&call).state.as_ref().unwrap().is_finished();
        assert_eq!(status(&call).completion_time.is_some(), finished, "{result:?}");
        assert_eq!(status(&call).next_run_time.is_some(), !finished, "{result:?}");
    }
}

#[test]
fn an_attempt_that_was_not_sent_does_not_count() {
    let released = recorded(claimed(call(json!({})), "t1", at(DUE)), "t1", &unsent(), due_plus(50));
    assert!(status(&released).attempts.is_empty());
    assert_eq!(status(&released).attempt_count, None);
    let again = claimed(released, "t2", due_plus(2000));
    assert_eq!((last_attempt(&again).number, last_attempt(&again).token.as_str()), (1, "t2"));
    assert_eq!(last_attempt(&again).key, attempt_key("uid-1", 1), "the same attempt has the same key");
}

#[test]
fn attempts_end_with_the_policy_and_the_call_fails_with_the_last_outcome() {
    let mut call = call(json!({}));
    for attempt in 1..=3 {
        let now = status(&call).next_run_time.unwrap_or(at(DUE));
        call = recorded(claimed(call, "t", now), "t", &busy(), now);
        assert_eq!(status(&call).attempt_count, Some(attempt));
        let mut tokens = status(&call).attempts.clone();
        tokens.iter_mut().for_each(|attempt| attempt.token = format!("t{}", attempt.number));
        let renamed = crate::api::ScheduledCallStatus { attempts: tokens, ..status(&call).clone() };
        call = stored(call, renamed);
    }
    assert_eq!(standing(&call), "Failed RateLimited");
    assert_eq!(status(&call).failure_reason.as_deref(), Some("RateLimited"));
}

#[test]
fn a_cancellation_during_an_attempt_stops_the_next_one_but_not_the_outcome() {
    let cancelled = |result| {
        let mut open = claimed(call(json!({})), "t", at(DUE));
        open.spec = call(json!({"cancel": true})).spec;
        recorded(open, "t", &result, due_plus(50))
    };
    assert_eq!(standing(&cancelled(placed())), "Completed Completed");
    assert!(status(&cancelled(placed())).message.as_ref().unwrap().contains("too late"));
    assert_eq!(standing(&cancelled(busy())), "Cancelled Cancelled");
    assert_eq!(standing(&cancelled(unsent())), "Cancelled Cancelled");
    assert_eq!(standing(&cancelled(lost())), "Failed OutcomeUnknown");
}

#[test]
fn late_truth_replaces_unknown_and_never_retries() {
    let settled = || {
        let open = claimed(call(json!({})), "t", at(DUE));
        let status = resolved_unknown(&open, &terms(&open), 1, Doubt::NoResult, due_plus(100_000)).unwrap();
        stored(open, status)
    };
    assert_eq!(standing(&settled()), "Failed OutcomeUnknown");
    let now = due_plus(120_000);
    assert_eq!(standing(&recorded(settled(), "t", &placed(), now)), "Completed Completed");
    assert_eq!(standing(&recorded(settled(), "t", &busy(), now)), "Failed RateLimited");
    assert_eq!(standing(&recorded(settled(), "t", &unsent(), now)), "Failed TransientError");
}

#[test]
fn nobody_fills_in_an_attempt_that_is_not_theirs() {
    let fold = |call: &crate::api::CallView, token: &str, result: AttemptResult| {
        fold_result(call, &terms(call), &mark(call, token), &result, at(DUE), at(DUE))
    };
    let open = claimed(call(json!({})), "t", at(DUE));
    for result in [lost(), busy(), refused(), unsent()] {
        assert!(fold(&open, "other", result).is_none());
    }
    assert!(fold(&open, "other", placed()).is_some(), "that it was placed is true whoever holds the claim");
    let done = recorded(open, "t", &refused(), at(DUE));
    assert!(fold(&done, "t", lost()).is_none(), "a known result is not overwritten");
    assert!(fold(&done, "t", placed()).is_none());
    let unknown = recorded(claimed(call(json!({})), "t", at(DUE)), "t", &lost(), at(DUE));
    assert!(fold(&unknown, "t", lost()).is_none(), "a finished call is not written again for nothing");
}

#[test]
fn a_claim_that_was_not_used_is_taken_back() {
    let open = claimed(call(json!({})), "t", at(DUE));
    let status_after = released(&open, 1, due_plus(1000), due_plus(500)).unwrap();
    let call = stored(open, status_after);
    assert_eq!(standing(&call), "Pending WaitingForDialer");
    assert_eq!((status(&call).attempts.len(), status(&call).start_time), (0, None));
}

#[test]
fn a_status_that_is_right_is_not_written_again() {
    let specs =
        [json!({}), json!({"suspend": true}), json!({"timeZone": "Mars/Olympus"}), json!({"cancel": true})];
    for spec in specs {
        let fresh = call(spec.clone());
        let now = due_plus(-3_600_000);
        let first =
            status_for(&fresh, &decided(&fresh, now), now).unwrap_or_else(|| panic!("{spec}: no plan"));
        let written = stored(fresh, first);
        let later = due_plus(-1_800_000);
        assert_eq!(status_for(&written, &decided(&written, later), later), None, "{spec}");
    }
    let retrying = recorded(claimed(call(json!({})), "t", at(DUE)), "t", &busy(), due_plus(50));
    assert_eq!(status_for(&retrying, &decided(&retrying, due_plus(60)), due_plus(60)), None);
}

#[test]
fn a_long_text_is_cut_to_what_the_schema_allows() {
    let long = AttemptResult::Ambiguous { why: "é".repeat(5000) };
    let call = recorded(claimed(call(json!({})), "t", at(DUE)), "t", &long, due_plus(50));
    assert_eq!(last_attempt(&call).message.as_ref().unwrap().chars().count(), 512);
    assert_eq!(status(&call).message.as_ref().unwrap().chars().count(), 1024);
    let unsent = AttemptResult::Unsent { why: "x".repeat(5000) };
    let call =
        recorded(claimed(super::test_support::call(json!({})), "t", at(DUE)), "t", &unsent, due_plus(50));
    assert_eq!(status(&call).message.as_ref().unwrap().chars().count(), 1024);
}

#[test]
fn a_call_that_is_nearly_due_gets_no_separate_write_for_its_plan() {
    let call = call(json!({}));
    let writes = |offset| status_for(&call, &decided(&call, due_plus(offset)), due_plus(offset)).is_some();
    assert!(writes(-30_001));
    assert!(!writes(-30_000));
    assert!(!writes(0));
}

#[test]
fn a_new_generation_is_observed_even_when_all_is_over() {
    let mut done = recorded(claimed(call(json!({})), "t", at(DUE)), "t", &placed(), due_plus(50));
    done.metadata.generation = Some(2);
    let next = status_for(&done, &Decision::Done { expires: None }, due_plus(60)).unwrap();
    assert_eq!(next.observed_generation, Some(2));
    assert_eq!(next.state, Some(CallState::Completed));
    assert!(next.conditions.iter().all(|condition| condition.observed_generation == Some(2)));
}

#[test]
fn transition_times_move_only_with_the_status_of_the_condition() {
    let time = |call: &crate::api::CallView, type_: &str| {
        let conditions = &status(call).conditions;
        conditions.iter().find(|condition| condition.type_ == type_).unwrap().last_transition_time.0
    };
    let open = claimed(call(json!({})), "t", at(DUE));
    let done = recorded(open, "t", &placed(), due_plus(5000));
    assert_eq!(time(&done, "Ready"), at(DUE), "ready before and after");
    assert_eq!(time(&done, SUCCEEDED), due_plus(5000));
}

#[test]
fn a_waiting_call_is_told_when_trouble_of_its_dialer_begins_and_ends_and_not_twice() {
    let new = call(json!({}));
    let Decision::Dial(order) = decided(&new, due_plus(0)) else { panic!("not due") };
    let wait = |reason| Decision::Wait { reason, plan: order.plan.clone(), due: order.due, until: None };
    let full = wait(WaitReason::Dialer("Dialer \"d\" carries as many calls as it may".to_owned()));
    let paced = wait(WaitReason::Dialer("Dialer \"d\" starts calls as fast as it may".to_owned()));
    let trouble = |why| wait(WaitReason::in_trouble("d", why));
    let told = |call: &CallView, decision: &Decision| {
        let status = status_for(call, decision, due_plus(30_000))?;
        Some(stored(call.clone(), status))
    };
    let unsent = recorded(claimed(new, "t", at(DUE)), "t", &unsent(), due_plus(50));
    assert!(told(&unsent, &full).is_none(), "what the result said stands");
    let held = told(&unsent, &trouble("it cannot be reached (1)")).unwrap();
    assert_eq!(standing(&held), "Pending WaitingForDialer");
    let message = status(&held).message.clone().unwrap();
    assert!(message.contains("Dialer \"d\" is held because it cannot be reached (1)"), "{message}");
    assert!(told(&held, &trouble("it cannot be reached (2)")).is_none());
    let over = told(&held, &full).unwrap();
    assert!(!status(&over).message.clone().unwrap().contains("held"));
    assert!(told(&over, &paced).is_none());
}
