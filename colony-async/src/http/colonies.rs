//! Lookup of colonies that are not built in, by name.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwapOption;
use colony_core::{Error, ErrorKind, Result, colony_name::Directory};

use super::Http;
use crate::gate::Gate;

/// How long the list counts as new: a name missing from it is not looked up again. Short, since colonies are founded
/// while programs run.
const NEW_FOR: Duration = Duration::from_secs(2);

/// The known colonies.
#[derive(Default)]
pub(crate) struct Colonies {
    /// The result of the last lookup.
    known: ArcSwapOption<List>,
    gate: Arc<Gate<Result<Arc<List>>>>,
}

/// The list of colonies, and its age.
struct List {
    directory: Directory,
    /// When it was fetched.
    since: SystemTime,
}

impl Colonies {
    /// Forgets the list: a colony was founded.
    pub(super) fn forget(&self) {
        self.known.store(None);
    }
}

impl List {
    fn is_new(&self, now: SystemTime) -> bool {
        now.duration_since(self.since).is_ok_and(|age| age < NEW_FOR)
    }
}

impl Http {
    /// Returns the id of a colony that is not built in. The list is fetched once for a client, and again for a name
    /// missing from it, by one request for all waiting callers.
    pub(super) async fn colony_id(&self, name: &str) -> Result<String> {
        let colonies = &self.shared.colonies;
        if let Some(known) = colonies.known.load_full() {
            let id = known.directory.id_of(name);
            if id.is_ok() || known.is_new(self.shared.timer.now()) {
                return id.map(str::to_owned);
            }
        }
        let look_up = || {
            let http = self.clone();
            async move { http.look_up().await }
        };
        let found = colonies.gate.share(look_up).await.unwrap_or_else(|_| Err(lost()))?;
        found.directory.id_of(name).map(str::to_owned)
    }

    async fn look_up(&self) -> Result<Arc<List>> {
        let lookup = Directory::lookup();
        let reply = self.deliver(&lookup.request).await?;
        let directory = Directory::read(&(lookup.answer)(reply, &lookup.request)?)?;
        let found = Arc::new(List { directory, since: self.shared.timer.now() });
        self.shared.colonies.known.store(Some(Arc::clone(&found)));
        Ok(found)
    }
}

fn lost() -> Error {
    Error::build(ErrorKind::Busy, "the look-up of the colonies did not finish").finish()
}
