//! The driver of the bell: opens the stream and reads it, as [`Machine::bell`](super::Machine::bell) decides.

use std::{pin::pin, sync::Arc, time::Duration};

use colony_core::{Request, Result, events::BellStep};
use futures_util::future::{BoxFuture, Either, select};

use super::{Clock, Shared};
use crate::{http::Http, time::unix};

/// The open stream, or the request that opens it.
#[derive(Default)]
pub(super) struct Bell {
    opening: Option<BoxFuture<'static, Result<Answered>>>,
    open: Option<reqwest::Response>,
}

/// The response if its headers arrived in time, and the remaining life of its token.
type Answered = Option<(reqwest::Response, Duration)>;

impl Bell {
    /// Returns once it has rung. Cancelling the wait loses nothing.
    pub(super) async fn rung(&mut self, http: &Http, shared: &Shared, clock: Clock) {
        let timer = Arc::clone(http.timer());
        loop {
            let now = clock.now(http);
            let step = shared.machine().bell(now);
            match step {
                BellStep::Rest(time) => {
                    self.open = None;
                    timer.sleep(time).await;
                }
                BellStep::Open(request) => {
                    self.open = None;
                    let open = || -> BoxFuture<'static, _> { Box::pin(http.clone().open_bell(request)) };
                    let outcome = self.opening.get_or_insert_with(open).await;
                    self.opening = None;
                    let now = clock.now(http);
                    let mut machine = shared.machine();
                    match outcome {
                        Ok(Some((response, life))) => {
                            machine.bell_answered(response.status(), response.headers(), life, now);
                            self.open = Some(response);
                        }
                        Ok(None) => machine.bell_unanswered(now),
                        Err(error) => machine.bell_failed(&error, now),
                    }
                    return;
                }
                BellStep::Listen(time) => {
                    let Some(response) = &mut self.open else {
                        return shared.machine().bell_ended("it is gone", now);
                    };
                    let Either::Left((chunk, _)) = select(pin!(response.chunk()), timer.sleep(time)).await
                    else {
                        continue;
                    };
                    let now = clock.now(http);
                    let mut machine = shared.machine();
                    match chunk {
                        Ok(Some(bytes)) if !machine.bell_heard(&bytes, now) => {}
                        Ok(Some(_)) => return,
                        Ok(None) => return machine.bell_ended("it ended", now),
                        Err(_) => return machine.bell_ended("the connection was lost", now),
                    }
                }
                _ => std::future::pending().await,
            }
        }
    }
}

impl Http {
    /// Returns whether there is a server to listen to.
    pub(super) fn can_listen(&self) -> bool {
        self.sender().can_listen()
    }

    /// Opens the bell with the same token as calls. It requests no other one: the next round of the watch handles a
    /// refused token.
    async fn open_bell(self, request: Box<Request>) -> Result<Answered> {
        self.admit(&request)?;
        let held = self.session().token(None).await?;
        let life = held.lifetime.stale_at - held.lifetime.margin - unix(&**self.timer());
        let life = Duration::try_from_secs_f64(life.max(0.0)).unwrap_or(Duration::MAX);
        let head = pin!(self.sender().listen(&request, &held));
        match select(head, self.timer().sleep(self.timeout())).await {
            Either::Left((head, _)) => Ok(Some((head?, life))),
            Either::Right(_) => Ok(None),
        }
    }
}
