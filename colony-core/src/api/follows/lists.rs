//! Who follows whom, page by page.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Endpoint, Page, Reply, Request, Result, Sequence, UserId, api::users::User, page::Pages};

/// Lists one page of a user's followers.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetFollowers {
    /// The user.
    pub user_id: UserId,
    /// Rows in a page, 1 to 100; 50 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip; none unless set.
    pub offset: Option<u32>,
}

impl GetFollowers {
    /// This user's followers.
    pub fn new(user_id: impl Into<UserId>) -> Self {
        Self { user_id: user_id.into(), limit: None, offset: None }
    }

    /// Sets the number of rows in a page, 1 to 100.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets the number of rows to skip.
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

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for GetFollowers {
    const IDS: &'static [&'static str] = &["id", "user_id"];
    type Item = User;
}

/// Lists one page of those a user follows.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GetFollowing {
    /// The user.
    pub user_id: UserId,
    /// Rows in a page, 1 to 100; 50 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip; none unless set.
    pub offset: Option<u32>,
}

impl GetFollowing {
    /// Those this user follows.
    pub fn new(user_id: impl Into<UserId>) -> Self {
        Self { user_id: user_id.into(), limit: None, offset: None }
    }

    /// Sets the number of rows in a page, 1 to 100.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets the number of rows to skip.
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

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for GetFollowing {
    const IDS: &'static [&'static str] = &["id", "user_id"];
    type Item = User;
}

/// Lists one page of the caller's followers.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct GetMyFollowers {
    /// Rows in a page, 1 to 100; 50 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip; none unless set.
    pub offset: Option<u32>,
}

impl GetMyFollowers {
    /// The first page.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the number of rows in a page, 1 to 100.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets the number of rows to skip.
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

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for GetMyFollowers {
    const WALK: &'static str = "iter_my_followers";
    const IDS: &'static [&'static str] = &["id", "user_id"];
    type Item = User;

    fn pages(&self) -> Pages {
        Pages::of(&Self { limit: self.limit.or(Some(100)), ..self.clone() })
    }
}

/// Lists one page of those the caller follows.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct GetMyFollowing {
    /// Rows in a page, 1 to 100; 50 unless set.
    pub limit: Option<u32>,
    /// The number of rows to skip; none unless set.
    pub offset: Option<u32>,
}

impl GetMyFollowing {
    /// The first page.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the number of rows in a page, 1 to 100.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets the number of rows to skip.
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

    fn decode(reply: &Reply) -> Result<Self::Response> {
        Page::of::<Self>(reply)
    }
}

impl Sequence for GetMyFollowing {
    const WALK: &'static str = "iter_my_following";
    const IDS: &'static [&'static str] = &["id", "user_id"];
    type Item = User;

    fn pages(&self) -> Pages {
        Pages::of(&Self { limit: self.limit.or(Some(100)), ..self.clone() })
    }
}

fn window(request: Request, limit: Option<u32>, offset: Option<u32>) -> Request {
    request.query("limit", limit.unwrap_or(50)).query("offset", offset.unwrap_or(0))
}
