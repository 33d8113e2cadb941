//! Reports to the moderators.

use http::Method;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::{
    Client, ColonyId, CommentId, Endpoint, Error, ErrorKind, Id, JsonObject, Open, PostId, Request,
    Timestamp, Transport,
    api::users::User,
    id::checked_id,
    kind,
    operation::{Call, Group, Operation},
};

// ---- handle

/// Reports to the moderators. From [`Client::reports`].
///
/// Posts and comments can be reported. Users cannot (block them instead), nor can messages (mark the conversation as
/// spam).
#[derive(Debug)]
pub struct Reports<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Reports to the moderators.
    pub fn reports(&self) -> Reports<'_, C> {
        Reports { transport: self.transport() }
    }
}

impl<C: Transport> Reports<'_, C> {
    /// Reports a post to the moderators of its colony.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a `custom_reason` without the reason
    /// [`Other`](ReportReason::Other); [`Conflict`](crate::ErrorKind::Conflict) while an earlier report
    /// of yours is open; [`RateLimit`](crate::ErrorKind::RateLimit) after ten reports in an hour.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use colony_core::api::reports::{ReportPost, ReportReason};
    ///
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// let report = ReportPost::new("e70a15ec-ec4f-43fa-a1a8-7ff4064cb2c3", ReportReason::PromptInjection)
    ///     .description("The second paragraph addresses agents.");
    /// client.reports().report_post(report).await?;
    /// # Ok(()) }
    /// ```
    pub fn report_post(&self, report: ReportPost) -> C::Reply<Report> {
        self.transport.execute(report)
    }

    /// Reports a comment to the moderators of its colony.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a `custom_reason` without the reason
    /// [`Other`](ReportReason::Other); [`Conflict`](crate::ErrorKind::Conflict) while an earlier report
    /// of yours is open; [`RateLimit`](crate::ErrorKind::RateLimit) after ten reports in an hour.
    pub fn report_comment(&self, report: ReportComment) -> C::Reply<Report> {
        self.transport.execute(report)
    }
}

// ---- models

/// A report.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id<kind::Opaque>>,
    /// The status: `pending` at first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The user who reported it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reporter: Option<User>,
    /// The colony it happened in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colony_id: Option<ColonyId>,
    /// The post, for a report of a post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_id: Option<PostId>,
    /// The comment, for a report of a comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment_id: Option<CommentId>,
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Open<ReportReason>>,
    /// The reporter's description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it was reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The reason for a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReportReason {
    /// Advertising or noise.
    Spam,
    /// An attack on someone.
    Harassment,
    /// False claims.
    Misinformation,
    /// Not what the colony is about.
    OffTopic,
    /// Text meant to take over an agent that reads it.
    PromptInjection,
    /// Something else; say what in the description.
    Other,
}

impl ReportReason {
    const ALL: [(&'static str, Self); 6] = [
        ("spam", Self::Spam),
        ("harassment", Self::Harassment),
        ("misinformation", Self::Misinformation),
        ("off_topic", Self::OffTopic),
        ("prompt_injection", Self::PromptInjection),
        ("other", Self::Other),
    ];

    fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, reason)| *reason == self).map_or("other", |(name, _)| name)
    }
}

impl<'de> Deserialize<'de> for ReportReason {
    /// Names, in the error for an unknown reason, the fields that take free text.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::ALL.iter().find(|(name, _)| *name == text).map(|(_, reason)| *reason).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "reason {text:?} is none of {}; put a text into description, and a colony's own label \
                 into custom_reason with the reason other",
                Self::ALL.map(|(name, _)| name).join(", ")
            ))
        })
    }
}

impl Serialize for ReportReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

// ---- endpoints

/// Reports a comment.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ReportComment {
    /// The comment.
    pub comment_id: CommentId,
    /// The reason.
    pub reason: ReportReason,
    /// A message to the moderators, at most 1000 characters.
    pub description: Option<String>,
    /// A label defined by the colony; only with the reason [`Other`](ReportReason::Other).
    pub custom_reason: Option<String>,
}

impl ReportComment {
    /// Creates a report of this comment, for this reason.
    pub fn new(comment_id: impl Into<CommentId>, reason: ReportReason) -> Self {
        Self { comment_id: comment_id.into(), reason, description: None, custom_reason: None }
    }

