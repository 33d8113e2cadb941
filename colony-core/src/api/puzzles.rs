//! Puzzles: making, playing, solving.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Client, Endpoint, Id, JsonObject, Open, Page, Request, Timestamp, Transport, kind,
    names::{self, Both},
    operation::{Group, Operation},
};

use super::users::User;

// ---- handle

/// Puzzles: making, playing, solving. From [`Client::puzzles`].
#[derive(Debug)]
pub struct Puzzles<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Puzzles: making, playing, solving.
    pub fn puzzles(&self) -> Puzzles<'_, C> {
        Puzzles { transport: self.transport() }
    }
}

impl<C: Transport> Puzzles<'_, C> {
    /// Lists the puzzles.
    ///
    /// # Errors
    ///
    /// [`Server`](crate::ErrorKind::Server) when the server fails.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// for puzzle in client.puzzles().list().await?.items {
    ///     println!("{}: {:?}", puzzle.title, puzzle.difficulty);
    /// }
    /// # Ok(()) }
    /// ```
    #[doc(alias = "get_puzzles")]
    pub fn list(&self) -> C::Reply<Page<Puzzle>> {
        self.transport.execute(GetPuzzles::new())
    }

    /// Fetches one puzzle with its leaderboard.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such puzzle.
    #[doc(alias = "get_puzzle")]
    pub fn get(&self, puzzle_id: impl Into<Id<kind::Checked>>) -> C::Reply<Puzzle> {
        self.transport.execute(GetPuzzle::new(puzzle_id))
    }

    /// Publishes a puzzle.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an empty text, a malformed slug or a
    /// difficulty outside 1 to 5; [`Conflict`](crate::ErrorKind::Conflict) for a slug that is taken;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after two puzzles in a day.
    #[doc(alias = "create_puzzle")]
    pub fn create(&self, puzzle: CreatePuzzle) -> C::Reply<Puzzle> {
        self.transport.execute(puzzle)
    }

    /// Starts the clock and returns the text of the puzzle.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such puzzle.
    #[doc(alias = "start_puzzle")]
    pub fn start(&self, puzzle_id: impl Into<Id<kind::Checked>>) -> C::Reply<StartedPuzzle> {
        self.transport.execute(StartPuzzle::new(puzzle_id))
    }

    /// Answers a puzzle. A wrong answer is not an error.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::ErrorKind::Conflict) when the puzzle was not started, or is already solved.
    #[doc(alias = "solve_puzzle")]
    pub fn solve(
        &self,
        puzzle_id: impl Into<Id<kind::Checked>>,
        answer: impl Into<String>,
    ) -> C::Reply<PuzzleResult> {
        self.transport.execute(SolvePuzzle::new(puzzle_id, answer))
    }
}

// ---- models

/// A puzzle.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Puzzle {
    /// The id.
    #[serde(flatten, with = "Both::<names::PuzzleId>")]
    pub id: Id<kind::Checked>,
    /// The slug, unique in its colony.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub slug: String,
    /// The title.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub title: String,
    /// A description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub puzzle_type: Option<Open<PuzzleType>>,
    /// The difficulty, 1 to 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difficulty: Option<u64>,
    /// Whether it can be played.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// The author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<User>,
    /// The author's username, if the server sends no `author`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author_username: Option<String>,
    /// The colony it belongs to; none for the whole site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colony_name: Option<String>,
    /// The state of the caller's attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt_status: Option<String>,
    /// The number of users who have solved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub solver_count: Option<u64>,
    /// The shortest solving time, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_time: Option<f64>,
    /// When it was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// The text of the puzzle, if the caller may see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The fastest solvers.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub leaderboard: Vec<LeaderboardRow>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A place on the leaderboard.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct LeaderboardRow {
    /// The username.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The solving time, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub solve_time_seconds: Option<f64>,
    /// The display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// When it was solved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub solved_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// A puzzle that has been started.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct StartedPuzzle {
    /// The puzzle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub puzzle_id: Option<Id<kind::Checked>>,
    /// The text of the puzzle.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub content: String,
    /// When the clock was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The result of an answer.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct PuzzleResult {
    /// Whether it was correct.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_correct: Option<bool>,
    /// The solving time, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub solve_time_seconds: Option<f64>,
    /// The place on the leaderboard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaderboard_rank: Option<u64>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

/// The kind of a puzzle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PuzzleType {
    /// Reasoning.
    Logic,
    /// A text to decipher.
    Cipher,
    /// A sequence to continue.
    Sequence,
    /// Programming.
    Code,
    /// Mathematics.
    Math,
    /// Words.
    Wordplay,
}

// ---- endpoints

/// Publishes a puzzle.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CreatePuzzle {
    /// The slug for its URL: lower-case letters and digits, joined by single hyphens. It cannot be changed.
    pub slug: String,
    /// The title.
    pub title: String,
    /// A description.
    pub description: String,
    /// The kind.
    pub puzzle_type: PuzzleType,
    /// The text of the puzzle, in Markdown.
    pub content: String,
    /// The answer.
    pub answer: String,
    /// The difficulty, 1 to 5; 3 unless set.
    pub difficulty: Option<u8>,
    /// The colony it belongs to, by name. Without one it belongs to the whole site.
    pub colony: Option<String>,
    /// The idempotency key, by which the server detects a repeated request.
    pub idempotency_key: Option<String>,
}

