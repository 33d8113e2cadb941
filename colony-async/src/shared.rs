//! A token source for any service: the session of the login, with a function of the program that fetches the token.

use std::{
    fmt,
    future::Future,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use colony_core::{
    Error, ErrorKind, Result,
    openid::{
        audience::{Audience, Need},
        exchanged::Granted,
    },
    token::{
        TokenDetails, TokenName, cache_path,
        cooldown::{Limits, Note},
        freshness::{LONGEST_LIFETIME, Lifetime, claims, unix_seconds},
    },
};
use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Either, select},
};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    callback::Owner,
    disk::{Real, place},
    replacement::Replacement,
    session::{self, Attempt, LockStatus, Mint, Session, Settings},
    time::{SystemTimer, Timer, unix},
    token::{CachedToken, Format},
};

/// A token that a function fetched, and its expiry.
///
/// ```
/// use std::time::Duration;
/// use colony_async::Minted;
///
/// let opaque = Minted::new("opaque").expires_in(Duration::from_secs(900));
/// let jwt = Minted::new("eyJ…"); // ends as its own `exp` says
/// ```
#[derive(Clone)]
pub struct Minted {
    token: SecretString,
    end: Option<End>,
}

#[derive(Clone, Copy)]
enum End {
    In(Duration),
    At(SystemTime),
}

impl Minted {
    /// Wraps this token. Without an explicit expiry, the expiry is read from the token, which must then be a JWT with
    /// an `exp`.
    pub fn new(token: impl Into<SecretString>) -> Self {
        Self { token: token.into(), end: None }
    }

    /// Sets the time until the token expires, counted from when the function returns.
    #[must_use]
    pub fn expires_in(self, life: Duration) -> Self {
        Self { end: Some(End::In(life)), ..self }
    }

    /// Sets when the token expires, by this machine's clock.
    #[must_use]
    pub fn expires_at(self, end: SystemTime) -> Self {
        Self { end: Some(End::At(end)), ..self }
    }

    /// Converts the token. `is_new`: it was issued just now, so a JWT's lifetime counts from now even if the clock is
    /// wrong.
    fn granted(self, now: f64, is_new: bool) -> Result<Granted> {
        let token = self.token.expose_secret();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(unusable("the token is empty or has characters that no header can carry"));
        }
        let longest = LONGEST_LIFETIME.as_secs_f64();
        let expiry = match self.end {
            Some(End::In(life)) => now + life.as_secs_f64().min(longest),
            Some(End::At(end)) => unix_seconds(end).min(now + longest),
            None if claims(token).is_none_or(|claims| claims.exp.is_none()) => {
                return Err(unusable(
                    "the token does not say when it ends: use `expires_in` or `expires_at`",
                ));
            }
            None if is_new => Lifetime::at_login(token, now).dead_at,
            None => Lifetime::in_hand(token, now).dead_at,
        };
        // The margin is a part of the whole life; a minute if that is unknown.
        let issued = claims(token).and_then(|claims| claims.iat).filter(|iat| *iat < expiry);
        let at = if is_new { now } else { issued.unwrap_or(expiry - SHORT_LIFE).min(now) };
        Ok(Granted::new(self.token, at, expiry))
    }
}

impl fmt::Debug for Minted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Minted")
    }
}

/// The longest life, in seconds, that has a margin of less than a minute (rule 5 of the design).
const SHORT_LIFE: f64 = 600.0;

fn unusable(why: &str) -> Error {
    Error::build(ErrorKind::Decode, why).finish()
}

