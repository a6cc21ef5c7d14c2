//! Plan of an http dialer: which requests it makes, what it needs for them, and how answers are read.
//!
//! Promise: everything that can be checked without a call has been checked; nothing later reads the raw spec.

use super::address::Target;
use super::template::Template;
use crate::api::{CallbackVerificationType, HttpErrorResult, Outcome};
use http::Method;
use serde_json::Value;
use std::time::Duration;

/// An http dialer that can be used.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpPlan {
    /// The request that places a call.
    pub request: RequestPlan,
    /// How every request proves who sends it.
    pub auth: Option<AuthPlan>,
    /// When an answer means that the call was placed.
    pub success: SuccessPlan,
    /// Answers that mean something else than by default, in order.
    pub errors: Vec<ErrorRule>,
    /// How it is asked what became of a call.
    pub poll: Option<PollPlan>,
    /// How a call is found by its key.
    pub lookup: Option<LookupPlan>,
    /// How a call is ended.
    pub cancel: Option<CancelPlan>,
    /// How the provider reports.
    pub callbacks: Option<CallbackPlan>,
    /// What the requests need from Secrets; each once.
    pub secrets: Vec<SecretKey>,
    /// Every host that is asked, with the field that names it.
    pub targets: Vec<Target>,
}

impl HttpPlan {
    /// Whether anything is heard of a call after it was placed.
    pub fn reports(&self) -> bool {
        self.poll.is_some() || self.callbacks.is_some()
    }
}

/// A key of a Secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretKey {
    /// Name of the Secret.
    pub name: String,
    /// The key in it.
    pub key: String,
}

/// The request that places a call.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestPlan {
    /// Its method.
    pub method: Method,
    /// Where it goes.
    pub url: Template,
    /// What is appended to the query of the URL.
    pub query: Vec<(String, Template)>,
    /// Headers beside the operator's own; one of the same name replaces the operator's.
    pub headers: Vec<HeaderPlan>,
    /// What it carries.
    pub body: BodyPlan,
}

/// One header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderPlan {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: HeaderSource,
}

/// Where the value of a header comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderSource {
    /// The spec.
    Template(Template),
    /// A Secret; taken as it is.
    Secret(SecretKey),
}

/// Body of the request.
#[derive(Clone, Debug, PartialEq)]
pub enum BodyPlan {
    /// None: a GET.
    Empty,
    /// The JSON object of the old service.
    Contract,
    /// A JSON object of the user's.
    Json(JsonTemplate),
    /// Fields of a form.
    Form(Vec<(String, Template)>),
}

/// JSON in which strings are templates.
#[derive(Clone, Debug, PartialEq)]
pub enum JsonTemplate {
    /// Number, boolean or null.
    Fixed(Value),
    /// A string.
    Text(Template),
    /// A list.
    List(Vec<JsonTemplate>),
    /// An object; its names are taken as they are.
    Object(Vec<(String, JsonTemplate)>),
}

/// How a request proves who sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthPlan {
    /// `Authorization: Basic`, from one key that holds `user:password`.
    BasicPair(SecretKey),
    /// `Authorization: Basic`, from two keys.
    Basic {
        /// Holds the user.
        user: SecretKey,
        /// Holds the password.
        password: SecretKey,
    },
    /// `Authorization: Bearer`.
    Bearer(SecretKey),
    /// A header of the provider's choice.
    Header {
        /// Its name.
        name: String,
        /// Holds its value.
        value: SecretKey,
    },
}

/// When an answer means that the call was placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuccessPlan {
    /// The codes that mean it; `None` = every 2xx.
    pub status_codes: Option<Vec<u16>>,
    /// Must find `true`.
    pub pointer: Option<String>,
    /// Finds the provider's name for the call.
    pub call_id: IdPointer,
}

/// Where the provider's name for a call stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdPointer {
    /// JSON pointer.
    pub pointer: String,
    /// The user has named it: an answer without is not understood.
    pub required: bool,
}

/// What answers of one kind mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorRule {
    /// Which answers.
    pub fits: ErrorMatch,
    /// What they say of the call.
    pub result: HttpErrorResult,
    /// The outcome, where the spec names one.
    pub reason: Option<Outcome>,
}

/// Which answers an [`ErrorRule`] is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorMatch {
    /// Those with one of these status codes.
    StatusCodes(Vec<u16>),
    /// Those where the pointer finds one of the values.
    Body {
        /// JSON pointer.
        pointer: String,
        /// The values.
        values: Vec<String>,
    },
}

/// The provider's words for an ended call, and what they mean.
pub type States = Vec<(String, Outcome)>;

/// How it is asked what became of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PollPlan {
    /// Where.
    pub url: Template,
    /// Time between two questions about one call.
    pub every: Duration,
    /// Finds the provider's word for the state of the call.
    pub state_pointer: String,
    /// What the words mean.
    pub states: States,
    /// What it means that the provider does not know the call.
    pub not_found: Option<Outcome>,
}

/// How a call is found by its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookupPlan {
    /// Where.
    pub url: Template,
    /// Finds the list of calls; `None` = the reply is the call.
    pub items_pointer: Option<String>,
    /// Finds the identifier within the call.
    pub call_id: IdPointer,
}

/// How a call is ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CancelPlan {
    /// Method of the request.
    pub method: Method,
    /// Where it goes.
    pub url: Template,
}

/// How the provider reports what becomes of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackPlan {
    /// From its value the code in each `callbackURL` is made.
    pub code_key: SecretKey,
    /// What else a report must carry.
    pub verification: VerificationPlan,
    /// Finds the provider's name for the call in the report.
    pub call_id_pointer: Option<String>,
    /// Finds the provider's word for the state of the call.
    pub state_pointer: String,
    /// What the words mean.
    pub states: States,
    /// Finds the number of the report.
    pub sequence_pointer: Option<String>,
}

impl CallbackPlan {
    /// What believing a report needs from Secrets.
    pub fn secrets(&self) -> Vec<SecretKey> {
        let mut keys = vec![self.code_key.clone()];
        keys.extend(self.verification.key.clone());
        keys
    }
}

/// What a report must carry beside the code in its URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationPlan {
    /// How the sender signs; `Token` = not at all.
    pub kind: CallbackVerificationType,
    /// The header that carries the signature.
    pub header: String,
    /// Holds the key with which the provider signs; there unless `kind` is `Token`.
    pub key: Option<SecretKey>,
}
