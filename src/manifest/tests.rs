//! Tests of the module as a whole: a text in, objects and problems out. What the API server says to the same is in
//! `tests/api_server/preview_check/`.

use super::{Manifest, Reading, read};

fn read_text(text: &str) -> Reading {
    read("calls.yaml", text)
}

/// A valid call; `more` are further lines of its spec, without their indentation.
fn call(more: &str) -> String {
    let more: String = more.lines().map(|line| format!("  {line}\n")).collect();
    format!(
        "apiVersion: call-operator.dev/v1alpha1\nkind: ScheduledCall\nmetadata:\n  name: ann\nspec:\n  phoneNumber: \"+14155550123\"\n  scheduledFor: \"2030-06-03T10:00:00\"\n{more}"
    )
}

/// The problems as `path: message`.
fn problems(text: &str) -> Vec<String> {
    read_text(text).problems.iter().map(|problem| format!("{}: {}", problem.path, problem.message)).collect()
}

#[track_caller]
fn assert_problem(text: &str, wanted: &str) {
    let problems = problems(text);
    assert_eq!(problems.len(), 1, "{problems:#?}\n{text}");
    assert!(problems[0].contains(wanted), "{}\nlacks {wanted}\n{text}", problems[0]);
}

/// The document and name of each call that was read.
fn names(reading: &Reading) -> Vec<(usize, &str)> {
    let calls = reading.manifests.iter().map(|located| match &located.manifest {
        Manifest::ScheduledCall(call) => (located.document, call.metadata.name.as_deref().unwrap()),
        other => panic!("{other:?}"),
    });
    calls.collect()
}

#[test]
fn documents_are_counted_as_a_person_counts_them() {
    let (ann, bob) = (call(""), call("").replace("ann", "bob"));
    let json = r#"{"apiVersion":"call-operator.dev/v1alpha1","kind":"ScheduledCall","metadata":{"name":"cat"},"spec":{"phoneNumber":"+14155550123","scheduledFor":"2030-06-03T10:00:00"}}"#;
    for (text, wanted) in [
        (String::new(), vec![]),
        ("# nothing\n".to_owned(), vec![]),
        ("---\n---\n".to_owned(), vec![]),
        (ann.clone(), vec![(1, "ann")]),
        (format!("---\n{ann}"), vec![(1, "ann")]),
        (format!("# heading\n\n---\n{ann}"), vec![(1, "ann")]),
        (format!("\u{feff}--- # first\n{ann}---\n{bob}"), vec![(1, "ann"), (2, "bob")]),
        (format!("{ann}---\n# empty\n---\n{bob}---\n"), vec![(1, "ann"), (3, "bob")]),
        (format!("{ann}---\nnull\n---\n{bob}...\n"), vec![(1, "ann"), (3, "bob")]),
        (format!("{ann}---\n{bob}").replace('\n', "\r\n"), vec![(1, "ann"), (2, "bob")]),
        (json.to_owned(), vec![(1, "cat")]),
        (format!("\n {json}\n{json}{json}"), vec![(1, "cat"), (2, "cat"), (3, "cat")]),
        (format!("{json}\n---\n{ann}"), vec![(1, "cat"), (2, "ann")]),
        (json.replace(',', ",\n\t"), vec![(1, "cat")]),
        // YAML in braces is no JSON.
        (json.replace('"', "").replace(':', ": "), vec![]),
    ] {
        let reading = read_text(&text);
        assert_eq!(names(&reading), wanted, "{text}\n{:#?}", reading.problems);
    }
    let flow = "{apiVersion: call-operator.dev/v1alpha1, kind: ScheduledCall, metadata: {name: dan}, spec: {phoneNumber: '+14155550123', scheduledFor: 2030-06-03T10:00:00Z}}";
    assert_eq!(names(&read_text(flow)), [(1, "dan")]);
}

#[test]
fn a_bad_document_spoils_no_other() {
    let text = format!(
        "{}---\na: [1\n---\nkey: 1\nkey: 2\n--- oops\n---\n5\n---\n{}",
        call(""),
        call("").replace("ann", "bob")
    );
    let reading = read_text(&text);
    assert_eq!(names(&reading), [(1, "ann"), (6, "bob")]);
    let found: Vec<String> = reading.problems.iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), 4, "{found:#?}");
    for (found, wanted) in found.iter().zip([
        ["calls.yaml, document 2: this is not YAML that can be read: ", "line 9"],
        ["calls.yaml, document 3: ", "duplicate mapping key"],
        ["calls.yaml, document 4: line 1", "only a comment may follow `---`, not \"oops\""],
        ["calls.yaml, document 5: a Kubernetes object is a mapping", "not the number 5"],
    ]) {
        assert!(wanted.iter().all(|wanted| found.contains(wanted)), "{found}\nlacks {wanted:?}");
    }
}