/// A token that all programs of this user on this host share. One of them fetches it when necessary.
///
/// It has the same guarantees as the login of [`Client`](crate::Client): one fetch, however many tasks and processes
/// need the token; a private file, an advisory lock, and a cool-down after a 429 that all respect. A living token
/// stays in use while the service is unreachable, and trouble with files never fails a call. Cloning is cheap and
/// shares everything.
///
/// ```no_run
/// use std::time::Duration;
/// use colony_async::{Minted, SharedToken, TokenName};
///
/// # async fn fetch() -> colony_async::Result<String> { Ok(String::new()) }
/// # async fn example(key: &str, org: &str) -> colony_async::Result<()> {
/// let source = SharedToken::builder(TokenName::new("fctl").part("org", org).secret(key))
///     .ttl(Duration::from_secs(300))
///     .mint(|| async { Ok(Minted::new(fetch().await?)) })
///     .build()?;
/// let token = source.token().await?;
/// // The service answered 401:
/// let other = source.token_other_than(&token).await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct SharedToken(Arc<Inner>);

struct Inner {
    session: Arc<Session>,
    timer: Arc<dyn Timer>,
    replacement: Replacement,
}

/// How much longer the wait for the lock is than the time limit of a fetch.
const LOCK_EXTRA: Duration = Duration::from_secs(15);

/// The key under which a refused token is remembered when no operation is named.
const ANY: &str = "*";

impl SharedToken {
    /// Returns a builder for the token of this name.
    pub fn builder(name: TokenName) -> SharedTokenBuilder {
        SharedTokenBuilder {
            name,
            directory: None,
            ttl: None,
            token_store: None,
            refresh_ahead: None,
            ignore_cool_down: false,
            deadline: Duration::from_secs(120),
            seed: None,
            mint: None,
            timer: Arc::new(SystemTimer),
        }
    }

    /// Returns a token that is fresh now: from memory, from the file, or fetched.
    ///
    /// # Errors
    ///
    /// The function's error, here or in a process that was waited for; [`RateLimit`](ErrorKind::RateLimit) while a
    /// cool-down lasts.
    pub async fn token(&self) -> Result<SecretString> {
        Ok(self.0.session.token(None).await?.secret.clone())
    }

    /// Returns a token, as [`token`](Self::token) does, and its expiry.
    ///
    /// # Errors
    ///
    /// As [`token`](Self::token).
    pub async fn token_details(&self) -> Result<TokenDetails> {
        self.token_with_min_ttl(Duration::ZERO).await
    }

    /// Returns a token that lives at least `min_ttl`, and its expiry. If the present one is too short, a later one is
    /// taken from the file or fetched, once for all waiting callers.
    ///
    /// # Errors
    ///
    /// As [`token`](Self::token); [`InvalidArgument`](ErrorKind::InvalidArgument) when `min_ttl` is longer than the life
    /// of a new token, and [`Busy`](ErrorKind::Busy) with the code `min_ttl` when no later token is available now.
    pub async fn token_with_min_ttl(&self, min_ttl: Duration) -> Result<TokenDetails> {
        Ok(self.0.session.token_lasting(Need::AccessToken, None, min_ttl).await?.details())
    }

    /// Returns a token other than the one that the service refused (401). It is fetched unless another caller has
    /// already replaced it.
    ///
    /// If a token is refused although it was just fetched, the token is not the problem. This then fails at once, for
    /// 2 s and twice as long each time, up to 30 minutes, in every process.
    ///
    /// # Errors
    ///
    /// As [`token`](Self::token), and [`Auth`](ErrorKind::Auth) with the code `refused_when_new`.
    pub async fn token_other_than(&self, rejected: &SecretString) -> Result<SecretString> {
        self.replace(rejected, ANY).await
    }

    /// As [`token_other_than`](Self::token_other_than), for one operation of the service: if it refuses every token,
    /// other operations are not affected.
    ///
    /// # Errors
    ///
    /// As [`token_other_than`](Self::token_other_than).
    pub async fn token_other_than_for(
        &self,
        rejected: &SecretString,
        operation: &str,
    ) -> Result<SecretString> {
        self.replace(rejected, operation).await
    }

    async fn replace(&self, rejected: &SecretString, operation: &str) -> Result<SecretString> {
        let Inner { session, timer, replacement } = &*self.0;
        replacement.get(session, rejected, operation, unix(&**timer)).await
    }

