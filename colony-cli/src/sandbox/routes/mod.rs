//! The handlers, one file for each kind of thing, and the table that names them.

mod account;
mod auth;
mod colonies;
mod comments;
mod feeds;
mod follows;
mod messages;
mod notifications;
mod posts;
mod saved;
mod two_factor;
mod users;
mod vault;
mod votes;

use super::call::Call;
use super::reply::Answer;
use super::state::World;

/// Runs one call under the world's lock.
pub(crate) type Handler = fn(&mut World, &Call<'_>) -> Answer;

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

use Access::{Ignored, Optional, Required};

/// The handler of a route.
pub(crate) fn find(key: &str) -> Option<(Access, Handler)> {
    all().iter().find(|(known, ..)| *known == key).map(|&(_, access, handler)| (access, handler))
}

/// Every implemented route.
pub(crate) fn all() -> &'static [(&'static str, Access, Handler)] {
    &[
        // The server answers this one itself: it takes its time outside the world's lock.
        ("POST /auth/token", Ignored, |_, call| super::login::token(call)),
        ("POST /auth/register", Ignored, auth::register),
        ("POST /auth/register/begin", Ignored, auth::register_begin),
        ("POST /auth/register/confirm", Ignored, auth::register_confirm),
        ("GET /auth/check-username", Ignored, auth::check_username),
        ("POST /auth/rotate-key", Required, auth::rotate_key),
        ("POST /auth/recover-key", Ignored, auth::recover_key),
        ("POST /auth/recover-key/confirm", Ignored, auth::recover_key_confirm),
        ("DELETE /auth/account", Required, auth::delete_account),
        ("GET /auth/email", Required, auth::get_email),
        ("POST /auth/email", Required, auth::set_email),
        ("DELETE /auth/email", Required, auth::remove_email),
        ("POST /auth/email/verify", Ignored, auth::verify_email),
        ("GET /auth/2fa/status", Required, two_factor::status),
        ("POST /auth/2fa/enroll", Required, two_factor::enroll),
        ("POST /auth/2fa/confirm", Required, two_factor::confirm),
        ("POST /auth/2fa/disable", Required, two_factor::disable),
        ("POST /auth/2fa/recovery-codes/regenerate", Required, two_factor::regenerate),
        ("GET /users/me", Required, users::me),
        ("GET /agents/me", Required, users::me),
        ("GET /profile", Required, users::me),
        ("PUT /users/me", Required, users::update_me),
        ("GET /users/{user_id}", Optional, users::get),
        ("GET /users/by-username/{username}", Optional, users::get_by_username),
        ("GET /users/directory", Optional, users::directory),
        ("GET /users/me/status", Required, users::my_status),
        ("PUT /users/me/status", Required, users::set_my_status),
        ("POST /users/presence", Required, users::presence),
        ("GET /users/me/blocked", Required, users::blocked),
        ("POST /users/{user_id}/block", Required, users::block),
        ("DELETE /users/{user_id}/block", Required, users::unblock),
        ("GET /agents/{username}/report", Optional, users::report),
        ("POST /users/{user_id}/follow", Required, follows::follow),
        ("POST /users/by-username/{username}/follow", Required, follows::follow),
        ("DELETE /users/{user_id}/follow", Required, follows::unfollow),
        ("DELETE /users/by-username/{username}/follow", Required, follows::unfollow),
        ("GET /users/{user_id}/relationship", Required, follows::relationship),
        ("GET /users/by-username/{username}/relationship", Required, follows::relationship),
        ("GET /users/{user_id}/followers", Optional, follows::followers),
        ("GET /users/{user_id}/following", Optional, follows::following),
        ("GET /users/me/followers", Required, follows::my_followers),
        ("GET /users/me/following", Required, follows::my_following),
        ("GET /posts", Optional, posts::list),
        ("POST /posts", Required, posts::create),
        ("GET /posts/{post_id}", Optional, posts::get),
        ("PUT /posts/{post_id}", Required, posts::update),
        ("DELETE /posts/{post_id}", Required, posts::delete),
        ("PUT /posts/{post_id}/tags", Required, posts::set_tags),
        ("PUT /posts/{post_id}/language", Required, posts::set_language),
        ("POST /posts/{post_id}/close", Required, posts::close),
        ("POST /posts/{post_id}/reopen", Required, posts::reopen),
        ("GET /posts/{post_id}/context", Optional, posts::context),
        ("GET /posts/{post_id}/conversation", Optional, posts::conversation),
        ("GET /posts/{post_id}/comments", Optional, comments::list),
        ("POST /posts/{post_id}/comments", Required, comments::create),
        ("GET /comments/{comment_id}", Optional, comments::get),
        ("PUT /comments/{comment_id}", Required, comments::update),
        ("DELETE /comments/{comment_id}", Required, comments::delete),
        ("GET /users/by-username/{username}/comments", Optional, comments::of_user),
        ("GET /users/{user_id}/comments", Optional, comments::of_user),
        ("POST /posts/{post_id}/vote", Required, votes::vote_post),
        ("POST /comments/{comment_id}/vote", Required, votes::vote_comment),
        ("POST /reactions/toggle", Required, votes::toggle),
        ("GET /reactions/who", Optional, votes::who),
        ("POST /posts/{post_id}/bookmark", Required, saved::bookmark),
        ("DELETE /posts/{post_id}/bookmark", Required, saved::unbookmark),
        ("GET /posts/bookmarks/list", Required, saved::bookmarks),
        ("POST /posts/{post_id}/watch", Required, saved::watch),
        ("DELETE /posts/{post_id}/watch", Required, saved::unwatch),
        ("POST /tags/{tag}/follow", Required, saved::follow_tag),
        ("DELETE /tags/{tag}/follow", Required, saved::unfollow_tag),
        ("GET /tags/following", Required, saved::followed_tags),
        ("GET /search", Optional, feeds::search),
        ("GET /feed/for-you", Required, feeds::for_you),
        ("GET /trending/tags", Optional, feeds::trending_tags),
        ("GET /trending/posts/rising", Optional, feeds::rising),
        ("GET /colonies", Optional, colonies::list),
        ("POST /colonies", Required, colonies::create),
        ("GET /colonies/{colony_id}", Optional, colonies::get),
        ("POST /colonies/{colony_id}/join", Required, colonies::join),
        ("POST /colonies/{colony_id}/leave", Required, colonies::leave),
        ("GET /colonies/{colony_id}/members", Required, colonies::members),
        ("POST /messages/send/{username}", Required, messages::send),
        ("GET /messages/conversations", Required, messages::list),
        ("GET /messages/conversations/{username}", Required, messages::read),
        ("GET /messages/conversations/{username}/tail", Required, messages::tail),
        ("GET /messages/conversations/{username}/history", Required, messages::history),
        ("POST /messages/conversations/{username}/read", Required, messages::mark_read),
        ("POST /messages/conversations/{username}/archive", Required, messages::archive),
        ("POST /messages/conversations/{username}/unarchive", Required, messages::unarchive),
        ("POST /messages/conversations/{username}/mute", Required, messages::mute),
        ("POST /messages/conversations/{username}/unmute", Required, messages::unmute),
        ("GET /messages/unread-count", Required, messages::unread_count),
        ("PATCH /messages/{message_id}", Required, messages::edit),
        ("DELETE /messages/{message_id}", Required, messages::delete),
        ("GET /messages/{message_id}/edits", Required, messages::edits),
        ("POST /messages/{message_id}/read", Required, messages::mark_message_read),
        ("POST /messages/{message_id}/reactions", Required, messages::react),
        ("DELETE /messages/{message_id}/reactions/{emoji}", Required, messages::unreact),
        ("GET /notifications", Required, notifications::list),
        ("GET /notifications/count", Required, notifications::count),
        ("POST /notifications/read-all", Required, notifications::read_all),
        ("POST /notifications/read", Required, notifications::read_batch),
        ("POST /notifications/{notification_id}/read", Required, notifications::read_one),
        ("POST /notifications/delete", Required, notifications::delete_batch),
        ("POST /notifications/delete-read", Required, notifications::delete_read),
        ("DELETE /notifications/{notification_id}", Required, notifications::delete_one),
        ("GET /system/notifications", Ignored, notifications::system),
        ("GET /me/bootstrap", Required, account::bootstrap),
        ("GET /me/capabilities", Required, account::capabilities),
        ("GET /limits/me", Required, account::limits),
        ("GET /me/unread", Required, account::unread),
        ("GET /home", Required, account::home),
        ("GET /since", Required, account::since),
        ("GET /suggestions", Required, account::suggestions),
        ("GET /stats", Ignored, account::stats),
        ("GET /instructions", Ignored, account::instructions),
        ("GET /deprecations", Ignored, account::deprecations),
        ("GET /vault/status", Required, vault::status),
        ("GET /vault/files", Required, vault::list),
        ("GET /vault/search", Required, vault::search),
        ("GET /vault/files/{filename}", Required, vault::get),
        ("PUT /vault/files/{filename}", Required, vault::put),
        ("POST /vault/files/{filename}/append", Required, vault::append),
        ("DELETE /vault/files/{filename}", Required, vault::delete),
    ]
}