#[test]
fn lists_are_unpacked() {
    let item = |name: &str, number: &str| {
        format!(
            "- apiVersion: call-operator.dev/v1alpha1\n  kind: ScheduledCall\n  metadata: {{name: {name}}}\n  spec: {{phoneNumber: '{number}', scheduledFor: 2030-06-03T10:00:00Z}}\n"
        )
    };
    let items = item("ann", "+14155550123") + &item("bob", "4155550123") + "- 7\n";
    for (version, kind) in [("v1", "List"), ("call-operator.dev/v1alpha1", "ScheduledCallList")] {
        let reading = read_text(&format!("apiVersion: {version}\nkind: {kind}\nitems:\n{items}"));
        assert_eq!(names(&reading), [(1, "ann")]);
        let found: Vec<(Option<&str>, &str)> = reading
            .problems
            .iter()
            .map(|problem| (problem.object.as_deref(), problem.path.as_str()))
            .collect();
        assert_eq!(found, [(Some("ScheduledCall/bob"), "items[1].spec.phoneNumber"), (None, "items[2]")]);
    }
    assert!(problems("apiVersion: v1\nkind: List\nitems: []\n").is_empty());
}

#[test]
fn an_object_says_what_it_is() {
    for (head, wanted) in [
        ("kind: ScheduledCall", "apiVersion: is required"),
        ("apiVersion: call-operator.dev/v1alpha1", "kind: is required"),
        ("apiVersion: call-operator.dev/v1alpha1\nkind: 5", "kind: must be a text, not the number 5"),
        ("apiVersion: call-operator.dev/v1\nkind: ScheduledCall", "apiVersion: \"v1\" is no version"),
        ("apiVersion: call-operator.dev/v1alpha1\nkind: scheduledcall", "is ScheduledCall meant?"),
        (
            "apiVersion: call-operator.dev/v1alpha1\nkind: Pod",
            "there are BusinessCalendar, Dialer, RecurringCall or ScheduledCall",
        ),
    ] {
        assert_problem(head, wanted);
    }
}

#[test]
fn objects_of_other_groups_are_only_named() {
    let reading = read_text(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: token}\n---\napiVersion: call-operater.dev/v1alpha1\nkind: Dialer\n",
    );
    assert_eq!(reading.others, ["Secret/token", "Dialer"]);
    assert!(reading.manifests.is_empty() && reading.problems.is_empty());
}

#[test]
fn messages_say_what_is_there_and_what_is_wanted() {
    for (more, wanted) in [
        (
            "agentID: 42",
            "spec.agentID: must be a text (put it in quotes), not the number 42; for example \"agent-42\"",
        ),
        ("callerID: yes", "spec.callerID: must be a text (put it in quotes), not true"),
        ("suspend: \"true\"", "spec.suspend: must be true or false (without quotes), not the text \"true\""),
        ("suspend: maybe", "spec.suspend: must be true or false, not the text \"maybe\""),
        ("ringTimeoutSeconds: '30'", "must be a whole number (without quotes), not the text"),
        ("priority: [High]", "spec.priority: must be a text, not a list"),
        ("priority: high", "spec.priority: \"high\" is not known; High, Medium or Low"),
        ("prioritty: High", "spec.prioritty: there is no such field; is priority meant?"),
        ("Suspend: true", "is suspend meant?"),
        ("colour: red", "spec.colour: there is no such field"),
        ("ringTimeoutSeconds: 4", "spec.ringTimeoutSeconds: 4 is too small; at least 5"),
        ("ringTimeoutSeconds: 4.5", "must be a whole number, not the number 4.5"),
        ("timeZone: \"\"", "has 0 characters; at least 1 are needed"),
        ("timeZone: +02:00", "does not match ^[A-Za-z]"),
        ("dialerRef: {}", "spec.dialerRef.name: is required; for example \"default\""),
        (
            "businessHours: {daysOfWeek: [Monday, Monday]}",
            "spec.businessHours.daysOfWeek[1]: \"Monday\" is in the list twice",
        ),
        ("businessHours: {daysOfWeek: [Monday, null]}", "daysOfWeek[1]: must be a text, not nothing (null)"),
        ("businessHours: {start: 09:00, end: 09:00}", "spec.businessHours.end: end must differ from start"),
        ("parameters: {a: 1}", "spec.parameters.a: must be a text (put it in quotes), not the number 1"),
    ] {
        assert_problem(&call(more), wanted);
    }
    assert_problem(
        &call("").replace("\"+14155550123\"", "+14155550123"),
        "must be a text (put it in quotes), not the number 14155550123",
    );
    assert_problem(
        &call("").replace("\"+14155550123\"", "+1 415"),
        "\"+1 415\" does not match ^\\+[1-9][0-9]{1,14}$; for example",
    );
    assert_problem(
        &call(&format!("agentID: {}", "ä".repeat(257))),
        "has 257 characters; at most 256 are allowed",
    );
    assert!(problems(&call(&format!("agentID: {}", "ä".repeat(256)))).is_empty());
}

#[test]
fn scalars_are_read_as_kubectl_reads_them() {
    for fine in [
        "suspend: yes",
        "suspend: Off",
        "ringTimeoutSeconds: 010",
        "ringTimeoutSeconds: 0x20",
        "ringTimeoutSeconds: 5.0",
        "ringTimeoutSeconds: 1e1",
        "startingDeadlineSeconds: 3_600",
        "businessHours: {start: 09:00, end: 18:00}",
        "priority: ~",
        "agentID:",
        "parameters: {1: a, true: b}",
        "parameters: &p {a: b}",
    ] {
        assert_eq!(problems(&call(fine)), [""; 0], "{fine}");
    }
}