    /// Makes the next call fetch a token. Until then, the token in the file stays for other programs.
    pub async fn forget(&self) {
        self.0.session.forget().await;
    }

    /// Returns the state of the shared file, without changing anything. Blocks briefly.
    pub fn status(&self) -> SharedTokenStatus {
        let now = unix(&*self.0.timer);
        let store = self.0.session.store();
        let found = store.as_ref().and_then(|store| store.read().ok());
        let lifetime = found.map(|record| record.token.lifetime);
        let in_memory = self.0.session.lend(Need::AccessToken, None, |held| held.lifetime);
        let lifetime = in_memory.or(lifetime);
        SharedTokenStatus {
            file: store.as_ref().map(session::TokenStore::file),
            is_fresh: lifetime.is_some_and(|lifetime| lifetime.is_fresh(now)),
            expires_at: lifetime.map(|lifetime| lifetime.dead_at),
            lock: store.as_ref().and_then(|store| store.holder()).map_or(LockStatus::Free, LockStatus::Held),
            cool_down: store.and_then(|store| store.read_note()?.remaining(now)),
        }
    }
}

impl fmt::Debug for SharedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedToken").finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.session.end();
    }
}

/// The state of a shared token. Holds no secret.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SharedTokenStatus {
    /// The file. `None` if the token is kept in memory only.
    pub file: Option<PathBuf>,
    /// Whether a call now would use a token without fetching one.
    pub is_fresh: bool,
    /// When the token expires, Unix seconds.
    pub expires_at: Option<f64>,
    /// Whether another process is fetching a token.
    pub lock: LockStatus,
    /// The time left of a cool-down after a 429.
    pub cool_down: Option<Duration>,
}

type Fetch = Box<dyn Fn() -> BoxFuture<'static, Result<Minted>> + Send + Sync>;

/// Settings of a [`SharedToken`].
#[must_use = "a builder does nothing until `build` is called"]
pub struct SharedTokenBuilder {
    name: TokenName,
    directory: Option<PathBuf>,
    ttl: Option<Duration>,
    token_store: Option<SecretString>,
    refresh_ahead: Option<bool>,
    ignore_cool_down: bool,
    deadline: Duration,
    seed: Option<Minted>,
    mint: Option<Fetch>,
    timer: Arc<dyn Timer>,
}

impl SharedTokenBuilder {
    /// Sets the function that fetches a token. It is called when a token is due, by one process at a time, in a
    /// separate task. All waiting callers share its error. A 429 ([`RateLimit`](ErrorKind::RateLimit)) starts a
    /// cool-down for all programs of this user, for its `retry_after`.
    pub fn mint<F>(mut self, fetch: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Minted>> + Send + 'static,
    {
        self.mint = Some(Box::new(move || fetch().boxed()));
        self
    }

    /// Caps the age of a token taken from the file. Zero: no file. Unless set, `COLONY_SDK_TOKEN_CACHE_TTL` applies.
    pub fn ttl(mut self, age: Duration) -> Self {
        self.ttl = Some(age);
        self
    }

    /// Sets the directory of the file. The default is `<cache directory of the user>/<program>`;
    /// `COLONY_SDK_TOKEN_CACHE_DIR` does not apply.
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Shares the token with programs on other hosts over this Redis or Valkey server, as
    /// [`Builder::token_store`](crate::Builder::token_store) does. The name needs a [secret
    /// part](colony_core::token::TokenName::secret). `COLONY_SDK_TOKEN_STORE` does not apply.
    pub fn token_store(mut self, url: impl Into<SecretString>) -> Self {
        self.token_store = Some(url.into());
        self
    }

    /// Sets whether a background task renews the token before it goes stale. Off unless set, and on with a
    /// [`token_store`](Self::token_store).
    pub fn refresh_ahead(mut self, on: bool) -> Self {
        self.refresh_ahead = Some(on);
        self
    }

    /// Fetches even while a cool-down lasts, for a person who knows that it is over.
    pub fn ignore_cool_down(mut self, on: bool) -> Self {
        self.ignore_cool_down = on;
        self
    }

    /// Sets the time limit of one fetch: two minutes unless set. After that it counts as failed, and other processes
    /// stop waiting for it.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = limit;
        self
    }

