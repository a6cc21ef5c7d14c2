//! 400 cases computed by an independent implementation (see `oracle/README.md`).

use call_operator::decide::Defaults;
use call_operator::preview::{Output, Question, preview, print};
use serde_json::Value;

/// Our answer in the words of the case.
fn answer(case: &Value, defaults: &Defaults) -> Value {
    let documents: Vec<String> = case["manifests"].as_array().unwrap().iter().map(Value::to_string).collect();
    let now = case["now"].as_str().unwrap().parse().unwrap();
    let files = vec![("case".to_owned(), documents.join("\n---\n"))];
    let count = usize::try_from(case["count"].as_u64().unwrap()).unwrap();
    let answer = preview(&Question { files, now, count, defaults });
    assert!(answer.problems.is_empty(), "{}: {:?}", case["id"], answer.problems);
    serde_json::from_str(&print(&answer.rows, Output::Json, now).unwrap()).unwrap()
}

#[test]
fn an_independent_implementation_gives_the_same_times() {
    let cases = include_str!("oracle/cases.jsonl");
    let defaults = Defaults::built_in();
    let (mut compared, mut entries) = (0, 0);
    for line in cases.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let ours = answer(&case, &defaults);
        let (ours_list, theirs) = (ours.as_array().unwrap(), case["expected"].as_array().unwrap());
        let differs = ours_list.iter().zip(theirs).position(|(one, other)| one != other);
        let at = differs.unwrap_or(ours_list.len().min(theirs.len()));
        let (one, other) = (ours_list.get(at), theirs.get(at));
        assert_eq!(one, other, "case {} ({}), call {at}, of {}", case["id"], case["tags"], case["manifests"]);
        compared += 1;
        entries += ours.as_array().unwrap().len();
    }
    println!("{compared} cases, {entries} calls");
    assert!(compared == 400 && entries > 1000);
}
