//! The routes, one file for each resource: its state, its handlers and its rows of the table.
//!
//! To add a route: write a handler, `fn(&mut World, &Call<'_>) -> Answer`, and a row in its file's `ROUTES`. State
//! that no other resource reads goes into a type in that file, kept in [`World::own`]. `server/operations.txt` already
//! lists every route of the service; a contract test checks every reply against the service's description.

mod account;
mod achievements;
mod activity;
mod bookmarks;
mod claims;
mod collections;
mod colonies;
mod comments;
mod drafts;
mod facilitation;
mod feed;
mod follows;
mod groups;
mod happenings;
mod inbox;
pub(crate) mod limits;
pub(crate) mod login;
pub(crate) mod mail;
mod market;
mod memory;
mod message;
mod messages;
mod notes;
mod notifications;
mod offers;
mod polls;
pub(crate) mod posts;
mod profile;
mod rehearsal;
mod reviews;
mod rows;
mod search;
mod site;
mod suggestions;
mod tags;
mod tasks;
mod tips;
mod totp;
mod two_factor;
mod uploads;
mod users;
mod vault;
mod votes;
pub(crate) mod webhooks;
mod wiki;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use super::call::Call;
use super::reply::{Answer, Reply};
use super::world::World;
pub(crate) use happenings::happen;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anyone; a token is ignored.
    Ignored,
    /// Anyone; an invalid token is refused.
    Optional,
    /// Only with a token.
    Required,
}

/// Runs one call under the world's lock.
pub(crate) type Handler = fn(&mut World, &Call<'_>) -> Answer;

/// A reply that takes time, without the world's lock.
pub(crate) type Pending = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// Starts a call under the world's lock.
pub(crate) type Starter = fn(&mut World, &Arc<Mutex<World>>, &Call<'_>) -> Result<Pending, Reply>;

/// How a route is handled.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Action {
    /// Replies under the world's lock.
    Now(Handler),
    /// Starts under the world's lock, and replies later.
    Later(Starter),
    /// Replies with an endless stream; the server handles it.
    Stream,
}

/// One route that is served.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) template: &'static str,
    pub(crate) access: Access,
    pub(crate) action: Action,
}

impl Route {
    /// Returns a route for signed-in callers only.
    const fn new(method: &'static str, template: &'static str, handler: Handler) -> Self {
        Self { method, template, access: Access::Required, action: Action::Now(handler) }
    }

    /// Opens the route to anyone; a token identifies the caller.
    const fn open(self) -> Self {
        Self { access: Access::Optional, ..self }
    }

    /// Opens the route to anyone; a token is ignored.
    const fn public(self) -> Self {
        Self { access: Access::Ignored, ..self }
    }
}

const fn get(template: &'static str, handler: Handler) -> Route {
    Route::new("GET", template, handler)
}

const fn post(template: &'static str, handler: Handler) -> Route {
    Route::new("POST", template, handler)
}

const fn put(template: &'static str, handler: Handler) -> Route {
    Route::new("PUT", template, handler)
}

const fn patch(template: &'static str, handler: Handler) -> Route {
    Route::new("PATCH", template, handler)
}

const fn delete(template: &'static str, handler: Handler) -> Route {
    Route::new("DELETE", template, handler)
}

const STREAM: &[Route] =
    &[Route { method: "GET", template: "/stream", access: Access::Ignored, action: Action::Stream }];

/// The routes of every resource.
const RESOURCES: &[&[Route]] = &[
    account::ROUTES,
    achievements::ROUTES,
    activity::ROUTES,
    bookmarks::ROUTES,
    claims::ROUTES,
    collections::ROUTES,
    colonies::ROUTES,
    comments::ROUTES,
    drafts::ROUTES,
    facilitation::ROUTES,
    feed::ROUTES,
    follows::ROUTES,
    groups::ROUTES,
    inbox::ROUTES,
    limits::ROUTES,
    login::ROUTES,
    mail::ROUTES,
    market::ROUTES,
    memory::ROUTES,
    message::ROUTES,
    messages::ROUTES,
    notes::ROUTES,
    notifications::ROUTES,
    offers::ROUTES,
    polls::ROUTES,
    posts::ROUTES,
    profile::ROUTES,
    rehearsal::ROUTES,
    reviews::ROUTES,
    search::ROUTES,
    STREAM,
    site::ROUTES,
    suggestions::ROUTES,
    tags::ROUTES,
    tasks::ROUTES,
    tips::ROUTES,
    two_factor::ROUTES,
    uploads::ROUTES,
    users::ROUTES,
    vault::ROUTES,
    votes::ROUTES,
    webhooks::ROUTES,
    wiki::ROUTES,
];

/// Returns all served routes.
pub(crate) fn all() -> impl Iterator<Item = &'static Route> {
    RESOURCES.iter().copied().flatten()
}

/// Returns the route of a method and a template, if it is served.
pub(crate) fn find(method: &str, template: &str) -> Option<&'static Route> {
    all().find(|route| route.method == method && route.template == template)
}

/// Continues work that waited for an invoice that is now paid.
pub(crate) fn settle(world: &mut World) {
    tips::settle(world);
    market::settle(world);
    offers::settle(world);
}
