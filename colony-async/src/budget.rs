//! Enforces the policy of a client: refuses forbidden requests before anything is sent, and counts operations with a
//! daily budget in a ledger that all programs of the account on this host share.
//!
//! A budget *fails closed*, as the store of credentials does: a request is counted before it is sent, with the lock
//! held, and is not sent if the ledger cannot be locked, read or written. The count is taken back only if the request
//! certainly had no effect, so a crash counts too much and never too little.

use std::{ops::ControlFlow, path::PathBuf, sync::Arc, time::Duration};

use colony_core::{
    Auth, ErrorKind, Reply, Request, Result,
    policy::{Ledger, Policy, Refusal, day_of},
    registry,
    retry::Unanswered,
    token::freshness,
};
use secrecy::ExposeSecret as _;

use crate::{
    disk::{
        Disk,
        lock::Lock,
        place,
        private::{Directory, Durability, Unfit},
        waiting::{Waited, wait_for_lock},
    },
    events,
    time::{Timer, unix},
    token::CachedToken,
};

/// How long to wait for another program to release the ledger.
const PATIENCE: Duration = Duration::from_secs(20);
/// The largest ledger that is read, in bytes.
const LIMIT: u64 = 64 * 1024;

/// The policy of a client, and the location of its ledgers.
pub(crate) struct Budgets {
    policy: Policy,
    /// A directory in place of the state directory.
    directory: Option<PathBuf>,
    disk: Arc<dyn Disk>,
    timer: Arc<dyn Timer>,
}

/// A daily budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Budget {
    /// The operation that is limited.
    pub operation: &'static str,
    /// How often the operation is allowed per day.
    pub limit: u32,
    /// How often it was called today. `None` if the ledger cannot be read; then it is not allowed.
    pub spent: Option<u32>,
}

/// A counted request.
pub(crate) struct Reservation {
    ledger: LedgerFile,
    operation: &'static str,
    day: String,
}

#[derive(Clone)]
struct LedgerFile {
    directory: Directory,
    name: String,
    timer: Arc<dyn Timer>,
}

impl Budgets {
    pub(crate) fn new(
        policy: Policy,
        directory: Option<PathBuf>,
        disk: Arc<dyn Disk>,
        timer: Arc<dyn Timer>,
    ) -> Self {
        Self { policy, directory, disk, timer }
    }

    /// Refuses a request that the policy does not allow.
    pub(crate) fn check(&self, request: &Request) -> Result<()> {
        Ok(self.policy.check_request(request)?)
    }

    /// Refuses an action of the session itself, for example returning a token.
    pub(crate) fn check_named(&self, name: &str) -> Result<()> {
        let Some(operation) = registry::find(name) else { return Ok(()) };
        Ok(self.policy.check(operation, 0)?)
    }

    /// Returns whether requests of this operation are counted.
    pub(crate) fn counts(&self, request: &Request) -> bool {
        self.policy.daily_limit(request.operation()).is_some()
    }

    /// Counts a request of an operation, for the account of this token. Without a token, the request has no account.
    pub(crate) async fn reserve(&self, request: &Request, held: Option<&CachedToken>) -> Result<Reservation> {
        let operation = request.operation();
        let refused = |why: String| Refusal::without_ledger(operation, why);
        let held = held.filter(|_| request.auth() == Auth::Bearer);
        let ledger = self.ledger(held).map_err(refused)?;
        let mut day = String::new();
        ledger
            .change(|spent| {
                let today = day_of(unix(&*self.timer));
                day = spent.day(&today);
                self.policy.check_budget(operation, spent.spent(&day, operation)).map_err(|refusal| {
                    let path = ledger.path();
                    let path = path.display();
                    match day == today {
                        true => refusal.told_by(path),
                        false => refusal.told_by(format_args!(
                            "{path}, which is of {day}, later than this machine's clock"
                        )),
                    }
                })?;
                spent.reserve(&day, operation);
                Ok(())
            })
            .await
            .map_err(|failed| match failed {
                Failed::Refused(refusal) => refusal,
                Failed::Unusable(why) => refused(why),
            })?;
        Ok(Reservation { ledger, operation, day })
    }
}

