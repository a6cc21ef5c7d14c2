//! A first list that takes long: what is on its first pages is acted on, unless it depends on what may be on the next.

use crate::api::Api;
use crate::processes::{assert_kept, in_ms};
use crate::programs::Proxy;
use crate::scenario::{all_finished, call, plain_dialer};
use crate::scene::{LOOK_EVERY, Scene, rings_of};
use crate::support::{ControlPlane, state};
use serde_json::{Value, json};
use std::thread::sleep;

/// The third of three pages, each with one call. The operator waits ten seconds for it, and lists anew.
const LAST_PAGE: [&str; 4] = [
    "LIST scheduledcalls continue #2",
    "LIST scheduledcalls continue #4",
    "LIST scheduledcalls continue #6",
    "LIST scheduledcalls continue #8",
];

/// The first call rings while the last page is still to come. The second would be the first of its Dialer's minute for
/// all that is known, and waits.
pub fn acted_on_at_once(cluster: &ControlPlane, api: &Api) {
    let scene = Scene::set(cluster, api, "pages", &[]);
    scene.install_dialer(&plain_dialer(), &scene.provider.url());
    let mut paced = plain_dialer();
    paced["callsPerMinute"] = json!(60);
    scene.install_dialer_as("paced", &paced, &scene.provider.url());
    let due = in_ms(2000);
    scene.create(&[
        call("c1", 1, &due, json!({})),
        call("c2", 2, &due, json!({"dialerRef": {"name": "paced"}})),
        call("c3", 3, &due, json!({"dialerRef": {"name": "paced"}})),
    ]);
    let [slow @ .., comes] = LAST_PAGE;
    let slow = slow.map(|page| format!("delay:20000 @ {page}"));
    let proxy = Proxy::start_with(&scene.base, cluster, &scene.provider, &slow, &["--page-size=1"]);
    let has_come = || proxy.lines().iter().any(|line| line["answered"] == comes);
    let operator = scene.operator(&proxy.api, &[]);
    scene.eventually("the call on the first page to ring", || (rings_of(&scene, 1) > 0).then_some(()));
    assert!(!has_come(), "it rang no sooner than the whole list was there");
    assert_ne!(operator.readyz().0, 200);
    loop {
        let rung = rings_of(&scene, 2);
        if has_come() {
            break;
        }
        assert_eq!(rung, 0, "calls that count for the pace might be on the next page");
        sleep(LOOK_EVERY);
    }
    scene.until("every call to end", all_finished);
    let calls: Vec<Value> = assert_kept(&scene, &[&operator]);
    assert!(calls.iter().all(|call| state(call) == "Completed"), "{calls:#?}");
}