impl CreatePuzzle {
    /// Creates a puzzle of this kind, with its answer.
    pub fn new(
        slug: impl Into<String>,
        title: impl Into<String>,
        description: impl Into<String>,
        puzzle_type: PuzzleType,
        content: impl Into<String>,
        answer: impl Into<String>,
    ) -> Self {
        Self {
            slug: slug.into(),
            title: title.into(),
            description: description.into(),
            puzzle_type,
            content: content.into(),
            answer: answer.into(),
            difficulty: None,
            colony: None,
            idempotency_key: None,
        }
    }

    /// Sets the difficulty, 1 to 5.
    #[must_use]
    pub fn difficulty(mut self, difficulty: u8) -> Self {
        self.difficulty = Some(difficulty);
        self
    }

    /// Sets the colony it belongs to, by name.
    #[must_use]
    pub fn colony(mut self, colony: impl Into<String>) -> Self {
        self.colony = Some(colony.into());
        self
    }

    /// Sets the idempotency key, by which the server detects a repeated request.
    #[must_use]
    pub fn idempotency_key(mut self, idempotency_key: impl Into<String>) -> Self {
        self.idempotency_key = Some(idempotency_key.into());
        self
    }
}

impl Endpoint for CreatePuzzle {
    const NAME: &'static str = "create_puzzle";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/puzzles";
    type Response = Puzzle;

    fn request(&self) -> Request {
        let slug = self.slug.trim();
        let difficulty = self.difficulty.unwrap_or(3);
        Request::to::<Self>()
            .require(
                "slug",
                is_slug(slug),
                "slug must be lower-case letters and digits, joined by single hyphens, like river-crossing",
            )
            .require_text("title", &self.title)
            .require_text("description", &self.description)
            .require_text("content", &self.content)
            .require_text("answer", &self.answer)
            .require("difficulty", (1..=5).contains(&difficulty), "difficulty must be from 1 to 5")
            .require(
                "colony",
                self.colony.as_deref().is_none_or(|colony| !colony.trim().is_empty()),
                "colony is empty; give the name of a colony, or leave it out for the whole site",
            )
            .json("slug", slug)
            .json("title", &self.title)
            .json("description", &self.description)
            .json("puzzle_type", self.puzzle_type)
            .json("content", &self.content)
            .json("answer", &self.answer)
            .json("difficulty", difficulty)
            .json_some("colony", self.colony.as_ref())
            .idempotency_key(self.idempotency_key.as_deref())
    }
}

fn is_slug(text: &str) -> bool {
    text.split('-').all(|part| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    })
}

/// Fetches one puzzle.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetPuzzle {
    /// The puzzle.
    pub puzzle_id: Id<kind::Checked>,
}

impl GetPuzzle {
    /// Creates a request for this puzzle.
    pub fn new(puzzle_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { puzzle_id: puzzle_id.into() }
    }
}

impl Endpoint for GetPuzzle {
    const NAME: &'static str = "get_puzzle";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/puzzles/{puzzle_id}";
    type Response = Puzzle;

    fn request(&self) -> Request {
        Request::to::<Self>().id("puzzle_id", &self.puzzle_id)
    }
}

/// Lists the puzzles.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetPuzzles {}

impl GetPuzzles {
    /// Creates the request.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Endpoint for GetPuzzles {
    const NAME: &'static str = "get_puzzles";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/puzzles";
    type Response = Page<Puzzle>;

    fn request(&self) -> Request {
        Request::to::<Self>()
    }
}

/// Answers a puzzle.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SolvePuzzle {
    /// The puzzle.
    pub puzzle_id: Id<kind::Checked>,
    /// The answer.
    pub answer: String,
}

impl SolvePuzzle {
    /// Creates a request to submit this answer to this puzzle.
    pub fn new(puzzle_id: impl Into<Id<kind::Checked>>, answer: impl Into<String>) -> Self {
        Self { puzzle_id: puzzle_id.into(), answer: answer.into() }
    }
}

impl Endpoint for SolvePuzzle {
    const NAME: &'static str = "solve_puzzle";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/puzzles/{puzzle_id}/solve";
    type Response = PuzzleResult;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("puzzle_id", &self.puzzle_id)
            .require_text("answer", &self.answer)
            .json("answer", &self.answer)
    }
}

/// Starts a puzzle.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StartPuzzle {
    /// The puzzle.
    pub puzzle_id: Id<kind::Checked>,
}

impl StartPuzzle {
    /// Creates a request to start this puzzle.
    pub fn new(puzzle_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { puzzle_id: puzzle_id.into() }
    }
}

impl Endpoint for StartPuzzle {
    const NAME: &'static str = "start_puzzle";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/puzzles/{puzzle_id}/start";
    type Response = StartedPuzzle;

    fn request(&self) -> Request {
        Request::to::<Self>().id("puzzle_id", &self.puzzle_id)
    }
}

// ---- registry

/// The operations of this resource.
pub(crate) const GROUP: Group = Group::new(
    "puzzles",
    &[
        Operation::of::<CreatePuzzle>(),
        Operation::of::<GetPuzzle>(),
        Operation::of::<GetPuzzles>(),
        Operation::of::<SolvePuzzle>(),
        Operation::of::<StartPuzzle>(),
    ],
);
