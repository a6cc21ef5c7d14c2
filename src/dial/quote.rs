//! What may be repeated of a provider's answer: a short message, without numbers and secrets. Pure.
//!
//! Promise: no phone number, however it is written, and no value of a Secret that was used passes through here.

use super::Credentials;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// Longest message that is repeated.
const QUOTE_LIMIT: usize = 160;

/// Fewer digits than this are a code or a status, not a phone number.
const DIGITS_OF_A_NUMBER: usize = 7;

/// Shorter values would blot out ordinary words, and protect nothing.
const SHORTEST_SECRET: usize = 4;

/// Hexadecimal words this long prove something.
const CODE_LENGTH: usize = 32;

const HIDDEN: &str = "[hidden]";

/// Where providers put a message for people.
const MESSAGES: [&str; 9] = [
    "/message",
    "/error/message",
    "/error_message",
    "/detail",
    "/errors/0/detail",
    "/errors/0/message",
    "/error/detail",
    "/title",
    "/error",
];

/// The message for people in an answer, if it has one.
pub fn message(reply: Option<&Value>, credentials: &Credentials) -> Option<String> {
    let reply = reply?;
    let text = MESSAGES.iter().find_map(|pointer| reply.pointer(pointer)?.as_str())?;
    // Hidden before it is cut: half a number or secret would not be known for one.
    let text = without_numbers(&without_codes(&without_secrets(text, credentials)));
    let shown: String = text.chars().filter(|c| !c.is_control()).take(QUOTE_LIMIT).collect();
    Some(shown.trim().to_owned()).filter(|shown| !shown.is_empty())
}

/// The text with the values of the Secrets hidden, also in the form that an `Authorization: Basic` header gives them.
pub fn without_secrets(text: &str, credentials: &Credentials) -> String {
    let values: Vec<&str> =
        credentials.values().filter_map(|value| std::str::from_utf8(value).ok()).collect();
    let pairs = values.iter().flat_map(|user| values.iter().map(move |word| format!("{user}:{word}")));
    let encoded =
        values.iter().map(|value| (*value).to_owned()).chain(pairs).map(|pair| STANDARD.encode(pair));
    // The longest first: one may be a part of another.
    let mut hidden: Vec<String> = values.iter().map(|value| (*value).to_owned()).chain(encoded).collect();
    hidden.sort_by_key(|value| std::cmp::Reverse(value.len()));
    hidden
        .iter()
        .filter(|value| value.len() >= SHORTEST_SECRET)
        .fold(text.to_owned(), |text, value| text.replace(value.as_str(), HIDDEN))
}

/// The text without long hexadecimal words, which the code in a `callbackURL` is.
fn without_codes(text: &str) -> String {
    let is_code = |word: &&str| word.len() >= CODE_LENGTH;
    let words = text.split(|c: char| !c.is_ascii_hexdigit());
    words.filter(is_code).fold(text.to_owned(), |text, word| text.replace(word, HIDDEN))
}

/// The text without anything that could be a phone number: digits with at most two blanks or signs between them.
fn without_numbers(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut run = String::new();
    for c in text.chars().chain(['\n']) {
        let trailing = run.chars().rev().take_while(|c| !c.is_numeric()).count();
        if c.is_numeric() || (!run.is_empty() && " -.()/".contains(c) && trailing < 2) {
            run.push(c);
            continue;
        }
        shown.push_str(&shown_run(&run));
        run.clear();
        shown.push(c);
    }
    shown.pop();
    shown
}

fn shown_run(run: &str) -> String {
    if run.chars().filter(|c| c.is_numeric()).count() < DIGITS_OF_A_NUMBER {
        return run.to_owned();
    }
    let end = run.trim_end_matches(|c: char| !c.is_numeric()).len();
    format!("{HIDDEN}{}", &run[end..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::SecretKey;
    use serde_json::json;

    fn credentials(values: &[&str]) -> Credentials {
        let key = |key: &str| SecretKey { name: "s".to_owned(), key: key.to_owned() };
        Credentials::new(values.iter().map(|value| (key(value), value.as_bytes().to_vec())).collect())
    }

    #[test]
    fn numbers_are_hidden_however_they_are_written() {
        let cases = [
            ("The number +14155550123 is not valid", "The number +[hidden] is not valid"),
            ("to=%2B14155550123&x", "to=%2B[hidden]&x"),
            ("(415) 555-0123.", "([hidden]."),
            ("1 415 555 0123", "[hidden]"),
            ("tel:+1.415.555.0123;ext", "tel:+[hidden];ext"),
            ("٤١٥٥٥٥٠١٢٣", "[hidden]"),
            ("code 21211, HTTP 400", "code 21211, HTTP 400"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(without_numbers(text), expected, "{text}");
        }
    }

    #[test]
    fn secrets_are_hidden_in_every_form_in_which_they_were_sent() {
        let used = credentials(&["AC123", "hunter22", "abc"]);
        let basic = STANDARD.encode("AC123:hunter22");
        let text = format!("user AC123 word hunter22 header Basic {basic} short abc");
        let expected = "user [hidden] word [hidden] header Basic [hidden] short abc";
        assert_eq!(without_secrets(&text, &used), expected);
    }

    #[test]
    fn a_message_is_taken_from_where_providers_put_it_and_cut() {
        let none = credentials(&[]);
        let cases = [
            (json!({"message": "no such agent"}), Some("no such agent")),
            (json!({"error": {"message": "no such agent"}}), Some("no such agent")),
            (json!({"error": "no such agent"}), Some("no such agent")),
            (json!({"errors": [{"detail": "no such\nagent"}]}), Some("no suchagent")),
            (
                json!({"message": format!("bad url /x/{}/y", "c0de".repeat(16))}),
                Some("bad url /x/[hidden]/y"),
            ),
            (json!({"other": "x"}), None),
            (json!({"message": "\n"}), None),
            (json!([]), None),
        ];
        for (reply, expected) in cases {
            assert_eq!(message(Some(&reply), &none).as_deref(), expected, "{reply}");
        }
        let long = json!({"message": "y".repeat(1000)});
        assert_eq!(message(Some(&long), &none).unwrap().len(), QUOTE_LIMIT);
        let cut = json!({"message": format!("{}canary-secret", "y".repeat(QUOTE_LIMIT - 6))});
        assert!(!message(Some(&cut), &credentials(&["canary-secret"])).unwrap().contains("canary"));
        assert_eq!(message(None, &credentials(&[])), None);
    }
}
