//! What the tests against a real API server share: one control plane, a namespace each, a real operator process under
//! its shipped permissions, a real dialer process with its ledger.

#![allow(dead_code, unused_imports, reason = "each test binary uses its part")]

pub mod control_plane;
pub mod guarded;
pub mod http_server;
pub mod installed;
pub mod ledger;
pub mod operator;
pub mod page;
pub mod skewed;
pub mod tools;

pub use control_plane::ControlPlane;
pub use ledger::LedgerDialer;
pub use operator::{Operator, free_address};
pub use skewed::SkewedServer;

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The longest that a test waits for anything; a busy machine needs seconds, a broken operator for ever.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// A file of this checkout.
pub fn in_checkout(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The shared control plane with our CRDs and the operator's permissions.
pub fn cluster() -> &'static ControlPlane {
    static READY: OnceLock<()> = OnceLock::new();
    let cluster = ControlPlane::shared();
    READY.get_or_init(|| install(cluster));
    cluster
}

/// Installs what a user installs: the CRDs and `deploy/`.
pub fn install(cluster: &ControlPlane) {
    cluster.apply_file(in_checkout("crds")).unwrap();
    cluster.apply_file(in_checkout("deploy")).unwrap();
    let mut wait = cluster.kubectl();
    wait.args(["wait", "--for=condition=Established", "--timeout=60s", "crd"]);
    for kind in ["scheduledcalls", "recurringcalls", "dialers", "businesscalendars"] {
        wait.arg(format!("{kind}.call-operator.dev"));
    }
    succeed(&mut wait);
}

/// A fresh namespace of this name and a number.
pub fn namespace(prefix: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("{prefix}-{}", COUNT.fetch_add(1, Ordering::Relaxed));
    succeed(cluster().kubectl().args(["create", "namespace", &name]));
    name
}

/// A fresh namespace with a dialer and an operator.
pub fn stage(prefix: &str) -> (String, LedgerDialer, Operator) {
    let namespace = namespace(prefix);
    let dialer = LedgerDialer::start();
    dialer.install(&namespace, "");
    let operator = Operator::start(&namespace);
    (namespace, dialer, operator)
}

/// Runs a command that must succeed and gives its standard output.
pub fn succeed(command: &mut Command) -> String {
    let output = run(command);
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs a command that must fail and gives its standard error.
pub fn fail(command: &mut Command) -> String {
    let output = run(command);
    assert!(!output.status.success(), "{command:?} succeeded: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// Waits until `condition` gives something, looking every 50 ms, at most [`PATIENCE`].
pub fn eventually<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// One object as JSON.
pub fn get(namespace: &str, kind: &str, name: &str) -> Value {
    let text = succeed(cluster().kubectl().args(["-n", namespace, "get", kind, name, "-o", "json"]));
    serde_json::from_str(&text).unwrap()
}

/// All objects of a kind in a namespace.
pub fn list(namespace: &str, kind: &str) -> Vec<Value> {
    let text = succeed(cluster().kubectl().args(["-n", namespace, "get", kind, "-o", "json"]));
    let list: Value = serde_json::from_str(&text).unwrap();
    list["items"].as_array().unwrap().clone()
}

/// Applies YAML in a namespace.
pub fn apply(namespace: &str, yaml: &str) {
    let path = write_temporary(yaml);
    succeed(cluster().kubectl().args(["-n", namespace, "apply", "-f"]).arg(&path));
    std::fs::remove_file(path).unwrap();
}

/// A file with this text in the control plane's own directory.
pub fn write_temporary(text: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let path = cluster().dir().join(format!("input-{}.yaml", COUNT.fetch_add(1, Ordering::Relaxed)));
    std::fs::write(&path, text).unwrap();
    path
}

/// A ScheduledCall in the fewest lines; `fields` are further lines of the spec, indented by two.
pub fn call(name: &str, number: &str, when: &str, fields: &str) -> String {
    format!(
        "---\napiVersion: call-operator.dev/v1alpha1\nkind: ScheduledCall\nmetadata:\n  name: {name}\nspec:\n  phoneNumber: \"{number}\"\n  scheduledFor: \"{when}\"\n{fields}\n"
    )
}

/// Merge-patches a call.
pub fn patch(namespace: &str, name: &str, patch: &str) {
    let arguments = ["-n", namespace, "patch", "scall", name, "--type=merge", "-p", patch];
    succeed(cluster().kubectl().args(arguments));
}

/// An instant so many milliseconds from now (negative: ago), as `scheduledFor` wants it.
pub fn in_ms(milliseconds: i64) -> String {
    let then = jiff::Timestamp::now() + jiff::SignedDuration::from_millis(milliseconds);
    format!("{then:.3}")
}

/// `status.state` of a call.
pub fn state(call: &Value) -> &str {
    call["status"]["state"].as_str().unwrap_or("")
}

/// Reason of a condition.
pub fn reason<'a>(object: &'a Value, type_: &str) -> &'a str {
    condition(object, type_)["reason"].as_str().unwrap_or("")
}

/// A condition, or null.
pub fn condition<'a>(object: &'a Value, type_: &str) -> &'a Value {
    object["status"]["conditions"]
        .as_array()
        .and_then(|conditions| conditions.iter().find(|condition| condition["type"] == type_))
        .unwrap_or(&Value::Null)
}

/// Waits until the Ready condition of an object has this reason and gives the object.
pub fn wait_for_reason(namespace: &str, kind: &str, name: &str, wanted: &str) -> Value {
    let mut last = Value::Null;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let object = get(namespace, kind, name);
        if reason(&object, "Ready") == wanted {
            return object;
        }
        assert!(Instant::now() < deadline, "{namespace}/{name} is not {wanted}: {last:#}");
        last = object["status"].clone();
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Waits until a call is in this state and gives it.
pub fn wait_for_state(namespace: &str, name: &str, wanted: &str) -> Value {
    let mut last = Value::Null;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let call = get(namespace, "scheduledcall", name);
        if state(&call) == wanted {
            return call;
        }
        assert!(Instant::now() < deadline, "{namespace}/{name} is not {wanted}: {last:#}");
        last = call["status"].clone();
        std::thread::sleep(Duration::from_millis(50));
    }
}
