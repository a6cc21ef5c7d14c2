//! The golden objects are what the operator makes of real ones: nobody has written them.

use crate::cases::KINDS;
use crate::generated::{check, is_update, of_kind};
use crate::normal::normalised;
use crate::stage::portraits;
use serde_json::Value;
use std::collections::BTreeSet;

/// The golden object of a case, read from its file.
pub fn golden(kind: &str, name: &str) -> Value {
    let path = of_kind(kind, &format!("testdata/{name}.yaml"));
    serde_saphyr::from_str(&crate::generated::read(&path)).unwrap()
}

#[test]
fn golden_objects_are_what_the_operator_gives() {
    for (kind, cases) in KINDS {
        for case in cases {
            let portrait = portraits().get(&(kind, case.name));
            let portrait = portrait.unwrap_or_else(|| panic!("nobody has played {kind} {}", case.name));
            let yaml = serde_saphyr::to_string(&normalised(portrait)).unwrap();
            check(&of_kind(kind, &format!("testdata/{}.yaml", case.name)), &yaml);
        }
    }
}

#[test]
fn there_is_no_golden_object_without_a_case() {
    for (kind, cases) in KINDS {
        let wanted: BTreeSet<String> = cases.iter().map(|case| format!("{}.yaml", case.name)).collect();
        let entries = std::fs::read_dir(of_kind(kind, "testdata")).unwrap();
        for file in entries.map(|entry| entry.unwrap()) {
            let name = file.file_name().to_string_lossy().into_owned();
            if is_update() && !wanted.contains(&name) {
                std::fs::remove_file(file.path()).unwrap();
            } else {
                assert!(wanted.contains(&name), "{kind}: testdata/{name} has no case");
            }
        }
    }
}
