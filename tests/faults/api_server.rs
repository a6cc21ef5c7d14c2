//! The API server killed in the midst of a burst, twice. On a control plane of its own, so that nobody else is disturbed.

use crate::api::Api;
use crate::scenario::{all_finished, call, plain_dialer, script, state};
use crate::scene::{Scene, now};
use crate::support::{ControlPlane, install};
use jiff::SignedDuration;

#[test]
fn an_api_server_that_is_killed_in_a_burst_costs_no_ring_and_no_call() {
    let own = ControlPlane::start().unwrap();
    install(&own);
    let api = Api::of(&own);
    let scene = Scene::set(&own, &api, "crashed", &[]);
    scene.install_dialer(&plain_dialer(), &scene.provider.url());
    let operator = scene.ready_operator(&[]);
    let start = now() + SignedDuration::from_secs(3);
    let due = |number: u32| format!("{:.3}", start + SignedDuration::from_millis(100 * i64::from(number)));
    let burst = (1..=40)
        .map(|number| call(&format!("c{number}"), number, &due(number), script("ring wait:150 reply:201")));
    scene.create(&burst.collect::<Vec<_>>());
    for rings in [5, 20] {
        scene.eventually("a part of the rings", || {
            (scene.provider.lines("ring").len() >= rings).then_some(())
        });
        own.kill_api_server().unwrap();
        own.restart_api_server().unwrap();
    }
    let calls = scene.until("every call to end", all_finished);
    scene.until_idle();
    let judged = scene.judge(&[], || {
        operator.process().kill_now().unwrap();
    });
    assert!(judged.broken.is_empty(), "{:#?}", judged.broken);
    // A claim whose answer was lost is settled by a live read: nothing stays in doubt.
    assert!(calls.iter().all(|call| state(call) == "Completed"), "{calls:#?}");
    assert_eq!(scene.provider.lines("ring").len(), 40);
}
