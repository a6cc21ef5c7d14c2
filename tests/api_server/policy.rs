//! The admission policy that docs/security.md shows does what the page says.

use crate::support::*;
use std::process::Output;

/// A series to this number.
fn series(name: &str, number: &str) -> String {
    format!(
        "apiVersion: call-operator.dev/v1alpha1\nkind: RecurringCall\nmetadata: {{name: {name}}}\nspec:\n  schedule: \"0 9 * * *\"\n  callTemplate: {{spec: {{phoneNumber: \"{number}\"}}}}\n"
    )
}

/// What the API server says to an object, which it does not keep.
fn ask(namespace: &str, yaml: &str) -> Output {
    let path = write_temporary(yaml);
    let mut create = cluster().kubectl();
    create.args(["-n", namespace, "create", "--dry-run=server", "-f"]).arg(&path);
    create.output().unwrap()
}

#[test]
fn the_policy_of_the_manual_refuses_other_countries() {
    let page = std::fs::read_to_string(in_checkout("docs/security.md")).unwrap();
    let policy =
        page.split("```yaml\n").find(|block| block.contains("kind: ValidatingAdmissionPolicy\n")).unwrap();
    cluster().apply_yaml(policy.split("```").next().unwrap()).unwrap();
    let (free, bound) = (namespace("policy-free"), namespace("policy-bound"));
    succeed(cluster().kubectl().args(["label", "namespace", &bound, "calls=domestic"]));

    let abroad = [call("abroad", "+442055550112", &in_ms(600_000), ""), series("abroad", "+442055550112")];
    let home = [call("home", "+4930555501", &in_ms(600_000), ""), series("home", "+14155550123")];
    for object in &abroad {
        // It takes a moment until a new policy is known to the API server.
        eventually("the policy to hold", || {
            let answer = ask(&bound, object);
            let why = String::from_utf8_lossy(&answer.stderr).into_owned();
            why.contains("calls go to +1 and +49 only").then_some(())
        });
        assert!(ask(&free, object).status.success());
    }
    for object in &home {
        let answer = ask(&bound, object);
        assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    }
}