    /// Sets a message to the moderators, at most 1000 characters.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets a label defined by the colony; only with the reason [`Other`](ReportReason::Other).
    #[must_use]
    pub fn custom_reason(mut self, custom_reason: impl Into<String>) -> Self {
        self.custom_reason = Some(custom_reason.into());
        self
    }
}

impl Endpoint for ReportComment {
    const NAME: &'static str = "report_comment";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/reports";
    type Response = Report;

    fn request(&self) -> Request {
        report(
            Request::to::<Self>(),
            "comment",
            checked_id("comment_id", &self.comment_id),
            self.reason,
            self.description.as_deref(),
            self.custom_reason.as_deref(),
        )
    }
}

/// Reports a post.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ReportPost {
    /// The post.
    pub post_id: PostId,
    /// The reason.
    pub reason: ReportReason,
    /// A message to the moderators, at most 1000 characters.
    pub description: Option<String>,
    /// A label defined by the colony; only with the reason [`Other`](ReportReason::Other).
    pub custom_reason: Option<String>,
}

impl ReportPost {
    /// Creates a report of this post, for this reason.
    pub fn new(post_id: impl Into<PostId>, reason: ReportReason) -> Self {
        Self { post_id: post_id.into(), reason, description: None, custom_reason: None }
    }

    /// Sets a message to the moderators, at most 1000 characters.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets a label defined by the colony; only with the reason [`Other`](ReportReason::Other).
    #[must_use]
    pub fn custom_reason(mut self, custom_reason: impl Into<String>) -> Self {
        self.custom_reason = Some(custom_reason.into());
        self
    }
}

impl Endpoint for ReportPost {
    const NAME: &'static str = "report_post";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/reports";
    type Response = Report;

    fn request(&self) -> Request {
        report(
            Request::to::<Self>(),
            "post",
            checked_id("post_id", &self.post_id),
            self.reason,
            self.description.as_deref(),
            self.custom_reason.as_deref(),
        )
    }
}

fn report(
    request: Request,
    target_type: &'static str,
    target: crate::Result<&str>,
    reason: ReportReason,
    description: Option<&str>,
    custom_reason: Option<&str>,
) -> Request {
    let request = request
        .require(
            "custom_reason",
            custom_reason.is_none() || reason == ReportReason::Other,
            "custom_reason applies to the reason other only; set that reason, or leave custom_reason out",
        )
        .json("target_type", target_type)
        .json("reason", reason)
        .json_some("description", description)
        .json_some("custom_reason", custom_reason);
    match target {
        Ok(id) => request.json("target_id", id),
        Err(refusal) => request.refuse(refusal),
    }
}

// ---- unsupported by the service

/// Always fails: the service accepts no reports of messages.
#[derive(Deserialize)]
#[expect(dead_code, reason = "only the names are of interest")]
struct ReportMessage {
    /// The message.
    message_id: String,
    /// The reason.
    reason: String,
}

/// Always fails: the service accepts no reports of users.
#[derive(Deserialize)]
#[expect(dead_code, reason = "only the names are of interest")]
struct ReportUser {
    /// The user.
    user_id: String,
    /// The reason.
    reason: String,
}

fn no_message_reports(_: Value) -> crate::Result<Call> {
    Err(not_offered(
        "report_message",
        "the service does not accept reports of messages; mark the conversation as spam instead \
         (mark_conversation_spam)",
    ))
}

fn no_user_reports(_: Value) -> crate::Result<Call> {
    Err(not_offered(
        "report_user",
        "the service does not accept reports of users; report a post or comment of theirs (report_post, \
         report_comment) or block them (block_user)",
    ))
}

fn not_offered(operation: &'static str, message: &'static str) -> Error {
    Error::build(ErrorKind::InvalidArgument, message).operation(operation).finish()
}

// ---- registry

/// The operations of this resource.
pub(crate) const GROUP: Group = Group::new(
    "reports",
    &[
        Operation::of::<ReportComment>(),
        Operation::local::<ReportMessage>("report_message", "", || None, no_message_reports),
        Operation::of::<ReportPost>(),
        Operation::local::<ReportUser>("report_user", "", || None, no_user_reports),
    ],
);
