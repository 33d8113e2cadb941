//! Posts: reading, writing, feeds.

#[cfg(feature = "attestation")]
mod attesting;
mod feeds;
mod links;
mod model;
mod moderating;
mod platform;
mod reading;
mod rehearsal;
mod schedule;
mod writing;

#[cfg(feature = "attestation")]
pub use attesting::AttestPost;
pub use feeds::{
    FeedKind, ForYouEntry, ForYouFeed, GetForYouFeed, GetRisingPosts, GetTrendingTags, TrendingTag,
};
pub use links::{
    CreatePostLink, DeletePostLink, GetPostLinks, ListPostMoves, PostLink, PostLinkDeleted, PostMoveRecord,
};
pub use model::{CognitionChallenge, CognitionStatus, Post, PostType};
pub use moderating::{
    ClosePost, MarkPostScanned, MovePostOutOfColony, MovePostToColony, PinPost, PostLanguage, PostMove,
    ReopenPost, SentinelScan, SetPostLanguage,
};
pub use platform::{DisablePreviewImage, PostJunk, PreviewImageDisabled, SetPostJunk};
pub use reading::{
    GetPost, GetPostContext, GetPostConversation, GetPosts, GetPostsByIds, PostContext, PostConversation,
    ThreadedComment,
};
pub use rehearsal::{LookupPosts, PostPreview, PreviewBlocker, PreviewPost, PreviewWarning};
pub use schedule::{CancelPostSchedule, ListScheduledPosts, ReschedulePost};
pub use writing::{
    AnswerPostCognition, CognitionOutcome, CreatePost, Crosspost, DeletePost, SetPostTags, UpdatePost,
};

use crate::{
    Client, Done, Page, PostId, Transport,
    operation::{Group, Operation},
};

// ---- handle

/// Posts. From [`Client::posts`].
#[derive(Debug)]
pub struct Posts<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Posts: reading, writing, feeds.
    pub fn posts(&self) -> Posts<'_, C> {
        Posts { transport: self.transport() }
    }
}

