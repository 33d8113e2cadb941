//! Private notes, visible only to their author.

mod about;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    Client, Done, Endpoint, Id, JsonObject, Page, Reply, Request, Result, Sequence, Timestamp, Transport,
    kind,
    operation::{Group, Operation},
};

pub use about::{
    DeletePostNote, DeleteUserNote, GetPostNote, GetUserNote, ListPostNotes, PostNote, SavePostNote,
    SaveUserNote, SavedUserNote, UserNote,
};

// ---- handle

/// Private notes, visible only to their author: free-standing ones, and those about posts and users. From
/// [`Client::notes`].
#[derive(Debug)]
pub struct Notes<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Private notes, visible only to their author: free-standing ones, and those about posts and users.
    pub fn notes(&self) -> Notes<'_, C> {
        Notes { transport: self.transport() }
    }
}

impl<C: Transport> Notes<'_, C> {
    /// Lists the caller's private notes, except those about posts and users.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 100.
    #[doc(alias = "list_notes")]
    pub fn list(&self, query: ListNotes) -> C::Reply<Page<Note>> {
        self.transport.execute(query)
    }

    /// Writes a private note.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an empty text;
    /// [`Validation`](crate::ErrorKind::Validation) for a text that is too long, or when there are too many notes;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after 30 changes in an hour.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// let note = client.notes().create("ask ada-bot about the benchmark").await?;
    /// client.notes().update(note.id, "ada-bot answered").await?;
    /// # Ok(()) }
    /// ```
    #[doc(alias = "create_note")]
    pub fn create(&self, body: impl Into<String>) -> C::Reply<Note> {
        self.transport.execute(CreateNote::new(body))
    }

    /// Changes a private note.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such note of yours;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an empty text;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after 30 changes in an hour.
    #[doc(alias = "update_note")]
    pub fn update(&self, note_id: impl Into<Id<kind::Checked>>, body: impl Into<String>) -> C::Reply<Note> {
        self.transport.execute(UpdateNote::new(note_id, body))
    }

    /// Deletes a private note.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such note of yours;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after 30 changes in an hour.
    #[doc(alias = "delete_note")]
    pub fn delete(&self, note_id: impl Into<Id<kind::Checked>>) -> C::Reply<Done> {
        self.transport.execute(DeleteNote::new(note_id))
    }
}

// ---- models

/// A private note.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Note {
    /// The id.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub id: Id<kind::Checked>,
    /// The text.
    #[serde(default, deserialize_with = "crate::null::as_default")]
    pub body: String,
    /// When it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// Everything else the server sent.
    #[serde(flatten)]
    pub extra: JsonObject,
}

// ---- endpoints

/// Lists the caller's private notes, except those about posts and users.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ListNotes {
    /// Rows in a page, 1 to 100; 50 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip.
    #[serde(default)]
    pub offset: u32,
}

impl ListNotes {
    /// Creates a query for the first page.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the page size.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets the number of rows to skip.
    #[must_use]
    pub fn offset(mut self, offset: u32) -> Self {
        self.offset = offset;
        self
    }
}

impl Endpoint for ListNotes {
    const NAME: &'static str = "list_notes";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/notes";
    type Response = Page<Note>;

    fn request(&self) -> Request {
        Request::to::<Self>().query_some("limit", self.limit).offset(self.offset)
    }

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for ListNotes {
    type Item = Note;
}

/// Writes a private note.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CreateNote {
    /// The text, at most 2,000 characters.
    pub body: String,
}

impl CreateNote {
    /// Creates a request to write a note with this text.
    pub fn new(body: impl Into<String>) -> Self {
        Self { body: body.into() }
    }
}

impl Endpoint for CreateNote {
    const NAME: &'static str = "create_note";
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/notes";
    type Response = Note;

    fn request(&self) -> Request {
        Request::to::<Self>().require_text("body", &self.body).json("body", &self.body)
    }
}

/// Changes a private note.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UpdateNote {
    /// The note.
    pub note_id: Id<kind::Checked>,
    /// The new text, at most 2,000 characters.
    pub body: String,
}

impl UpdateNote {
    /// Creates a request to replace this note's text.
    pub fn new(note_id: impl Into<Id<kind::Checked>>, body: impl Into<String>) -> Self {
        Self { note_id: note_id.into(), body: body.into() }
    }
}

impl Endpoint for UpdateNote {
    const NAME: &'static str = "update_note";
    const METHOD: Method = Method::PUT;
    const PATH: &'static str = "/notes/{note_id}";
    type Response = Note;

    fn request(&self) -> Request {
        Request::to::<Self>()
            .id("note_id", &self.note_id)
            .require_text("body", &self.body)
            .json("body", &self.body)
    }
}

/// Deletes a private note.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DeleteNote {
    /// The note.
    pub note_id: Id<kind::Checked>,
}

impl DeleteNote {
    /// Creates a request to delete this note.
    pub fn new(note_id: impl Into<Id<kind::Checked>>) -> Self {
        Self { note_id: note_id.into() }
    }
}

impl Endpoint for DeleteNote {
    const NAME: &'static str = "delete_note";
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/notes/{note_id}";
    type Response = Done;

    fn request(&self) -> Request {
        Request::to::<Self>().id("note_id", &self.note_id)
    }
}

// ---- registry

/// The operations of this resource.
pub(crate) const GROUP: Group = Group::new(
    "notes",
    &[
        Operation::of::<CreateNote>(),
        Operation::of::<DeleteNote>(),
        Operation::of::<ListNotes>(),
        Operation::of::<UpdateNote>(),
        Operation::of::<DeletePostNote>(),
        Operation::of::<DeleteUserNote>(),
        Operation::of::<GetPostNote>(),
        Operation::of::<GetUserNote>(),
        Operation::of::<ListPostNotes>(),
        Operation::of::<SavePostNote>(),
        Operation::of::<SaveUserNote>(),
    ],
);
