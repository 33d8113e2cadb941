//! Who follows whom, page by page.

use http::Method;
use serde::Deserialize;

use crate::{
    Endpoint, Page, Request, Result, Sequence, UserId,
    api::users::User,
    page::{Pages, Paging, Steps},
};

/// Lists one page of a user's followers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetFollowers {
    /// The user.
    pub user_id: UserId,
    /// Rows to a page, 1 to 100; 50 unless set.
    pub limit: Option<u32>,
    /// How many to pass over; none unless set.
    pub offset: Option<u32>,
}

impl GetFollowers {
    /// This user's followers.
    pub fn new(user_id: impl Into<UserId>) -> Self {
        Self { user_id: user_id.into(), limit: None, offset: None }
    }

    /// Sets the number of rows to a page, 1 to 100.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets how many rows to pass over.
    #[must_use]
    pub fn offset(mut self, offset: u32) -> Self {
        self.offset = Some(offset);
        self
    }
}

impl Endpoint for GetFollowers {
    const NAME: &'static str = "get_followers";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/users/{user_id}/followers";
    type Response = Page<User>;

    fn request(&self) -> Request {
        window(Request::to::<Self>().id("user_id", &self.user_id), self.limit, self.offset)
    }
}

/// Lists one page of those a user follows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetFollowing {
    /// The user.
    pub user_id: UserId,
    /// Rows to a page, 1 to 100; 50 unless set.
    pub limit: Option<u32>,
    /// How many to pass over; none unless set.
    pub offset: Option<u32>,
}

impl GetFollowing {
    /// Those this user follows.
    pub fn new(user_id: impl Into<UserId>) -> Self {
        Self { user_id: user_id.into(), limit: None, offset: None }
    }

    /// Sets the number of rows to a page, 1 to 100.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets how many rows to pass over.
    #[must_use]
    pub fn offset(mut self, offset: u32) -> Self {
        self.offset = Some(offset);
        self
    }
}

impl Endpoint for GetFollowing {
    const NAME: &'static str = "get_following";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/users/{user_id}/following";
    type Response = Page<User>;

    fn request(&self) -> Request {
        window(Request::to::<Self>().id("user_id", &self.user_id), self.limit, self.offset)
    }
}

/// Lists one page of the caller's followers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct GetMyFollowers {
    /// Rows to a page, 1 to 100; 50 unless set.
    pub limit: Option<u32>,
    /// How many to pass over; none unless set.
    pub offset: Option<u32>,
}

impl GetMyFollowers {
    /// The first page.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the number of rows to a page, 1 to 100.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets how many rows to pass over.
    #[must_use]
    pub fn offset(mut self, offset: u32) -> Self {
        self.offset = Some(offset);
        self
    }
}

impl Endpoint for GetMyFollowers {
    const NAME: &'static str = "get_my_followers";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/users/me/followers";
    type Response = Page<User>;

    fn request(&self) -> Request {
        window(Request::to::<Self>(), self.limit, self.offset)
    }
}

/// Lists one page of those the caller follows.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct GetMyFollowing {
    /// Rows to a page, 1 to 100; 50 unless set.
    pub limit: Option<u32>,
    /// How many to pass over; none unless set.
    pub offset: Option<u32>,
}

impl GetMyFollowing {
    /// The first page.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the number of rows to a page, 1 to 100.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets how many rows to pass over.
    #[must_use]
    pub fn offset(mut self, offset: u32) -> Self {
        self.offset = Some(offset);
        self
    }
}

impl Endpoint for GetMyFollowing {
    const NAME: &'static str = "get_my_following";
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/users/me/following";
    type Response = Page<User>;

    fn request(&self) -> Request {
        window(Request::to::<Self>(), self.limit, self.offset)
    }
}

/// Walks the caller's followers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct IterMyFollowers {
    /// At most so many users.
    pub max_results: Option<usize>,
}

impl IterMyFollowers {
    /// All of them.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how many users to give at most.
    #[must_use]
    pub fn max_results(mut self, max_results: usize) -> Self {
        self.max_results = Some(max_results);
        self
    }
}

impl Sequence for IterMyFollowers {
    const NAME: &'static str = "iter_my_followers";
    const PATH: &'static str = "/users/me/followers";
    type Item = User;

    fn steps(&self) -> Result<Box<dyn Steps>> {
        walk::<Self>(self.max_results)
    }
}

/// Walks those the caller follows.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct IterMyFollowing {
    /// At most so many users.
    pub max_results: Option<usize>,
}

impl IterMyFollowing {
    /// All of them.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how many users to give at most.
    #[must_use]
    pub fn max_results(mut self, max_results: usize) -> Self {
        self.max_results = Some(max_results);
        self
    }
}

impl Sequence for IterMyFollowing {
    const NAME: &'static str = "iter_my_following";
    const PATH: &'static str = "/users/me/following";
    type Item = User;

    fn steps(&self) -> Result<Box<dyn Steps>> {
        walk::<Self>(self.max_results)
    }
}

fn window(request: Request, limit: Option<u32>, offset: Option<u32>) -> Request {
    request.query("limit", limit.unwrap_or(50)).query("offset", offset.unwrap_or(0))
}

fn walk<S: Sequence>(limit: Option<usize>) -> Result<Box<dyn Steps>> {
    let size = 100;
    let first = Request::new(S::NAME, Method::GET, S::PATH).query("limit", size);
    Ok(Pages::new(first, Paging::Offset, limit)?.ids(&["id", "user_id"]).offset_always().boxed())
}
