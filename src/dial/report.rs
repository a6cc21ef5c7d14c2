//! What a provider's report says: a JSON or form body, read by the pointers of the Dialer. Pure.

use super::reply::{identifier, word};
use crate::decide::{CallEnd, CallbackPlan, Report};
use serde_json::{Map, Value};

/// Reads the body of a report. JSON unless it says that it is a form.
///
/// # Errors
/// What it lacks, without quoting it.
pub fn read_report(plan: &CallbackPlan, content_type: Option<&str>, body: &[u8]) -> Result<Report, String> {
    let report = parse(content_type, body)?;
    let state = report.pointer(&plan.state_pointer).and_then(word);
    let state = state.ok_or_else(|| format!("the report has no state at {}", plan.state_pointer))?;
    let at = |pointer: &Option<String>| report.pointer(pointer.as_deref()?);
    let end = plan.states.iter().find(|(value, _)| *value == state);
    Ok(Report {
        call_id: at(&plan.call_id_pointer).and_then(identifier),
        end: end.map_or(CallEnd::Awaited, |(_, outcome)| CallEnd::Known(outcome.clone())),
        sequence: at(&plan.sequence_pointer).and_then(word).and_then(|number| number.parse().ok()),
    })
}

fn parse(content_type: Option<&str>, body: &[u8]) -> Result<Value, String> {
    let form = content_type.is_some_and(|type_| type_.starts_with("application/x-www-form-urlencoded"));
    if form {
        let fields = form_urlencoded::parse(body);
        let fields: Map<String, Value> =
            fields.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect();
        return Ok(Value::Object(fields));
    }
    serde_json::from_slice(body)
        .map_err(|_| "the report is neither JSON nor says that it is a form".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{CallbackVerificationType, Outcome};
    use crate::decide::{SecretKey, VerificationPlan};

    fn plan(call_id: Option<&str>, sequence: Option<&str>) -> CallbackPlan {
        let text = |text: &str| text.to_owned();
        CallbackPlan {
            code_key: SecretKey { name: text("s"), key: text("k") },
            verification: VerificationPlan {
                kind: CallbackVerificationType::Token,
                header: String::new(),
                key: None,
            },
            call_id_pointer: call_id.map(str::to_owned),
            state_pointer: text("/CallStatus"),
            states: vec![(text("completed"), Outcome::Answered), (text("17"), Outcome::Busy)],
            sequence_pointer: sequence.map(str::to_owned),
        }
    }

    #[test]
    fn a_report_is_read_as_json_or_as_a_form() {
        let numbered = plan(Some("/CallSid"), Some("/SequenceNumber"));
        let ended = Report {
            call_id: Some("CA1".to_owned()),
            end: CallEnd::Known(Outcome::Answered),
            sequence: Some(3),
        };
        let form = b"CallStatus=completed&CallSid=CA1&SequenceNumber=3";
        let type_ = Some("application/x-www-form-urlencoded; charset=utf-8");
        assert_eq!(read_report(&numbered, type_, form), Ok(ended.clone()));
        let json = br#"{"CallStatus":"completed","CallSid":"CA1","SequenceNumber":3}"#;
        assert_eq!(read_report(&numbered, Some("application/json"), json), Ok(ended.clone()));
        assert_eq!(read_report(&numbered, None, json), Ok(ended));
    }

    #[test]
    fn a_word_that_ends_nothing_says_that_the_call_goes_on() {
        let end = |body: &[u8]| read_report(&plan(None, None), None, body).map(|report| report.end);
        assert_eq!(end(br#"{"CallStatus":"ringing"}"#), Ok(CallEnd::Awaited));
        assert_eq!(end(br#"{"CallStatus":17}"#), Ok(CallEnd::Known(Outcome::Busy)));
        assert!(end(br#"{"status":"completed"}"#).unwrap_err().contains("/CallStatus"));
        assert!(end(br#"{"CallStatus":{"a":1}}"#).is_err());
        assert!(end(b"CallStatus=completed").is_err(), "a form must say so");
        assert!(end(b"\xff\xfe").is_err());
    }
}
