//! How text becomes objects: scalars, names, files with several documents.

use super::{Server, Verdict, call, offline};
use crate::support;
use call_operator::api;
use call_operator::manifest::{self, Manifest};
use serde_json::{Value, json};

/// Scalars that the two read otherwise: words in a case that nobody writes, underscores where YAML has none, integers
/// that fit no field. Here the parser's reading stands.
const READ_OTHERWISE: [&str; 6] =
    ["tRue", "oN", "1__0", "1_", "9223372036854775808", "123456789012345678901"];

/// Names that kubectl makes a text of after it has read them as something else: `y` becomes `true`. Here a name stands
/// as it is written; the parser does not say whether it was in quotes.
const NAMED_OTHERWISE: [&str; 7] = ["y", "yes", "Off", "True", "010", "0x1F", "1.0"];

/// A free object is kept as it is read.
#[tokio::test]
async fn scalars_are_read_alike() {
    let server = Server::connect("preview-scalars").await;
    for scalar in [
        "yes",
        "No",
        "ON",
        "off",
        "y",
        "N",
        "true",
        "False",
        "TRUE",
        "tRue",
        "oN",
        "~",
        "null",
        "Null",
        "NULL",
        "nULL",
        "",
        "0",
        "-0",
        "+5",
        "010",
        "-010",
        "08",
        "0o17",
        "0x1F",
        "0X1F",
        "0b11",
        "-0b11",
        "1_000",
        "1__0",
        "_1",
        "1_",
        "5.0",
        "1.5",
        "1e3",
        "1E3",
        "1e-2",
        "1.",
        ".5",
        "-.5",
        "+.5",
        "1.e1",
        "9223372036854775807",
        "9223372036854775808",
        "1e21",
        "-1e21",
        "123456789012345678901",
        "2026-11-02",
        "2026-11-02T10:00:00Z",
        "2026-11-02 10:00:00",
        "09:00",
        "190:20:30",
        "1:2",
        "0.1",
        "00",
        "0x",
        "0b2",
        "e5",
        "1e",
        "+",
        "-a",
        "--",
        ".",
        "..",
        "=",
        "!!str 5",
        "!!int \"5\"",
        "!!float 5",
        "!!bool \"true\"",
        "!!null \"\"",
        "! 5",
        "\"5\"",
        "'yes'",
        "\"\\x41\\u00e4\"",
        "a # b",
        "a#b",
        "+14155550123",
        "1 415",
        "{a: 1, b: [2, 3.0]}",
        "[yes, 1, null]",
        "&x a",
        "Infinity",
        "NaN",
        "inf",
        "nan",
    ] {
        let (here, there) = both_read(&server, &format!("\n        a: {scalar}")).await;
        assert_eq!(here != there, READ_OTHERWISE.contains(&scalar), "{scalar}: {here:?} | {there:?}");
    }
    for name in ["a", "a b", "1", "-5", "true", "'y'", "\"010\"", "a.b/c"].iter().chain(&NAMED_OTHERWISE) {
        let (here, there) = both_read(&server, &format!("{{{name}: 1}}")).await;
        assert_eq!(here != there, NAMED_OTHERWISE.contains(name), "{name}: {here:?} | {there:?}");
    }
    for object in [
        "{a: &x [1, {b: c}], d: *x}",
        "{\n      a: [\n      1\n      ]\n      }",
        "\n        a: [\n          1,\n        ]\n        b:\t\"one\n        two\"\n",
        "{a: &x {b: 1, c: 2}, d: {<<: *x, e: 3}}",
        "\n        a: |\n          one\n           two\n        b: >-\n          one\n          two\n",
        "\n        a: one\n         two # three\n        ? b\n        : - 1\n          - - 2\n",
    ] {
        let (here, there) = both_read(&server, object).await;
        assert_eq!(here, there, "{object}: offline | API server");
    }
}

/// How a file is cut and lists are unpacked is kubectl's doing.
#[tokio::test]
async fn files_are_cut_as_kubectl_cuts_them() {
    let namespace = support::namespace("preview-files");
    let json = |name: &str| {
        let spec = json!({ "phoneNumber": "+14155550123", "scheduledFor": "2030-06-03T10:00:00Z" });
        let version = format!("{}/{}", api::GROUP, api::VERSION);
        json!({ "apiVersion": version, "kind": "ScheduledCall", "metadata": { "name": name }, "spec": spec })
    };
    let yaml = |name: &str| call(&format!("{{name: {name}}}"));
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": [json("a"), json("b")] });
    let typed = json!({ "apiVersion": format!("{}/{}", api::GROUP, api::VERSION), "kind": "ScheduledCallList", "items": [json("a")] });
    for text in [
        format!("# heading\n---\n{}--- # next\n{}", yaml("a"), yaml("b")),
        format!("{}---\n---\n# nothing\n---   \n{}---\n", yaml("a"), yaml("b")),
        format!("{}\n{}{}", json("a"), json("b"), json("c")),
        format!("{}\n---\n{}", json("a"), yaml("b")),
        format!("{}---\n{:#}\n---\n{}", yaml("a"), json("b"), yaml("c")),
        format!("{list}"),
        format!("{list:#}\n---\n{}", yaml("c")),
        format!("{typed}"),
        yaml("a").replace('\n', "\r\n") + "---\r\n" + &yaml("b"),
        format!("{}    \n...\n---\n{}", yaml("a"), yaml("b")),
    ] {
        let file = support::write_temporary(&text);
        let kubectl =
            ["create", "--dry-run=server", "--output=name", "--namespace", &namespace, "--filename"];
        let created = support::succeed(support::cluster().kubectl().args(kubectl).arg(&file));
        let there: Vec<&str> = created.lines().filter_map(|line| line.split('/').nth(1)).collect();
        let reading = manifest::read("test", &text);
        let name = |located: &manifest::Located| match &located.manifest {
            Manifest::ScheduledCall(call) => call.metadata.name.clone().unwrap(),
            other => panic!("{other:?}"),
        };
        let here: Vec<String> = reading.manifests.iter().map(name).collect();
        assert_eq!(here, there, "{text}\n{:#?}", reading.problems);
    }
}

/// kubectl keeps the last of two equal names in a YAML file and says nothing; the API server never sees the other. Such a
/// file does not say what its author meant, so here it is refused, as the API server refuses one that is sent as it is.
#[tokio::test]
async fn a_repeated_name_is_refused_although_kubectl_takes_it() {
    let server = Server::connect("preview-twice").await;
    let text = call("{name: a}") + "  agentID: one\n  agentID: two\n";
    let file = support::write_temporary(&text);
    let kubectl = ["create", "--dry-run=server", "--output=jsonpath={.spec.agentID}", "--filename"];
    let namespace = ["--namespace", &server.namespace];
    let kept = support::succeed(support::cluster().kubectl().args(kubectl).arg(&file).args(namespace));
    assert_eq!(kept, "two");
    assert_eq!(server.post("scheduledcalls", &text).await.0, 400);
    assert!(offline(&text).is_err());
}

/// What both keep of a free object.
async fn both_read(server: &Server, object: &str) -> (Verdict, Verdict) {
    let text = format!(
        "apiVersion: {}/{}\nkind: Dialer\nmetadata: {{name: a}}\nspec:\n  http:\n    url: https://example.com\n    method: POST\n    body:\n      json: {object}\n",
        api::GROUP,
        api::VERSION
    );
    let read = |object: Value| object["spec"]["http"]["body"]["json"].clone();
    (offline(&text).map(read), server.judge(&text).await.map(read))
}