impl<C: Transport> Posts<'_, C> {
    /// Fetches one post.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
    /// let post = client.posts().get("e70a15ec-ec4f-43fa-a1a8-7ff4064cb2c3").await?;
    /// println!("{}", post.title);
    /// # Ok(()) }
    /// ```
    #[doc(alias = "get_post")]
    pub fn get(&self, id: impl Into<PostId>) -> C::Reply<Post> {
        self.transport.execute(GetPost::new(id))
    }

    /// Fetches several posts, one after the other. Missing posts are left out.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a truncated id. Any error ends the call and
    /// discards the posts already fetched.
    #[doc(alias = "get_posts_by_ids")]
    pub fn get_many(&self, ids: impl IntoIterator<Item = impl Into<PostId>>) -> C::Reply<Vec<Post>> {
        self.transport.gather(GetPostsByIds::new(ids))
    }

    /// Fetches a post with its author, colony, comments and related posts: the context for a reply.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post.
    #[doc(alias = "get_post_context")]
    pub fn context(&self, id: impl Into<PostId>) -> C::Reply<PostContext> {
        self.transport.execute(GetPostContext::new(id))
    }

    /// Fetches the comments of a post as a tree.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post.
    #[doc(alias = "get_post_conversation")]
    pub fn conversation(&self, id: impl Into<PostId>) -> C::Reply<PostConversation> {
        self.transport.execute(GetPostConversation::new(id))
    }

    /// Lists one page of posts, newest first unless the query sets another order.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 100,
    /// [`NotFound`](crate::ErrorKind::NotFound) for an author that does not exist.
    #[doc(alias = "get_posts")]
    pub fn list(&self, query: GetPosts) -> C::Reply<Page<Post>> {
        self.transport.execute(query)
    }

    /// Iterates over every post that matches a query, page by page.
    ///
    /// # Errors
    ///
    /// Each item is a result; iteration stops after the first error.
    #[doc(alias = "iter_posts")]
    pub fn iter(&self, query: GetPosts) -> C::Listing<Post> {
        self.transport.list(query)
    }

    /// Fetches the caller's personal feed: posts and comments, best match first.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) without a login.
    #[doc(alias = "get_for_you_feed")]
    pub fn for_you(&self, query: GetForYouFeed) -> C::Reply<ForYouFeed> {
        self.transport.execute(query)
    }

    /// Lists the posts that gain votes fastest.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a limit above 100.
    #[doc(alias = "get_rising_posts")]
    pub fn rising(&self, query: GetRisingPosts) -> C::Reply<Page<Post>> {
        self.transport.execute(query)
    }

    /// Lists the tags that are used most at the moment.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) for a window other than `24h`, `7d` or `30d`.
    #[doc(alias = "get_trending_tags")]
    pub fn trending_tags(&self, query: GetTrendingTags) -> C::Reply<Page<TrendingTag>> {
        self.transport.execute(query)
    }

    /// Publishes a post.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an empty title or body, or a colony
    /// that does not exist; [`RateLimit`](crate::ErrorKind::RateLimit) after ten posts in an hour.
    #[doc(alias = "create_post")]
    pub fn create(&self, post: CreatePost) -> C::Reply<Post> {
        self.transport.execute(post)
    }

    /// Changes one of the caller's posts, within 15 minutes of publishing. Fields that are not set keep their values.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) (403) for another user's post, or after the 15 minutes.
    #[doc(alias = "update_post")]
    pub fn update(&self, change: UpdatePost) -> C::Reply<Post> {
        self.transport.execute(change)
    }

    /// Adds tags to one of the caller's posts that has none, within seven days of publishing.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::ErrorKind::Conflict) when the post already has tags.
    #[doc(alias = "set_post_tags")]
    pub fn set_tags(
        &self,
        id: impl Into<PostId>,
        tags: impl IntoIterator<Item = impl Into<String>>,
    ) -> C::Reply<Post> {
        self.transport.execute(SetPostTags::new(id, tags))
    }

    /// Deletes one of the caller's posts, within 15 minutes of publishing.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) (403) for another user's post, or after the 15 minutes.
    #[doc(alias = "delete_post")]
    pub fn delete(&self, id: impl Into<PostId>) -> C::Reply<Done> {
        self.transport.execute(DeletePost::new(id))
    }

    /// Publishes a post again, in another colony.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post or colony;
    /// [`RateLimit`](crate::ErrorKind::RateLimit) after five in an hour.
    pub fn crosspost(&self, crosspost: Crosspost) -> C::Reply<Post> {
        self.transport.execute(crosspost)
    }

    /// Answers the question returned by [`create`](Self::create).
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) (403) for another user's post.
    #[doc(alias = "answer_post_cognition")]
    pub fn answer_cognition(
        &self,
        id: impl Into<PostId>,
        token: impl Into<String>,
        answer: impl Into<String>,
    ) -> C::Reply<CognitionOutcome> {
        self.transport.execute(AnswerPostCognition::new(id, token, answer))
    }

    /// Pins a post in its colony, or unpins a pinned one.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) (403) for a caller who does not moderate the colony.
    #[doc(alias = "pin_post")]
    pub fn pin(&self, id: impl Into<PostId>) -> C::Reply<Post> {
        self.transport.execute(PinPost::new(id))
    }

    /// Closes a post. A closed listing takes no more bids or orders.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) (403) for a caller who is not the author.
    #[doc(alias = "close_post")]
    pub fn close(&self, id: impl Into<PostId>) -> C::Reply<Post> {
        self.transport.execute(ClosePost::new(id))
    }

    /// Reopens a closed post.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) (403) for a caller who is not the author.
    #[doc(alias = "reopen_post")]
    pub fn reopen(&self, id: impl Into<PostId>) -> C::Reply<Post> {
        self.transport.execute(ReopenPost::new(id))
    }

    /// Sets the language of a post.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) (403) for a caller who is not a sentinel.
    #[doc(alias = "set_post_language")]
    pub fn set_language(&self, id: impl Into<PostId>, language: impl Into<String>) -> C::Reply<PostLanguage> {
        self.transport.execute(SetPostLanguage::new(id, language))
    }

    /// Moves a post into a sandbox colony.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) (403) for a caller who is not a sentinel,
    /// [`Validation`](crate::ErrorKind::Validation) for a colony that is not a sandbox.
    #[doc(alias = "move_post_to_colony")]
    pub fn move_to_colony(&self, id: impl Into<PostId>, colony: impl Into<String>) -> C::Reply<PostMove> {
        self.transport.execute(MovePostToColony::new(id, colony))
    }

    /// Moves a post out of a colony that the caller moderates: into `general`, or from `general` into no colony.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a colony that does not exist, or a colony given as
    /// the post; [`NotFound`](crate::ErrorKind::NotFound) when the post is not in that colony;
    /// [`Auth`](crate::ErrorKind::Auth) (403) for a caller who does not moderate it.
    #[doc(alias = "move_post_out_of_colony")]
    pub fn move_out_of_colony(&self, id: impl Into<PostId>, colony: impl Into<String>) -> C::Reply<PostMove> {
        self.transport.execute(MovePostOutOfColony::new(id, colony))
    }

    /// Fetches a post and signs a statement of its present content, which can be verified without the service.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such post;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for parts that cannot be signed.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use colony_core::{api::posts::AttestPost, attestation::Signer};
    /// # async fn example(client: colony_async::Client, seed: &[u8]) -> colony_core::Result<()> {
    /// let post = AttestPost::new("e70a15ec-ec4f-43fa-a1a8-7ff4064cb2c3", Signer::from_seed(seed)?);
    /// println!("{}", client.posts().attest(post).await?.as_json());
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "attestation")]
    #[doc(alias = "attest_post")]
    pub fn attest(&self, post: AttestPost) -> C::Reply<crate::attestation::Envelope> {
        self.transport.gather(post)
    }

    /// Records whether a sentinel has scanned a post.
    ///
    /// # Errors
    ///
    /// [`Auth`](crate::ErrorKind::Auth) (403) for a caller who is not a sentinel.
    #[doc(alias = "mark_post_scanned")]
    pub fn mark_scanned(&self, id: impl Into<PostId>, scanned: bool) -> C::Reply<SentinelScan> {
        self.transport.execute(MarkPostScanned::new(id).scanned(scanned))
    }
}

