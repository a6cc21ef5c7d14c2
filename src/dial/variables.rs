//! The values of template variables for one attempt. Pure.

use crate::api::{Attempt, OCCURRENCE_ANNOTATION, ScheduledCall};
use crate::decide::Variable;

/// What a template of a Dialer can ask for, of one attempt.
#[derive(Clone, Copy, Debug)]
pub struct Variables<'a> {
    /// The live object.
    pub call: &'a ScheduledCall,
    /// Its attempt.
    pub attempt: &'a Attempt,
    /// Shown to the callee when the call names no other.
    pub dialer_caller_id: Option<&'a str>,
    /// Where the provider reports on this attempt.
    pub callback_url: Option<&'a str>,
}

impl Variables<'_> {
    /// The value; empty where the call has none.
    pub fn value(&self, variable: &Variable) -> String {
        let spec = &self.call.spec;
        let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
        match variable {
            Variable::PhoneNumber => spec.phone_number.clone(),
            Variable::CallerId => text(self.caller_id()),
            Variable::AgentId => text(spec.agent_id.as_deref()),
            Variable::UserId => text(spec.user_id.as_deref()),
            Variable::Parameter(name) => {
                text(spec.parameters.as_ref().and_then(|all| all.get(name)).map(String::as_str))
            }
            Variable::Attempt => self.attempt.number.to_string(),
            Variable::IdempotencyKey => self.attempt.key.clone(),
            Variable::ScheduledTime => self.scheduled_time(),
            Variable::Occurrence => text(self.occurrence()),
            Variable::CallbackUrl => text(self.callback_url),
            Variable::RingTimeoutSeconds => {
                spec.ring_timeout_seconds.map(|seconds| seconds.to_string()).unwrap_or_default()
            }
            Variable::CallId => text(self.attempt.call_id.as_deref()),
        }
    }

    /// The call's own, or the Dialer's.
    pub fn caller_id(&self) -> Option<&str> {
        self.call.spec.caller_id.as_deref().or(self.dialer_caller_id)
    }

    /// The nominal time of the call, in UTC.
    pub fn scheduled_time(&self) -> String {
        let scheduled = self.call.status.as_ref().and_then(|status| status.scheduled_time);
        scheduled.unwrap_or(self.attempt.not_before).to_string()
    }

    /// Number of the call in its series, as the series has noted it.
    fn occurrence(&self) -> Option<&str> {
        self.call.metadata.annotations.as_ref()?.get(OCCURRENCE_ANNOTATION).map(String::as_str)
    }
}
