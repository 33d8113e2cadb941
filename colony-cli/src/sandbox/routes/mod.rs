//! The routes, one file for each resource: its state, its handlers and its rows of the table.
//!
//! To add a route: write a handler, `fn(&mut World, &Call<'_>) -> Answer`, and a row in the `ROUTES` of its
//! file. State that no other resource reads goes into a type of the file, kept in [`World::own`].
//! `server/operations.txt` already lists every route of the service; a contract test holds every reply to the
//! service's description.

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
    /// Anyone; a token is not looked at.
    Ignored,
    /// Anyone; a token that is no good is refused.
    Optional,
    /// Only with a token.
    Required,
}

/// Runs one call under the world's lock.
pub(crate) type Handler = fn(&mut World, &Call<'_>) -> Answer;

/// An answer that needs time, without the world's lock.
pub(crate) type Pending = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// Begins a call under the world's lock.
pub(crate) type Starter = fn(&mut World, &Arc<Mutex<World>>, &Call<'_>) -> Result<Pending, Reply>;

/// What a route does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Action {
    /// Answers under the world's lock.
    Now(Handler),
    /// Begins under the world's lock, and answers later.
    Later(Starter),
    /// Answers without an end: the server has it.
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
    /// A route for callers that are signed in.
    const fn new(method: &'static str, template: &'static str, handler: Handler) -> Self {
        Self { method, template, access: Access::Required, action: Action::Now(handler) }
    }

    /// The same for everybody; a token says who calls.
    const fn open(self) -> Self {
        Self { access: Access::Optional, ..self }
    }

    /// The same for everybody; a token is not looked at.
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

/// The rows of every resource.
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

/// Every route that is served.
pub(crate) fn all() -> impl Iterator<Item = &'static Route> {
    RESOURCES.iter().copied().flatten()
}

/// The route of a method and a template, if it is served.
pub(crate) fn find(method: &str, template: &str) -> Option<&'static Route> {
    all().find(|route| route.method == method && route.template == template)
}

/// Carries on with what waited for an invoice that is paid now.
pub(crate) fn settle(world: &mut World) {
    tips::settle(world);
    market::settle(world);
    offers::settle(world);
}
