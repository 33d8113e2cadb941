//! `--ask`: asks a person before each write.
//!
//! Up to protocol 2025-11-25 the server sends the client a request; since 2026-07-28 its reply to the call contains
//! the question, and the client calls again. Only the client's answer itself is trusted: the server sends a nonce, and
//! compares the repeated call with the question that it kept.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use colony_core::idempotency;
use rmcp::{
    RoleServer,
    model::{
        CallToolRequestParams, ClientResult, ElicitRequest, ElicitRequestParams, ElicitationAction,
        ElicitationSchema, InputRequest, InputRequiredResult, ProtocolVersion, ServerRequest,
    },
    service::RequestContext,
};
use serde_json::Value;

/// How many questions are kept, and for how long.
const MOST: usize = 64;
const PATIENCE: Duration = Duration::from_secs(600);
/// The question's name.
const QUESTION: &str = "confirm";

/// The result of asking.
pub(super) enum Asked {
    Accepted,
    /// The client must ask, and call again.
    Later(Box<InputRequiredResult>),
    Refused(&'static str),
}

/// Unanswered questions.
#[derive(Default)]
pub(super) struct Questions(Mutex<VecDeque<Question>>);

struct Question {
    nonce: String,
    /// The tool and its arguments.
    about: String,
    asked: Instant,
}

impl Questions {
    /// Asks whether the described call may be made.
    pub(super) async fn ask(
        &self,
        told: String,
        request: &CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Asked {
        let about = about(request);
        let can_ask = context.client_capabilities().is_some_and(|can| can.elicitation.is_some());
        if context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28) {
            return match (&request.request_state, &request.input_responses) {
                (None, _) if !can_ask => Asked::Refused("this client cannot ask a person (elicitation)"),
                (None, _) => self.put(told, about),
                (Some(nonce), answers) => {
                    if !self.take(nonce, &about) {
                        return Asked::Refused("this is not what a person was asked about");
                    }
                    let action = answers.as_ref().and_then(|answers| answers.get(QUESTION)?.get("action"));
                    answered(action.and_then(Value::as_str))
                }
            };
        }
        if !can_ask {
            return Asked::Refused("this client cannot ask a person (elicitation)");
        }
        let question = ServerRequest::ElicitRequest(ElicitRequest::new(form(told)));
        let answer = tokio::time::timeout(PATIENCE, context.peer.send_request(question)).await;
        match answer {
            Ok(Ok(ClientResult::ElicitResult(result))) => match result.action {
                ElicitationAction::Accept => Asked::Accepted,
                ElicitationAction::Decline => answered(Some("decline")),
                _ => answered(Some("cancel")),
            },
            Ok(Ok(_)) => Asked::Refused("the client's reply does not fit this question"),
            Ok(Err(_)) => Asked::Refused("the client could not ask a person"),
            Err(_) => Asked::Refused("nobody answered within ten minutes"),
        }
    }

    fn put(&self, told: String, about: String) -> Asked {
        let nonce = idempotency::new_key();
        let mut questions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if questions.len() >= MOST {
            questions.pop_front();
        }
        questions.push_back(Question { nonce: nonce.clone(), about, asked: Instant::now() });
        let requests = [(QUESTION.to_owned(), InputRequest::Elicitation(ElicitRequest::new(form(told))))];
        Asked::Later(Box::new(InputRequiredResult::new(Some(requests.into_iter().collect()), Some(nonce))))
    }

    /// Takes a question, which can be answered once. Returns whether it was about this call.
    fn take(&self, nonce: &str, about: &str) -> bool {
        let mut questions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(at) = questions.iter().position(|question| question.nonce == nonce) else { return false };
        let question = questions.remove(at);
        question.is_some_and(|question| question.about == about && question.asked.elapsed() < PATIENCE)
    }
}

fn answered(action: Option<&str>) -> Asked {
    match action {
        Some("accept") => Asked::Accepted,
        Some("decline") => Asked::Refused("a person was asked and declined"),
        Some("cancel") => Asked::Refused("a person was asked and gave no answer"),
        _ => Asked::Refused("the client's reply does not fit this question"),
    }
}

fn form(message: String) -> ElicitRequestParams {
    let requested_schema = ElicitationSchema::new(std::collections::BTreeMap::new());
    ElicitRequestParams::FormElicitationParams { meta: None, message, requested_schema }
}

/// Identifies a call, with its fields in order so that equal calls are equal.
fn about(request: &CallToolRequestParams) -> String {
    let arguments = request.arguments.clone().unwrap_or_default();
    format!("{} {}", request.name, super::canonical(&Value::Object(arguments)))
}
