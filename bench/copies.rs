//! Copies of stored calls, each with a name, a uid and a number of its own. Pure.

use crate::etcd::Pair;
use serde_json::{Value, json};

/// A copy of a call as it is stored. `number` tells it from all others.
pub fn copy(original: &Pair, number: usize) -> Result<Pair, String> {
    let mut object: Value =
        serde_json::from_str(&original.value).map_err(|error| format!("{}: {error}", original.key))?;
    let name = format!("copy-{number:07}");
    let (folder, _) = original.key.rsplit_once('/').ok_or_else(|| format!("no key: {}", original.key))?;
    let phone_number = format!("+1666{number:07}");
    object["metadata"]["name"] = json!(name);
    object["metadata"]["uid"] = json!(format!("c0b1e5c0-0000-4000-8000-{number:012x}"));
    object["spec"]["phoneNumber"] = json!(phone_number);
    object["spec"]["parameters"]["customerId"] = json!(phone_number);
    Ok(Pair { key: format!("{folder}/{name}"), value: object.to_string() })
}

#[cfg(test)]
mod tests {
    use super::copy;
    use crate::etcd::Pair;
    use serde_json::{Value, json};

    #[test]
    fn a_copy_differs_in_who_it_is_and_in_nothing_else() {
        let object = json!({
            "metadata": {"name": "a", "namespace": "n", "uid": "u", "generation": 1},
            "spec": {"phoneNumber": "+15550000000", "scheduledFor": "2030-01-01T00:00:00Z", "parameters": {}},
            "status": {"state": "Pending"},
        });
        let original = Pair { key: "/registry/g/scheduledcalls/n/a".to_owned(), value: object.to_string() };
        let copied = copy(&original, 300).unwrap();
        assert_eq!(copied.key, "/registry/g/scheduledcalls/n/copy-0000300");
        let copied: Value = serde_json::from_str(&copied.value).unwrap();
        assert_eq!(copied["metadata"]["name"], "copy-0000300");
        assert_eq!(copied["metadata"]["uid"], "c0b1e5c0-0000-4000-8000-00000000012c");
        assert_eq!(copied["metadata"]["generation"], 1);
        assert_eq!(copied["spec"]["phoneNumber"], "+16660000300");
        assert_eq!(copied["spec"]["scheduledFor"], object["spec"]["scheduledFor"]);
        assert_eq!(copied["status"], object["status"]);
        assert_ne!(copy(&original, 301).unwrap().key, copy(&original, 300).unwrap().key);
    }
}
