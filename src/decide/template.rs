//! Templates of a Dialer: text with variables in double braces.
//!
//! Promise: strict. An unknown variable or an open brace is an error when the Dialer is read, never at the ring; what
//! is left to the ring cannot fail here. Pure text: no expressions, no files, no environment.

use super::field_error::FieldError;

/// A text with variables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    parts: Vec<TemplatePart>,
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplatePart {
    /// Taken as it is.
    Text(String),
    /// Replaced by a value of the call.
    Value(Variable),
}

/// What a template can ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variable {
    /// Who is rung.
    PhoneNumber,
    /// Shown to the callee.
    CallerId,
    /// `agentID` of the call.
    AgentId,
    /// `userID` of the call.
    UserId,
    /// The parameter of this name.
    Parameter(String),
    /// Number of the attempt.
    Attempt,
    /// Key of the attempt.
    IdempotencyKey,
    /// Nominal time of the call.
    ScheduledTime,
    /// Number of the call in its series.
    Occurrence,
    /// Where the provider reports to.
    CallbackUrl,
    /// How long to let it ring.
    RingTimeoutSeconds,
    /// The provider's name for the call.
    CallId,
}

/// The variables without a name of their own behind them.
const PLAIN: [(&str, Variable); 11] = [
    ("phoneNumber", Variable::PhoneNumber),
    ("callerID", Variable::CallerId),
    ("agentID", Variable::AgentId),
    ("userID", Variable::UserId),
    ("attempt", Variable::Attempt),
    ("idempotencyKey", Variable::IdempotencyKey),
    ("scheduledTime", Variable::ScheduledTime),
    ("occurrence", Variable::Occurrence),
    ("callbackURL", Variable::CallbackUrl),
    ("ringTimeoutSeconds", Variable::RingTimeoutSeconds),
    ("callID", Variable::CallId),
];

const PARAMETER: &str = "parameters.";
const INVALID: &str = "InvalidTemplate";

/// Which of the variables that are not always there a template may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// `callID`: in what is asked after the call was placed.
    pub call_id: bool,
    /// `callbackURL`: where the Dialer has `callbacks`.
    pub callback_url: bool,
}

impl Template {
    /// Reads the text of the field at `path`.
    ///
    /// # Errors
    /// A variable that does not exist or not here, or braces that are not closed.
    pub fn parse(text: &str, path: &str, allowed: Allowed) -> Result<Self, FieldError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("{{") {
            let (name, after) = behind.split_once("}}").ok_or_else(|| {
                let message = "{{ is not closed by }}; a variable is written {{phoneNumber}}";
                FieldError::new(INVALID, path, message)
            })?;
            if !before.is_empty() {
                parts.push(TemplatePart::Text(before.to_owned()));
            }
            parts.push(TemplatePart::Value(variable(name.trim(), path, allowed)?));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(TemplatePart::Text(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// Its pieces, in order.
    pub fn parts(&self) -> &[TemplatePart] {
        &self.parts
    }

    /// Whether it uses this variable.
    pub fn uses(&self, variable: &Variable) -> bool {
        self.parts.iter().any(|part| matches!(part, TemplatePart::Value(used) if used == variable))
    }

    /// Its text, with each variable replaced by what `value` gives for it.
    pub fn fill(&self, mut value: impl FnMut(&Variable) -> String) -> String {
        let piece = |part: &TemplatePart| match part {
            TemplatePart::Text(text) => text.clone(),
            TemplatePart::Value(variable) => value(variable),
        };
        self.parts.iter().map(piece).collect()
    }
}

fn variable(name: &str, path: &str, allowed: Allowed) -> Result<Variable, FieldError> {
    let refuse = |message: String| Err(FieldError::new(INVALID, path, message));
    if let Some(parameter) = name.strip_prefix(PARAMETER) {
        let usable = !parameter.is_empty() && !parameter.contains(['{', '}']);
        return if usable {
            Ok(Variable::Parameter(parameter.to_owned()))
        } else {
            refuse("parameters. wants a name behind it, as in {{parameters.customerId}}".to_owned())
        };
    }
    match PLAIN.iter().find(|(known, _)| *known == name) {
        Some((_, Variable::CallId)) if !allowed.call_id => refuse(
            "callID is known only when the call was placed; it can stand in poll.url and cancel.url"
                .to_owned(),
        ),
        Some((_, Variable::CallbackUrl)) if !allowed.callback_url => {
            refuse("callbackURL needs spec.http.callbacks, which is not set".to_owned())
        }
        Some((_, variable)) => Ok(variable.clone()),
        None => refuse(format!("there is no variable \"{}\"; there are {}", shown(name), names(allowed))),
    }
}

/// Enough of a wrong name to find it again.
fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(64).collect()
}

fn names(allowed: Allowed) -> String {
    let here = |variable: &Variable| match variable {
        Variable::CallId => allowed.call_id,
        Variable::CallbackUrl => allowed.callback_url,
        _ => true,
    };
    let plain = PLAIN.iter().filter(|(_, variable)| here(variable)).map(|(name, _)| *name);
    plain.chain(["parameters.NAME"]).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Allowed = Allowed { call_id: true, callback_url: true };

    fn filled(text: &str) -> String {
        let template = Template::parse(text, "spec.x", ALL).unwrap();
        template.fill(|variable| format!("<{variable:?}>"))
    }

    #[test]
    fn variables_stand_anywhere_and_the_rest_is_text() {
        let cases = [
            ("", ""),
            ("plain } text }} {", "plain } text }} {"),
            ("{{phoneNumber}}", "<PhoneNumber>"),
            ("a{{ callerID }}b{{agentID}}{{userID}}", "a<CallerId>b<AgentId><UserId>"),
            ("{{parameters.customer.id}}", "<Parameter(\"customer.id\")>"),
            ("{{attempt}}/{{idempotencyKey}}", "<Attempt>/<IdempotencyKey>"),
            ("{{scheduledTime}} {{occurrence}}", "<ScheduledTime> <Occurrence>"),
            ("{{callbackURL}}{{ringTimeoutSeconds}}{{callID}}", "<CallbackUrl><RingTimeoutSeconds><CallId>"),
        ];
        for (text, expected) in cases {
            assert_eq!(filled(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_an_error_that_names_the_field_and_what_there_is() {
        let cases = [
            ("{{phonenumber}}", ALL, "there is no variable \"phonenumber\"; there are phoneNumber, callerID"),
            ("{{}}", ALL, "there is no variable \"\""),
            ("{{env.HOME}}", ALL, "there is no variable \"env.HOME\""),
            ("{{{phoneNumber}}}", ALL, "there is no variable \"{phoneNumber\""),
            ("{{parameters.}}", ALL, "wants a name"),
            ("{{phoneNumber", ALL, "is not closed"),
            ("{{phoneNumber}", ALL, "is not closed"),
            ("{{callID}}", Allowed { call_id: false, ..ALL }, "only when the call was placed"),
            ("{{callbackURL}}", Allowed { callback_url: false, ..ALL }, "spec.http.callbacks"),
        ];
        for (text, allowed, expected) in cases {
            let error = Template::parse(text, "spec.x", allowed).unwrap_err();
            assert_eq!((error.path.as_str(), error.reason), ("spec.x", INVALID));
            assert!(error.message.contains(expected), "{text}: {}", error.message);
        }
        let error = Template::parse("{{x}}", "spec.x", Allowed::default()).unwrap_err();
        assert!(!error.message.contains("callID") && !error.message.contains("callbackURL"), "{error}");
    }
}