    /// Starts with a token that the program already has. This process uses it from memory until a minute before its
    /// expiry (a tenth of its life for a JWT of less than ten minutes), or until it is refused.
    pub fn seed(mut self, token: Minted) -> Self {
        self.seed = Some(token);
        self
    }

    /// Uses this clock and its pauses. For tests.
    pub fn timer(mut self, timer: impl Timer) -> Self {
        self.timer = Arc::new(timer);
        self
    }

    /// Builds the source. It fetches and writes nothing.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) for an invalid program name, [`Config`](ErrorKind::Config)
    /// without a [`mint`](Self::mint) function, and [`Decode`](ErrorKind::Decode) for a seed with an unknown expiry.
    pub fn build(self) -> Result<SharedToken> {
        self.name.check()?;
        let fetch = self.mint.ok_or_else(|| {
            Error::build(ErrorKind::Config, "the source has no function that fetches tokens: use `mint`")
                .finish()
        })?;
        let now = unix(&*self.timer);
        let seed = self.seed.map(|seed| seed.granted(now, false)).transpose()?.map(CachedToken::exchanged);
        let environment = cache_path::from_environment();
        let ttl = self.ttl.or(environment.ttl);
        let program = self.name.program().to_owned();
        let directories = match self.directory {
            Some(directory) => cache_path::Directories::explicit(directory),
            None => environment.directories_of(&program, place::user()),
        };
        let is_off = environment.disabled || ttl == Some(Duration::ZERO);
        let url = match self.token_store.filter(|_| !is_off) {
            Some(text) => environment.token_store(Some(&text))?,
            None => None,
        };
        let store_secret = self.name.store_secret();
        if url.is_some() && store_secret.is_none() {
            let message = "a token store needs a name with a secret part, from which its keys are derived";
            return Err(Error::build(ErrorKind::Config, message).hint("Add `TokenName::secret`").finish());
        }
        let has_file = url.as_ref().is_none_or(|url| url.file);
        let refresh_ahead = self.refresh_ahead.unwrap_or(url.is_some());
        #[cfg(feature = "redis")]
        let fleet = url.map(|url| Arc::new(session::fleet::Fleet::new(url, &*self.timer)));
        #[cfg(not(feature = "redis"))]
        session::warn_of_store(url.as_ref());
        let settings = Settings {
            base_url: String::new(),
            directory: if is_off || !has_file { None } else { session::in_use(&directories, &program) },
            disk: Arc::new(Real),
            ttl,
            refresh_ahead,
            ignore_cool_down: self.ignore_cool_down,
            login_deadline: self.deadline,
            lock_timeout: self.deadline.saturating_add(LOCK_EXTRA),
            owner: Owner::new(),
            #[cfg(feature = "redis")]
            fleet,
        };
        let source = Source {
            fetch,
            fingerprint: self.name.fingerprint(),
            store_secret: store_secret.unwrap_or_default(),
            audience: Audience::new(program),
            deadline: self.deadline,
        };
        let timer = self.timer;
        let session = Session::new(Some(SecretString::default()), settings, source, Arc::clone(&timer));
        let session = Arc::new(session.seeded(seed));
        Ok(SharedToken(Arc::new(Inner { session, timer, replacement: Replacement::default() })))
    }
}

impl fmt::Debug for SharedTokenBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedTokenBuilder").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Fetches tokens with the program's function.
struct Source {
    fetch: Fetch,
    fingerprint: String,
    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "for the level of a fleet"))]
    store_secret: SecretString,
    /// The program, for events and for the file.
    audience: Audience,
    deadline: Duration,
}