#[test]
fn an_unknown_field_hides_what_comes_after_it_and_a_missing_one_hides_the_rules() {
    assert_eq!(problems(&call("foo: 1\nringTimeoutSeconds: 0\nbar: 2")).len(), 2);
    let both = "businessHours: {}\nbusinessCalendarRef: {name: a}\n";
    assert_problem(&call(both), "spec.businessCalendarRef: ");
    assert_eq!(problems(&call(&format!("{both}ringTimeoutSeconds: 0"))).len(), 2);
    assert_problem(&call(&format!("{both}priority: low")), "spec.priority");
}

#[test]
fn metadata_is_checked() {
    let long = "a".repeat(64);
    for (metadata, wanted) in [
        (String::new(), "metadata.name: is required"),
        ("metadata: {}".to_owned(), "metadata.name: is required"),
        ("metadata: []".to_owned(), "metadata: must be a mapping, not a list"),
        ("metadata: {name: \"\"}".to_owned(), "metadata.name: is required"),
        (
            "metadata: {generateName: a-}".to_owned(),
            "metadata.name: is required: kubectl apply does not take",
        ),
        ("metadata: {name: 5}".to_owned(), "metadata.name: must be a text"),
        ("metadata: {name: Ann}".to_owned(), "metadata.name: \"Ann\": a name is made of"),
        (format!("metadata: {{name: {}}}", "a".repeat(254)), "metadata.name: "),
        ("metadata: {name: a..b}".to_owned(), "metadata.name: "),
        ("metadata: {name: a, namespace: a.b}".to_owned(), "metadata.namespace: \"a.b\""),
        (format!("metadata: {{name: a, namespace: {long}}}"), "metadata.namespace: "),
        (
            "metadata: {name: a, lables: {}}".to_owned(),
            "metadata.lables: there is no such field; is labels meant?",
        ),
        (
            "metadata: {name: a, labels: {a: 1}}".to_owned(),
            "metadata.labels.a: must be a text (put it in quotes)",
        ),
        ("metadata: {name: a, labels: {-a: b}}".to_owned(), "metadata.labels: \"-a\": a key"),
        ("metadata: {name: a, labels: {a/b/c: b}}".to_owned(), "metadata.labels: \"a/b/c\""),
        ("metadata: {name: a, labels: {a: b c}}".to_owned(), "metadata.labels: \"b c\": a value"),
        (format!("metadata: {{name: a, labels: {{a: {long}}}}}"), "metadata.labels: "),
        ("metadata: {name: a, annotations: {a b: c}}".to_owned(), "metadata.annotations: \"a b\""),
        (format!("metadata: {{name: a, annotations: {{a: {}}}}}", "b".repeat(262_144)), "262145 bytes"),
        ("metadata: {name: a, ownerReferences: [{name: b}]}".to_owned(), "metadata.ownerReferences[0]."),
    ] {
        let text = call("").replace("metadata:\n  name: ann", &metadata);
        let problems = problems(&text);
        assert!(
            problems.iter().all(|problem| problem.contains(wanted)) && !problems.is_empty(),
            "{problems:#?}\n{wanted}"
        );
    }
    for fine in [
        format!("metadata: {{name: {}}}", "a".repeat(253)),
        "metadata: {name: a.b-1, namespace: team-a}".to_owned(),
        "metadata: {name: a, labels: {a: \"\", example.com/A_b.c: D}, annotations: {Example.com/x: \"any thing\"}}".to_owned(),
        "metadata: {name: a, labels: null, creationTimestamp: null}".to_owned(),
    ] {
        assert_eq!(problems(&call("").replace("metadata:\n  name: ann", &fine)), [""; 0], "{fine}");
    }
}

#[test]
fn what_the_api_server_adds_is_no_problem() {
    let stored = call("").replace(
        "  name: ann\n",
        "  name: ann\n  creationTimestamp: \"2029-01-01T00:00:00Z\"\n  generation: 1\n  resourceVersion: \"7\"\n  uid: 0b7c9c1c-9b3e-4d43-9d0e-2a5a2b3c4d5e\n  managedFields:\n  - manager: kubectl\n    operation: Apply\n    fieldsType: FieldsV1\n    fieldsV1:\n      f:spec:\n        .: {}\n",
    );
    for (status, state) in
        [("status: {state: Completed}\n", Some("Completed")), ("status: {state: {}}\n", None), ("", None)]
    {
        let reading = read_text(&format!("{stored}{status}"));
        assert!(reading.problems.is_empty(), "{:#?}", reading.problems);
        let [super::Located { manifest: Manifest::ScheduledCall(call), .. }] = &reading.manifests[..] else {
            panic!("{reading:#?}");
        };
        let read = call.status.as_ref().map(|status| serde_json::to_value(&status.state).unwrap());
        assert_eq!(read.as_ref().and_then(serde_json::Value::as_str), state);
    }
}
