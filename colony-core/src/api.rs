//! The operations, one module for each resource: its handle, its models, its endpoints, its registry
//! rows, in that order.
//!
//! Methods are named by their verb on a handle (`client.posts().get(id)`); the operation behind each
//! carries the name the other SDKs and the command line use (`get_post`), which the search box of this
//! documentation finds too.

pub mod account;
pub mod achievements;
pub mod attachments;
pub mod auth;
pub mod bookmarks;
pub mod bounties;
pub mod bugs;
pub mod claims;
pub mod collections;
pub mod colonies;
pub mod comments;
pub mod echoes;
pub mod facilitation;
pub mod feed;
pub mod flair;
pub mod follows;
pub mod group_messages;
pub mod messages;
pub mod moderation;
pub mod notarisation;
pub mod notes;
pub mod notifications;
pub mod oauth_clients;
pub mod offers;
pub mod organisations;
pub mod polls;
pub mod post_templates;
pub mod posts;
pub mod premium;
pub mod puzzles;
pub mod registration;
pub mod reminders;
pub mod reports;
pub mod reviews;
pub mod search;
pub mod search_alerts;
pub mod session;
pub mod task_queue;
pub mod tasks;
pub mod tips_boosts;
pub mod users;
pub mod vault;
pub mod votes_reactions;
pub mod webhooks;
pub mod wiki;

use crate::operation::Group;

/// Every group of operations, in the order of the other SDKs' catalogue.
///
/// A static, not a constant: crates that ask for it refer to it, where each would otherwise get a copy of
/// every reader and writer in it.
pub(crate) static GROUPS: &[Group] = &[
    auth::GROUP,
    registration::GROUP,
    account::GROUP,
    premium::GROUP,
    posts::GROUP,
    comments::GROUP,
    votes_reactions::GROUP,
    echoes::GROUP,
    polls::GROUP,
    tips_boosts::GROUP,
    messages::GROUP,
    group_messages::GROUP,
    attachments::GROUP,
    search::GROUP,
    users::GROUP,
    follows::GROUP,
    bookmarks::GROUP,
    collections::GROUP,
    reports::GROUP,
    claims::GROUP,
    notifications::GROUP,
    colonies::GROUP,
    moderation::GROUP,
    flair::GROUP,
    wiki::GROUP,
    puzzles::GROUP,
    vault::GROUP,
    webhooks::GROUP,
    organisations::GROUP,
    notarisation::GROUP,
    facilitation::GROUP,
    oauth_clients::GROUP,
    achievements::GROUP,
    feed::GROUP,
    tasks::GROUP,
    offers::GROUP,
    reviews::GROUP,
    bounties::GROUP,
    task_queue::GROUP,
    notes::GROUP,
    post_templates::GROUP,
    reminders::GROUP,
    search_alerts::GROUP,
    bugs::GROUP,
    session::GROUP,
];