impl Mint for Source {
    fn mint<'a>(&'a self, _: &'a SecretString, attempt: Attempt<'a>) -> BoxFuture<'a, Result<CachedToken>> {
        Box::pin(async move {
            attempt.announce(self.deadline);
            let timer = attempt.timer;
            let minted = match select((self.fetch)(), timer.sleep(self.deadline)).await {
                Either::Left((minted, _)) => minted?,
                Either::Right(_) => {
                    let message =
                        format!("the token was not fetched within {} s", self.deadline.as_secs_f64());
                    return Err(Error::build(ErrorKind::Network, message).finish());
                }
            };
            Ok(CachedToken::exchanged(minted.granted(unix(timer), true)?).just_minted())
        })
    }

    fn file(&self, _: &str, _: &SecretString) -> (String, Format) {
        let login = self.fingerprint.clone();
        (self.fingerprint.clone(), Format::Exchanged { login, audience: self.audience.clone() })
    }

    fn store_secret(&self, _: &SecretString) -> SecretString {
        self.store_secret.clone()
    }

    fn one_try(&self) -> Duration {
        self.deadline
    }

    fn limits(&self) -> Limits {
        Limits::default()
    }

    /// Returns the note. Every failure is shared with the callers that waited for it.
    fn note(&self, error: &Error, now: f64) -> Option<Note> {
        if error.kind() == ErrorKind::RateLimit || error.status() == Some(429) {
            return Some(Note::cool_down(now, error.retry_after(), 429, error.code(), error.message()));
        }
        let limits = self.limits();
        Some(Note::failed(now, Some(status_of(error)), limits, error.code(), error.message()))
    }

    fn noted(&self, note: &Note, now: f64) -> Error {
        let kind = kind_of(note.status);
        let mut error = Error::build(kind, note.message.clone());
        if note.status >= 400 {
            error = error.status(note.status);
        }
        if let Some(code) = &note.code {
            error = error.code(code.clone());
        }
        if let Some(left) = note.remaining(now) {
            error = error.retry_after(left).hint(
                "A fetch from this machine was refused a short while ago; until then no program here tries again",
            );
        }
        error.finish()
    }

    fn differs(&self, _: &Note) -> bool {
        false
    }

    fn audience(&self) -> Option<&Audience> {
        Some(&self.audience)
    }
}

/// Returns the status for a note: the error's own, or else a number that no reply has and a note can hold.
fn status_of(error: &Error) -> u16 {
    error.status().unwrap_or(match error.kind() {
        ErrorKind::Network => 110,
        ErrorKind::Auth => 111,
        ErrorKind::Server => 112,
        ErrorKind::Busy => 113,
        _ => 114,
    })
}

