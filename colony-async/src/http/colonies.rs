//! Colonies that are not built in, by name.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwapOption;
use colony_core::{Error, ErrorKind, Result, colony_name::Directory};

use super::Http;
use crate::gate::Gate;

/// How long a name that was looked up and not found is not looked up again. Short, since colonies are founded while
/// programs run.
const MISS_KEPT: Duration = Duration::from_secs(2);
/// The most such names that are kept.
const MOST_MISSED: usize = 64;

/// What is known of them.
#[derive(Default)]
pub(crate) struct Colonies {
    /// As the last look-up found them.
    known: ArcSwapOption<Directory>,
    gate: Arc<Gate<Result<Arc<Directory>>>>,
    /// Names that are not there, and since when.
    missed: Mutex<HashMap<String, SystemTime>>,
}

impl Colonies {
    /// Forgets which names were not there: a colony was founded.
    pub(super) fn forget_missed(&self) {
        self.missed.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn miss(&self, name: &str, now: SystemTime) {
        let mut missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
        if missed.len() >= MOST_MISSED {
            missed.clear();
        }
        missed.insert(name.to_owned(), now);
    }

    fn is_missed(&self, name: &str, now: SystemTime) -> bool {
        let missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
        missed.get(name).is_some_and(|since| now.duration_since(*since).is_ok_and(|age| age < MISS_KEPT))
    }
}

impl Http {
    /// The id of a colony that is not built in. The list is fetched once for a client, and once more for a name that it
    /// does not hold, by one request for however many ask at once.
    pub(super) async fn colony_id(&self, name: &str) -> Result<String> {
        let colonies = &self.shared.colonies;
        if let Some(directory) = colonies.known.load_full() {
            match directory.id_of(name) {
                Ok(id) => return Ok(id.to_owned()),
                Err(error) if colonies.is_missed(name, self.shared.timer.now()) => return Err(error),
                Err(_) => {}
            }
        }
        let look_up = || {
            let http = self.clone();
            async move { http.look_up().await }
        };
        let found = colonies.gate.share(look_up).await.unwrap_or_else(|_| Err(lost()))?;
        let id = found.id_of(name).map(str::to_owned);
        if id.is_err() {
            colonies.miss(name, self.shared.timer.now());
        }
        id
    }

    async fn look_up(&self) -> Result<Arc<Directory>> {
        let lookup = Directory::lookup();
        let reply = self.deliver(&lookup.request).await?;
        let found = Arc::new(Directory::read(&(lookup.answer)(reply, &lookup.request)?)?);
        self.shared.colonies.known.store(Some(Arc::clone(&found)));
        Ok(found)
    }
}

fn lost() -> Error {
    Error::build(ErrorKind::Busy, "the look-up of the colonies did not come to an end").finish()
}
