//! Hearing what happens: notifications, messages and posts as they come, each at least once, across restarts.
//!
//! ```no_run
//! use colony_core::{api::messages::SendMessage, events::{Event, StateFile, Watch}};
//!
//! # async fn example(client: colony_async::Client) -> colony_core::Result<()> {
//! let mut events = client.events().watch(Watch::new().state_file(StateFile::for_account("reply-bot")));
//! while let Some(received) = events.try_next().await? {
//!     if let Event::Message(message) = &*received
//!         && let Some(sender) = &message.sender_username
//!     {
//!         let answer = SendMessage::new(sender.as_str(), "Thank you").idempotency_key(received.idempotency_key("answer"));
//!         client.messages().send(answer).await?;
//!     }
//!     received.done();
//! }
//! # Ok(()) }
//! ```
//!
//! # What is promised
//!
//! - **At least once.** The position moves over events that are *done* only: a program that is killed is given the others
//!   again. With [`Event::idempotency_key`] what is done about an event is done once, as long as the service keeps the key
//!   (24 hours).
//! - **No silence.** Where events may be missing there is a [`Gap`], so also where more than a thousand newer ones of a
//!   kind came after one that was left undone; a row that cannot be read is [`Unreadable`]. A row that becomes visible more than the [overlap](Watch::overlap) after its time is missed, and so is one that
//!   became visible late just when a watch first began.
//! - **No repeats** of what is done, while the watch lives and after [closing](Step) it.
//! - **Order** by time within a round; none is promised from round to round.
//! - **The service is not pressed.** Rounds slow down while nothing happens, and the service's own limits are waited for.
//!   An outage costs a request in five minutes.
//! - A permanent failure, a refused login for example, ends the watch with its error.
//!
//! # What only the service can tell
//!
//! Nothing of this was tried against it; the rules hold whatever the answer is.
//!
//! - How late a row becomes visible; 10 s are allowed for ([`Watch::overlap`]).
//! - Whether rows are stamped by the clock that `next_cursor` is of, and with how many digits.
//! - Whether `/since` gives the newest 200 rows of a kind where there are more, and messages to groups.
//! - Whether the lists that a full kind is fetched from are complete, and in which order they are.
//! - What `/stream` says: how its frames look, how often it says that it lives, how long it may live, what becomes of it when
//!   its token ends, and whether posts ring.
//! - How long an idempotency key is kept, and for which operations.
//!
//! # How it is built
//!
//! [`Machine`] has all the rules, and does nothing by itself; each client drives it.

mod bell;
mod event;
mod ledger;
mod machine;
mod pace;
pub mod place;
mod position;
mod round;
#[cfg(test)]
mod tests;
mod watch;

pub use self::{
    bell::BellStep,
    event::{Event, EventId, EventKind, Gap, GapReason, Unreadable},
    machine::{Given, Health, Machine, Notice, Step},
    pace::Moment,
    position::Position,
    watch::{StateFile, Watch},
};
use crate::{Client, Transport};

/// Hearing what happens. From [`Client::events`].
#[derive(Debug)]
pub struct Events<'c, C> {
    transport: &'c C,
}

impl<C: Transport> Client<C> {
    /// Hearing what happens: see [`events`](crate::events).
    pub fn events(&self) -> Events<'_, C> {
        Events { transport: self.transport() }
    }
}

impl<C: Transport> Events<'_, C> {
    /// Watches what happens, from the first event that is asked for.
    ///
    /// # Errors
    ///
    /// Each event is a result; the first error is the last item. [`Busy`](crate::ErrorKind::Busy) when another watch has
    /// the state file; [`Config`](crate::ErrorKind::Config) when that file cannot be used.
    pub fn watch(&self, watch: Watch) -> C::Events {
        self.transport.watch(watch)
    }

    /// Fetches what has happened since a position, once, and the position after it: for programs that are started now
    /// and then. Keep the position when everything is done.
    ///
    /// ```no_run
    /// # use colony_core::events::Position;
    /// # async fn example(client: colony_async::Client, kept: Option<Position>) -> colony_core::Result<()> {
    /// let (events, position) = client.events().peek(kept.unwrap_or_else(Position::now)).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As any call.
    pub fn peek(&self, position: Position) -> C::Reply<(Vec<Event>, Position)> {
        self.transport.peek(position)
    }
}