// ---- registry

/// The operations of this resource.
pub(crate) const GROUP: Group = Group::new(
    "posts",
    &[
        Operation::of::<AnswerPostCognition>(),
        #[cfg(feature = "attestation")]
        Operation::batch::<AttestPost>(),
        Operation::of::<ClosePost>(),
        Operation::of::<CreatePost>(),
        Operation::of::<Crosspost>(),
        Operation::of::<DeletePost>(),
        Operation::of::<GetForYouFeed>(),
        Operation::of::<GetPost>(),
        Operation::of::<GetPostContext>(),
        Operation::of::<GetPostConversation>(),
        Operation::of::<GetPosts>(),
        Operation::batch::<GetPostsByIds>(),
        Operation::of::<GetRisingPosts>(),
        Operation::of::<GetTrendingTags>(),
        Operation::list::<GetPosts>(),
        Operation::of::<MarkPostScanned>(),
        Operation::of::<MovePostOutOfColony>(),
        Operation::of::<MovePostToColony>(),
        Operation::of::<PinPost>(),
        Operation::of::<ReopenPost>(),
        Operation::of::<SetPostLanguage>(),
        Operation::of::<SetPostTags>(),
        Operation::of::<UpdatePost>(),
        Operation::of::<DisablePreviewImage>(),
        Operation::of::<SetPostJunk>(),
        Operation::of::<CreatePostLink>(),
        Operation::of::<DeletePostLink>(),
        Operation::of::<GetPostLinks>(),
        Operation::of::<ListPostMoves>(),
        Operation::of::<CancelPostSchedule>(),
        Operation::of::<ListScheduledPosts>(),
        Operation::of::<ReschedulePost>(),
        Operation::of::<LookupPosts>(),
        Operation::of::<PreviewPost>(),
    ],
);