fn kind_of(status: u16) -> ErrorKind {
    match status {
        110 => ErrorKind::Network,
        111 | 401 | 403 => ErrorKind::Auth,
        112 | 500..=599 => ErrorKind::Server,
        113 => ErrorKind::Busy,
        429 => ErrorKind::RateLimit,
        404 => ErrorKind::NotFound,
        409 => ErrorKind::Conflict,
        400 | 422 => ErrorKind::Validation,
        _ => ErrorKind::Api,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn run(test: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
    }

    /// Creates a source in a directory; it counts its fetches, and the n-th returns `answer(n)`.
    fn source(
        directory: &std::path::Path,
        fetches: &Arc<AtomicUsize>,
        answer: impl Fn(usize) -> Result<Minted> + Send + Sync + 'static,
    ) -> SharedTokenBuilder {
        let (fetches, answer) = (Arc::clone(fetches), Arc::new(answer));
        SharedToken::builder(TokenName::new("fctl").part("org", "acme").secret("planted"))
            .directory(directory)
            .mint(move || {
                let (number, answer) = (fetches.fetch_add(1, Ordering::SeqCst) + 1, Arc::clone(&answer));
                async move { answer(number) }
            })
    }

    fn opaque(number: usize) -> Result<Minted> {
        Ok(Minted::new(format!("token-{number}")).expires_in(Duration::from_secs(300)))
    }

    fn limited(_: usize) -> Result<Minted> {
        let wait = Duration::from_secs(600);
        Err(Error::build(ErrorKind::RateLimit, "too many").status(429).retry_after(wait).finish())
    }

    #[test]
    fn one_fetch_serves_all_sources_of_a_name() {
        run(async {
            let directory = tempfile::tempdir().unwrap();
            let fetches = Arc::default();
            let sources: Vec<_> =
                (0..20).map(|_| source(directory.path(), &fetches, opaque).build().unwrap()).collect();
            let tokens = futures_util::future::join_all(sources.iter().map(SharedToken::token)).await;
            assert!(tokens.into_iter().all(|token| token.unwrap().expose_secret() == "token-1"));
            let status = sources[0].status();
            assert!(
                status.is_fresh && status.file.unwrap().starts_with(directory.path().canonicalize().unwrap())
            );

            // Many refusals at once: one other token for all.
            let rejected = SecretString::from("token-1");
            let others = sources.iter().map(|source| source.token_other_than(&rejected));
            let others = futures_util::future::join_all(others).await;
            assert!(others.into_iter().all(|token| token.unwrap().expose_secret() == "token-2"));
            // The new one is refused too: the token is not the problem.
            let rejected = SecretString::from("token-2");
            for source in &sources {
                assert_eq!(source.token_other_than(&rejected).await.unwrap_err().kind(), ErrorKind::Auth);
            }
            assert_eq!(fetches.load(Ordering::SeqCst), 2);
            sources[3].forget().await;
            assert_eq!(sources[3].token().await.unwrap().expose_secret(), "token-3");
        });
    }

    #[test]
    fn a_limit_holds_for_all_and_a_living_token_serves_on() {
        run(async {
            let directory = tempfile::tempdir().unwrap();
            let fetches = Arc::default();
            for _ in 0..3 {
                let error =
                    source(directory.path(), &fetches, limited).build().unwrap().token().await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::RateLimit);
                assert!(error.retry_after().unwrap() > Duration::from_secs(500));
            }
            assert_eq!(fetches.load(Ordering::SeqCst), 1);
            // Too little time is left for it to count as fresh.
            let near_its_end = Minted::new("near").expires_at(SystemTime::now() + Duration::from_secs(5));
            let seeded = source(directory.path(), &fetches, limited).seed(near_its_end).build().unwrap();
            assert_eq!(seeded.token().await.unwrap().expose_secret(), "near");
        });
    }

    #[test]
    fn a_seed_is_left_a_minute_before_its_end() {
        run(async {
            for (left, wanted) in [(50, "token-1"), (70, "seed")] {
                let directory = tempfile::tempdir().unwrap();
                let seed = Minted::new("seed").expires_at(SystemTime::now() + Duration::from_secs(left));
                let source = source(directory.path(), &Arc::default(), opaque).seed(seed).build().unwrap();
                assert_eq!(source.token().await.unwrap().expose_secret(), wanted);
            }
        });
    }

    #[test]
    fn a_life_that_no_token_has_is_not_fetched_for() {
        run(async {
            let directory = tempfile::tempdir().unwrap();
            let fetches: Arc<AtomicUsize> = Arc::default();
            let answer = |_| Ok(Minted::new("short").expires_in(Duration::from_secs(120)));
            let sources: Vec<_> =
                (0..10).map(|_| source(directory.path(), &fetches, answer).build().unwrap()).collect();
            assert_eq!(sources[0].token_details().await.unwrap().token.expose_secret(), "short");
            let least = Duration::from_secs(110);
            let enough = sources[1].token_with_min_ttl(least).await.unwrap();
            assert_eq!((enough.token.expose_secret(), fetches.load(Ordering::SeqCst)), ("short", 1));
            // Two minutes are its whole life: nothing is fetched.
            let refused = sources[2].token_with_min_ttl(Duration::from_secs(240)).await.unwrap_err();
            assert_eq!((refused.argument(), fetches.load(Ordering::SeqCst)), (Some("min_ttl"), 1));
        });
    }

    #[test]
    fn who_needs_more_life_shares_one_fetch() {
        run(async {
            let directory = tempfile::tempdir().unwrap();
            let fetches: Arc<AtomicUsize> = Arc::default();
            let with_seed = |builder: SharedTokenBuilder| {
                builder.timer(NearItsEnd).seed(Minted::new(DAY)).build().unwrap()
            };
            let answer = move |number| match number {
                1 => Ok(Minted::new("new").expires_in(Duration::from_secs(3_600))),
                _ => limited(number),
            };
            let sources: Vec<_> =
                (0..10).map(|_| with_seed(source(directory.path(), &fetches, answer))).collect();
            let least = Duration::from_secs(1_800);
            let got = sources.iter().map(|source| source.token_with_min_ttl(least));
            for details in futures_util::future::join_all(got).await {
                let details = details.unwrap();
                assert_eq!(details.token.expose_secret(), "new");
                assert_eq!(details.expires_at, NearItsEnd.now() + Duration::from_secs(3_600));
            }
            assert_eq!(fetches.load(Ordering::SeqCst), 1);
            // If no later one can be obtained, the good one stays.
            let other = tempfile::tempdir().unwrap();
            let source = with_seed(source(other.path(), &Arc::default(), limited));
            let error = source.token_with_min_ttl(least).await.unwrap_err();
            assert_eq!((error.kind(), error.code()), (ErrorKind::Busy, Some("min_ttl")));
            assert_eq!(source.token().await.unwrap().expose_secret(), DAY);
            assert_eq!(
                source.token_details().await.unwrap().expires_at,
                NearItsEnd.now() + Duration::from_secs(600)
            );
        });
    }

    /// A JWT of a day.
    const DAY: &str = "e30.eyJpYXQiOjE3OTAwMDAwMDAsImV4cCI6MTc5MDA4NjQwMH0.x";

    /// A clock that shows ten minutes before its end.
    struct NearItsEnd;

    impl Timer for NearItsEnd {
        fn now(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_086_400 - 600)
        }

        fn sleep(&self, duration: Duration) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
            SystemTimer.sleep(duration)
        }
    }

    #[test]
    fn every_failure_can_be_told_to_others() {
        let source = Source {
            fetch: Box::new(|| async { opaque(1) }.boxed()),
            fingerprint: String::new(),
            store_secret: SecretString::default(),
            audience: Audience::new("fctl"),
            deadline: Duration::from_secs(1),
        };
        let statuses = [None, Some(400), Some(401), Some(403), Some(404), Some(409), Some(500), Some(503)];
        for kind in [ErrorKind::Network, ErrorKind::Auth, ErrorKind::Server, ErrorKind::Busy] {
            for status in statuses {
                let mut error = Error::build(kind, "why");
                if let Some(status) = status {
                    error = error.status(status);
                }
                let note = source.note(&error.finish(), 1.0).unwrap();
                let read =
                    Note::read(note.write().as_bytes()).unwrap_or_else(|| panic!("{kind:?} {status:?}"));
                let told = source.noted(&read, 1.0);
                assert_eq!((told.status(), told.message()), (status, "why"));
                assert!(status.is_some() || told.kind() == kind, "{told:?}");
            }
        }
    }

    #[test]
    fn what_has_no_end_or_no_name_is_refused() {
        run(async {
            let directory = tempfile::tempdir().unwrap();
            let fetches = Arc::default();
            let endless = source(directory.path(), &fetches, |_| Ok(Minted::new("opaque"))).build().unwrap();
            assert_eq!(endless.token().await.unwrap_err().kind(), ErrorKind::Decode);
            let mint = || async { Ok(Minted::new("x")) };
            let build = |program: &str| SharedToken::builder(TokenName::new(program)).mint(mint).build();
            assert_eq!(build("colony-sdk").unwrap_err().argument(), Some("program"));
            assert_eq!(build("a/b").unwrap_err().argument(), Some("program"));
            let none = SharedToken::builder(TokenName::new("fctl")).build();
            assert_eq!(none.unwrap_err().kind(), ErrorKind::Config);
        });
    }
}