impl Budgets {
    /// Returns the ledger of the account of this token, or that of requests without one.
    fn ledger(&self, held: Option<&CachedToken>) -> std::result::Result<LedgerFile, String> {
        let account = match held {
            None => "anonymous".to_owned(),
            Some(held) => freshness::subject(held.secret.expose_secret())
                .ok_or_else(|| "the token names no account".to_owned())?,
        };
        let directory = match &self.directory {
            Some(directory) => place::given(directory),
            None => events::state_directory().map_err(|error| error.message().to_owned())?,
        };
        Ok(LedgerFile {
            directory: Directory::new(Arc::clone(&self.disk), directory),
            name: format!("{account}.ledger"),
            timer: Arc::clone(&self.timer),
        })
    }

    /// Returns the budgets and today's use of them by the account of this token.
    pub(crate) fn spent(&self, held: Option<&CachedToken>) -> Vec<Budget> {
        let ledger = held.and_then(|held| self.ledger(Some(held)).ok()?.read().ok());
        let day = ledger.as_ref().map(|ledger| ledger.day(&day_of(unix(&*self.timer))));
        let spent = |operation: &str| Some(ledger.as_ref()?.spent(day.as_deref()?, operation));
        let budgets = self.policy.budgets().into_iter();
        budgets.map(|(operation, limit)| Budget { operation, limit, spent: spent(operation) }).collect()
    }
}

impl Reservation {
    /// Takes the count back if the request certainly had no effect. `resent` is how often it was sent again.
    pub(crate) async fn settle(self, outcome: &Result<Reply>, resent: u32) {
        if resent > 0 || !had_no_effect(outcome) {
            return;
        }
        let (operation, day) = (self.operation, &self.day);
        let given_back = self.ledger.change(|spent| {
            spent.give_back(day, operation);
            Ok(())
        });
        if let Err(Failed::Unusable(why)) = given_back.await {
            tracing::warn!(
                target: "colony::policy", event = "not_given_back", operation,
                "the budget of {operation} counts one that was not sent: {why}"
            );
        }
    }
}

/// Returns whether the server certainly did nothing: it was not reached, it refused, or it repeated the reply to an
/// earlier request.
fn had_no_effect(outcome: &Result<Reply>) -> bool {
    match outcome {
        Ok(reply) if reply.status.is_client_error() => !matches!(reply.status.as_u16(), 408 | 409),
        Ok(reply) => reply.is_success() && reply.is_replay(),
        Err(error) => match error.kind() {
            ErrorKind::Network => error.unanswered() == Some(Unanswered::NotConnected),
            ErrorKind::InvalidArgument | ErrorKind::Config | ErrorKind::Refused => true,
            _ => false,
        },
    }
}

enum Failed {
    Refused(Refusal),
    Unusable(String),
}

impl LedgerFile {
    fn path(&self) -> PathBuf {
        self.directory.path().join(&self.name)
    }

    fn read(&self) -> std::result::Result<Ledger, String> {
        match self.directory.read(&self.path(), LIMIT) {
            Ok(content) => Ledger::read(&content.bytes).map_err(|torn| torn.to_string()),
            Err(Unfit::Absent) => Ok(Ledger::default()),
            Err(unfit) => Err(unfit.to_string()),
        }
    }

    /// Reads, changes and writes the ledger with its lock held.
    async fn change(
        &self,
        change: impl FnOnce(&mut Ledger) -> std::result::Result<(), Refusal>,
    ) -> std::result::Result<(), Failed> {
        let path = self.path();
        let unusable = |what: &str, why: &dyn std::fmt::Display| {
            Failed::Unusable(format!("{} cannot be {what}: {why}", path.display()))
        };
        self.directory.make().map_err(|error| unusable("made", &error))?;
        let lock_path = self.directory.path().join(format!("{}.lock", self.name));
        let waited = wait_for_lock(
            &*self.timer,
            || Lock::try_acquire(self.directory.disk(), &lock_path),
            || None,
            |_| ControlFlow::<(), Duration>::Continue(PATIENCE),
        );
        let _lock = match waited.await {
            Waited::Held(lock, _) => lock,
            Waited::Unavailable(error) => return Err(unusable("locked", &error)),
            Waited::GaveUp(waited) => {
                let why = format!("another program has held it for {} s", waited.as_secs());
                return Err(unusable("locked", &why));
            }
            Waited::Found(()) => unreachable!("nothing is looked for"),
        };
        let mut ledger = self.read().map_err(|why| unusable("read", &why))?;
        change(&mut ledger).map_err(Failed::Refused)?;
        let text = ledger.to_text();
        let written = self.directory.write(&self.name, &path, text.as_bytes(), Durability::Lasting);
        written.map_err(|error| unusable("written", &error))
    }
}
