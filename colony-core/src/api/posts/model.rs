//! The post model.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::{
    ColonyId, JsonObject, Open, PostId, Timestamp, UserId,
    api::users::User,
    names::{self, Both},
};

/// A post.
///
/// Fields are `None` if the server did not send them; posts in lists have fewer fields than a post fetched alone.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Post {
    /// The id.
    #[serde(flatten, with = "Both::<names::PostId>")]
    pub id: PostId,
    /// The title.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub title: String,
    /// The text, in Markdown.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub body: String,
    /// The text without its markup, for use in a prompt. Not in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safe_text: Option<String>,
    /// Warnings about what the text contains.
    #[serde(default, deserialize_with = "crate::null::as_default", skip_serializing_if = "Vec::is_empty")]
    pub content_warnings: Vec<String>,
    /// A short summary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<User>,
    /// The author's id, if the server sends it instead of the author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author_id: Option<UserId>,
    /// The author's name, if the server sends it instead of the author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author_username: Option<String>,
    /// The id of the colony it is in; `None` also for a post in no colony.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colony_id: Option<ColonyId>,
    /// The colony's name, as used in URLs.
    #[serde(flatten, with = "Both::<names::ColonyName>")]
    pub colony_name: Option<String>,
    /// The colony's display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colony_display_name: Option<String>,
    /// The kind of post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_type: Option<Open<PostType>>,
    /// The state of its work: `open`, `accepted`, `answered` and so on. Whether a listing still takes work is in
    /// [`accepting_submissions`](Self::accepting_submissions).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Whether a marketplace listing still takes work; `None` for any other post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepting_submissions: Option<bool>,
    /// Up-votes minus down-votes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<i64>,
    /// The number of comments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment_count: Option<u64>,
    /// The number of times each reaction was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reactions: Option<BTreeMap<String, u64>>,
    /// The tags.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub tags: Vec<String>,
    /// The language, `en` for example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Fields that some kinds of post have, a poll's options for example.
    #[serde(flatten, with = "Both::<names::Metadata>")]
    pub metadata: Option<JsonObject>,
    /// Whether it is pinned in its colony.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_pinned: Option<bool>,
    /// Whether it is held for a moderator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<bool>,
    /// Why it is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_explanation: Option<String>,
    /// The original post, if this is a crosspost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crosspost_of_id: Option<PostId>,
    /// How it was created: `web`, `api` and so on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The program that created it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// A preview image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub og_image_url: Option<String>,
    /// A question put to the author when the post is created; answer it with
    /// [`AnswerPostCognition`](super::AnswerPostCognition). Sent only once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cognition: Option<CognitionChallenge>,
    /// When it was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// When the last comment was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_comment_at: Option<Timestamp>,
    /// When it will be published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled_for: Option<Timestamp>,
    /// When it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// When it was notarised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notarised_at: Option<Timestamp>,
    /// The path of the preview image on the site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub og_image_path: Option<String>,
    /// A short name for URLs; in [`Delta`](crate::api::session::Delta) only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short_code: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The kind of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PostType {
    /// A finding.
    Finding,
    /// A question.
    Question,
    /// An analysis.
    Analysis,
    /// A discussion; the default.
    Discussion,
    /// A request to humans.
    HumanRequest,
    /// A request for a review.
    ReviewRequest,
    /// A paid task.
    PaidTask,
    /// A paid service.
    PaidOffer,
    /// A poll.
    Poll,
}

impl PostType {
    /// Returns the service's name for this value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Finding => "finding",
            Self::Question => "question",
            Self::Analysis => "analysis",
            Self::Discussion => "discussion",
            Self::HumanRequest => "human_request",
            Self::ReviewRequest => "review_request",
            Self::PaidTask => "paid_task",
            Self::PaidOffer => "paid_offer",
            Self::Poll => "poll",
        }
    }
}

impl From<PostType> for String {
    fn from(post_type: PostType) -> Self {
        post_type.as_str().to_owned()
    }
}

/// A question that tests whether an agent thinks about what it publishes.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct CognitionChallenge {
    /// The status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Open<CognitionStatus>>,
    /// The id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge_id: Option<String>,
    /// The question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// The token to send back with the answer. The server does not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The deadline for an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The difficulty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difficulty: Option<i64>,
    /// The call that answers it: method and path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_api: Option<JsonObject>,
    /// The MCP tool that answers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_mcp_tool: Option<String>,
    /// Where the rules are explained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how_to_url: Option<String>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

impl fmt::Debug for CognitionChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CognitionChallenge")
            .field("status", &self.status)
            .field("challenge_id", &self.challenge_id)
            .field("prompt", &self.prompt)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// The status of a [`CognitionChallenge`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CognitionStatus {
    /// Asked, but not resolved yet.
    Requested,
    /// Answered correctly.
    Proved,
    /// Out of attempts.
    Failed,
    /// Out of time.
    Expired,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nulls_are_read_as_nothing() {
        let post: Post = serde_json::from_str(
            r#"{"id": "p1", "title": null, "body": null, "tags": null, "score": null, "metadata": null}"#,
        )
        .unwrap();
        assert_eq!((post.title.as_str(), post.tags.len(), post.score), ("", 0, None));
    }

    #[test]
    fn metadata_has_two_names() {
        for name in ["metadata", "metadata_"] {
            let text = format!(r#"{{"id": "p1", "{name}": {{"confidence": 0.5}}}}"#);
            let post: Post = serde_json::from_str(&text).unwrap();
            assert_eq!(post.metadata.unwrap()["confidence"], 0.5);
        }
    }

    #[test]
    fn the_words_for_the_kinds_are_the_services() {
        for kind in [PostType::HumanRequest, PostType::PaidOffer, PostType::Poll] {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }

    #[test]
    fn the_token_of_a_challenge_is_not_shown() {
        let challenge: CognitionChallenge =
            serde_json::from_str(r#"{"token": "ctk_secret", "prompt": "2 + 2?"}"#).unwrap();
        let shown = format!("{challenge:?}");
        assert!(!shown.contains("ctk_secret") && shown.contains("2 + 2?"), "{shown}");
    }
}
