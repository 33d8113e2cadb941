//! A receiver of webhooks that keeps every delivery, replies from a function, and handles nothing.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::AsyncWriteExt as _;

use crate::raw::{self, Listener, Received};

/// The receiver.
#[derive(Debug)]
pub struct Recorder {
    listener: Listener,
    kept: Arc<Mutex<Vec<Received>>>,
}

impl Recorder {
    /// Starts a receiver that answers with the status from this function; the number counts requests from 0.
    ///
    /// # Errors
    ///
    /// When it cannot listen.
    pub fn start(answer: impl Fn(usize, &Received) -> u16 + Send + Sync + 'static) -> io::Result<Self> {
        let (listener, kept) = (Listener::bind()?, Arc::new(Mutex::new(Vec::new())));
        let (seen, answer) = (Arc::clone(&kept), Arc::new(answer));
        listener.serve(move |mut stream| {
            let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
            async move {
                while let Some(request) = Received::read(&mut stream).await? {
                    let status = {
                        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                        let status = answer(seen.len(), &request);
                        seen.push(request);
                        status
                    };
                    stream.write_all(&raw::reply(status, &[("location", "/elsewhere")], "")).await?;
                }
                Ok(())
            }
        })?;
        Ok(Self { listener, kept })
    }

    /// Returns its address.
    pub fn url(&self) -> String {
        format!("http://{}/hooks", self.listener.address)
    }

    /// Returns the requests so far.
    pub fn requests(&self) -> Vec<Received> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until `count` requests have arrived, or for `limit`; returns those that arrived.
    pub fn wait(&self, count: usize, limit: Duration) -> Vec<Received> {
        let end = Instant::now() + limit;
        loop {
            let requests = self.requests();
            if requests.len() >= count || Instant::now() > end {
                return requests;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Received {
    /// Returns the headers as a `HeaderMap`.
    pub fn header_map(&self) -> HeaderMap {
        let pair = |(name, value): &(String, String)| {
            Some((name.parse::<HeaderName>().ok()?, value.parse::<HeaderValue>().ok()?))
        };
        self.headers.iter().filter_map(pair).collect()
    }
}
