//! A note beside the cache file by which programs share a refused login.
//!
//! `/auth/token` lets about a hundred logins an hour through for each address, and every further try
//! counts. So one program's 429 is everybody's: the others fail fast with the time that is left (rule 3
//! of the design). Those who waited while another login failed take its error for their own (rule 2), so that in an
//! outage many programs end together and not one after another; the next to come asks for itself, because the reason
//! may be gone.
//!
//! A note is a hint. A process that cannot read one logs in; a successful login removes it; a person can
//! remove it. It is written like the token's file: whole, or not at all.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{cache_path::fingerprint, freshness::CLOCK_GRACE};
use crate::Error;

/// The longest cool-down that is believed, so that a bad value cannot lock anybody out for long: the
/// window of the service's own limit.
pub const MAX_COOL_DOWN: Duration = Duration::from_secs(60 * 60);

/// The cool-down after a 429 that does not say how long to wait.
pub const DEFAULT_COOL_DOWN: Duration = Duration::from_secs(60);

/// The largest note that is read, in bytes.
pub const MAX_BYTES: usize = 16 * 1024;

/// The longest code and message that are kept, in characters.
const MAX_TEXT: usize = 500;

/// The name of the note: the token's [`fingerprint`], then `.note`. Pass the base URL through
/// [`normalise_base_url`](super::cache_path::normalise_base_url) first.
///
/// ```
/// # use colony_core::token::cooldown::file_name;
/// assert_eq!(file_name("https://thecolony.ai/api/v1", "col_k"), "977e76005e3b03fa.note");
/// ```
pub fn file_name(base_url: &str, api_key: &str) -> String {
    format!("{}.note", fingerprint(base_url, api_key))
}

/// What a [`Note`] tells the others.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NoteKind {
    /// Too many logins (429): nobody is to try before [`Note::until`].
    CoolDown,
    /// The credentials were refused (401, 403), or for an exchanged token the request (400): the answer for
    /// those who are waiting.
    Refused,
    /// The server failed, or did not answer as it should (5xx, a proxy's page): the answer for those who are
    /// waiting.
    Failed,
    /// No answer came: the answer for those who are waiting and would fare no better, see [`Limits`].
    NoAnswer(Limits),
}

/// Under which conditions a login got no answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Limits {
    /// Names the connection settings (proxy, certificates) without giving them away.
    pub connection: String,
    /// How long one request was given, in milliseconds.
    pub timeout_ms: u64,
    /// How long the whole login was given, in milliseconds.
    pub login_deadline_ms: u64,
}

impl Limits {
    /// Whether a login under these conditions has failed too, when one under `other` has: by the same way, and
    /// given no more time.
    pub fn are_met_by(&self, other: &Self) -> bool {
        self.connection == other.connection
            && self.timeout_ms <= other.timeout_ms
            && self.login_deadline_ms <= other.login_deadline_ms
    }
}

/// A login that was refused, as one program tells it to others.
///
/// ```
/// use std::time::Duration;
/// use colony_core::token::cooldown::Note;
///
/// let now = 1_790_000_000.0;
/// let note = Note::cool_down(now, Some(Duration::from_secs(90)), 429, None, "Too many logins");
/// let read = Note::read(note.write().as_bytes()).unwrap();
/// assert_eq!(read.remaining(now + 30.0), Some(Duration::from_secs(60)));
/// assert_eq!(read.to_error(now + 30.0).retry_after(), Some(Duration::from_secs(60)));
/// assert_eq!(read.remaining(now + 90.0), None);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Note {
    /// What it is.
    pub kind: NoteKind,
    /// When the server answered, unix seconds by the writer's clock.
    pub at: f64,
    /// When the cool-down is over, unix seconds; the same as `at` for every other kind.
    pub until: f64,
    /// The status of the server's answer; zero when there was none.
    pub status: u16,
    /// The server's code, when it gave one.
    pub code: Option<String>,
    /// The server's message, bounded, and without anything that looks like a key or a token.
    pub message: String,
}

impl Note {
    /// The note of a 429 at `now` (unix seconds). Without a `Retry-After` the cool-down is
    /// [`DEFAULT_COOL_DOWN`]; it is never longer than [`MAX_COOL_DOWN`].
    pub fn cool_down(
        now: f64,
        retry_after: Option<Duration>,
        status: u16,
        code: Option<&str>,
        message: &str,
    ) -> Self {
        let wait = retry_after.unwrap_or(DEFAULT_COOL_DOWN).min(MAX_COOL_DOWN);
        Self {
            kind: NoteKind::CoolDown,
            at: now,
            until: now + wait.as_secs_f64(),
            status,
            code: code.map(presentable),
            message: presentable(message),
        }
    }

    /// The note of a 401 or 403, or of a refused exchange's 400, at `now` (unix seconds).
    pub fn refused(now: f64, status: u16, code: Option<&str>, message: &str) -> Self {
        Self {
            kind: NoteKind::Refused,
            at: now,
            until: now,
            status,
            code: code.map(presentable),
            message: presentable(message),
        }
    }

    /// The note of a login that failed without a verdict on the key, at `now` (unix seconds). Without a status no
    /// answer came, and `limits` say who would fare no better.
    pub fn failed(now: f64, status: Option<u16>, limits: Limits, code: Option<&str>, message: &str) -> Self {
        Self {
            kind: if status.is_some() { NoteKind::Failed } else { NoteKind::NoAnswer(limits) },
            at: now,
            until: now,
            status: status.unwrap_or(0),
            code: code.map(presentable),
            message: presentable(message),
        }
    }

    /// Reads a note. `None` for whatever is not one, a newer version's included.
    pub fn read(text: &[u8]) -> Option<Self> {
        if text.len() > MAX_BYTES {
            return None;
        }
        let note: Value = serde_json::from_slice(text).ok()?;
        if note.get("v")?.as_u64()? != 1 {
            return None;
        }
        let moment = |name: &str| note.get(name)?.as_f64().filter(|moment| moment.is_finite());
        let text = |name: &str| note.get(name)?.as_str().map(presentable);
        let at = moment("at")?;
        let (kind, until) = match note.get("kind")?.as_str()? {
            "cool_down" => (NoteKind::CoolDown, moment("until")?),
            "refused" => (NoteKind::Refused, at),
            "failed" => (NoteKind::Failed, at),
            "no_answer" => {
                (NoteKind::NoAnswer(serde_json::from_value(note.get("limits")?.clone()).ok()?), at)
            }
            _ => return None,
        };
        let status = note.get("status")?.as_u64().and_then(|status| u16::try_from(status).ok())?;
        let fits = match &kind {
            NoteKind::CoolDown => status == 429,
            NoteKind::Refused => matches!(status, 400 | 401 | 403),
            NoteKind::Failed => (100..1000).contains(&status) && status != 429,
            NoteKind::NoAnswer(_) => status == 0,
        };
        fits.then(|| Self {
            kind,
            at,
            until,
            status,
            code: text("code"),
            message: text("message").unwrap_or_default(),
        })
    }

    /// The note's text: one JSON object.
    pub fn write(&self) -> String {
        let mut note = json!({
            "v": 1,
            "at": self.at,
            "status": self.status,
            "message": self.message,
        });
        match &self.kind {
            NoteKind::CoolDown => {
                note["kind"] = "cool_down".into();
                note["until"] = self.until.into();
            }
            NoteKind::Refused => note["kind"] = "refused".into(),
            NoteKind::Failed => note["kind"] = "failed".into(),
            NoteKind::NoAnswer(limits) => {
                note["kind"] = "no_answer".into();
                note["limits"] = json!(limits);
            }
        }
        if let Some(code) = &self.code {
            note["code"] = code.as_str().into();
        }
        note.to_string()
    }

    /// How long nobody is to log in, at `now` (unix seconds). `None` when the cool-down is over, when
    /// this is no cool-down, and when it is not to be believed: dated more than [`CLOCK_GRACE`] ahead, as
    /// after a clock was set back, or longer than [`MAX_COOL_DOWN`].
    pub fn remaining(&self, now: f64) -> Option<Duration> {
        // The times are rounded to the last place of a large number, hence the second of grace.
        let believed = self.at <= now + CLOCK_GRACE.as_secs_f64()
            && self.until - self.at <= MAX_COOL_DOWN.as_secs_f64() + 1.0;
        if self.kind != NoteKind::CoolDown || !believed {
            return None;
        }
        let left = Duration::try_from_secs_f64(self.until - now).ok()?;
        (!left.is_zero()).then(|| left.min(MAX_COOL_DOWN))
    }

    /// Whether this is a failure, which answers callers that are waiting for the login that failed.
    pub fn is_failure(&self) -> bool {
        self.kind != NoteKind::CoolDown
    }

    /// Whether this is the answer, at `now`, for a caller that has been waiting for a login since `waiting_since`
    /// (both in unix seconds): a failure in between.
    pub fn answers_waiter(&self, waiting_since: f64, now: f64) -> bool {
        self.is_failure() && waiting_since < self.at && self.at <= now
    }

    /// Whether the refusal was about the two-factor code, or the lack of one, and not about the key. A
    /// waiter that has a code of its own to send has not been answered by it.
    pub fn is_two_factor(&self) -> bool {
        self.code.as_deref().is_some_and(|code| code.starts_with("AUTH_2FA_"))
    }

    /// The error that a login would have ended with, at `now` (unix seconds): of the same kind as the
    /// server's answer, with [`Error::retry_after`] as the time that is left.
    pub fn to_error(&self, now: f64) -> Error {
        match &self.kind {
            NoteKind::NoAnswer(_) => {
                return Error::build(crate::ErrorKind::Network, self.message.clone())
                    .operation(super::LOGIN)
                    .hint("Another program's login got no answer while this one waited for it")
                    .finish();
            }
            // It was no verdict on the key when it came, and is none now.
            NoteKind::Failed if self.status < 500 => {
                return Error::from_api_reply(super::LOGIN, self.status, b"", None).without_body().finish();
            }
            _ => {}
        }
        let mut detail = serde_json::Map::new();
        if let Some(code) = &self.code {
            detail.insert("code".to_owned(), code.as_str().into());
        }
        if !self.message.is_empty() {
            detail.insert("message".to_owned(), self.message.as_str().into());
        }
        let body = json!({ "detail": detail }).to_string();
        let wait = self.remaining(now).filter(|_| self.status == 429);
        let error = Error::from_api_reply(super::LOGIN, self.status, body.as_bytes(), wait);
        let error = match self.kind {
            NoteKind::CoolDown => error.hint(
                "A login from this machine was refused a short while ago; until then no program here logs in with this key",
            ),
            _ => error,
        };
        error.without_body().finish()
    }

    /// As [`to_error`](Self::to_error), of an exchange of a token
    /// ([`openid::exchanged`](crate::openid::exchanged)).
    pub fn to_exchange_error(&self, now: f64) -> Error {
        use crate::{ErrorKind, openid::audience::OPERATION};
        // What refused it may have been the login that the exchange needs, which speaks of itself in capitals.
        if matches!(self.kind, NoteKind::Failed | NoteKind::NoAnswer(_)) {
            return self.to_error(now);
        }
        let is_login = self.code.as_deref().is_some_and(|code| code.starts_with("AUTH_"));
        if is_login {
            return self.to_error(now);
        }
        let body = json!({ "error": self.code, "error_description": self.message }).to_string();
        let error = Error::from_oauth_reply(OPERATION, self.status, body.as_bytes()).without_body();
        match (&self.kind, self.status) {
            (NoteKind::CoolDown, _) => error
                .kind(ErrorKind::RateLimit)
                .retry_after(self.remaining(now).unwrap_or_default())
                .hint(
                    "An exchange from this machine was refused a short while ago; until then no program \
                     here tries again for this audience",
                )
                .finish(),
            (_, 401 | 403) => error.kind(ErrorKind::Auth).finish(),
            _ => error.finish(),
        }
    }
}

/// A server's text as it may stand in a file: bounded, on one line, without keys and tokens.
fn presentable(text: &str) -> String {
    let mut shown = String::new();
    let part_of_secret = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word = rest.find(|c| !part_of_secret(c)).unwrap_or(rest.len());
        if word == 0 {
            shown.push(if first.is_control() { ' ' } else { first });
            rest = &rest[first.len_utf8()..];
        } else {
            let (word, after) = rest.split_at(word);
            // Also behind a dot or a dash, as in "no such key...col_live".
            let is_start = |at: usize| !word[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
            let secret =
                ["col_", "eyJ"].iter().any(|start| word.match_indices(start).any(|(at, _)| is_start(at)));
            shown.push_str(if secret { "[redacted]" } else { word });
            rest = after;
        }
    }
    match shown.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => shown[..end].to_owned(),
        None => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    const NOW: f64 = 1_790_000_000.25;

    fn seconds(seconds: u64) -> Option<Duration> {
        Some(Duration::from_secs(seconds))
    }

    #[test]
    fn a_cool_down_has_a_default_and_a_bound() {
        let wait = |retry_after| Note::cool_down(NOW, retry_after, 429, None, "").remaining(NOW);
        assert_eq!(wait(seconds(90)), seconds(90));
        assert_eq!(wait(None), Some(DEFAULT_COOL_DOWN));
        assert_eq!(wait(Some(Duration::MAX)), Some(MAX_COOL_DOWN));
        assert_eq!(wait(seconds(0)), None);
    }

    #[test]
    fn a_cool_down_passes() {
        let note = Note::cool_down(NOW, seconds(90), 429, None, "");
        assert_eq!(note.remaining(NOW + 89.5), Some(Duration::from_millis(500)));
        assert_eq!(note.remaining(NOW + 90.0), None);
        assert_eq!(note.remaining(NOW + 1e9), None);
        assert_eq!(note.remaining(f64::NAN), None);
    }

    #[test]
    fn a_clock_set_back_does_not_lock_anybody_out() {
        let note = Note::cool_down(NOW, seconds(3600), 429, None, "");
        assert_eq!(note.remaining(NOW - 30.0), Some(MAX_COOL_DOWN));
        assert_eq!(note.remaining(NOW - 61.0), None);
    }

    #[test]
    fn a_bad_value_in_the_file_does_not_lock_anybody_out() {
        for until in ["1e300", "1790004000", "-1e300"] {
            let text =
                format!(r#"{{"v": 1, "kind": "cool_down", "at": {NOW}, "until": {until}, "status": 429}}"#);
            assert_eq!(Note::read(text.as_bytes()).unwrap().remaining(NOW), None, "{until}");
        }
    }

    #[test]
    fn notes_survive_the_file() {
        let cool_down = Note::cool_down(NOW, seconds(90), 429, Some("RATE_LIMIT"), "Slow \"down\"\n");
        let refused = Note::refused(NOW, 403, None, "");
        for note in [cool_down, refused] {
            assert_eq!(Note::read(note.write().as_bytes()), Some(note));
        }
    }

    #[test]
    fn what_is_no_note_is_none() {
        let good = r#"{"v": 1, "kind": "refused", "at": 1.5, "status": 401}"#;
        assert!(Note::read(good.as_bytes()).is_some());
        for (old, new) in [
            (r#""v": 1"#, r#""v": 2"#),
            (r#""v": 1, "#, ""),
            ("refused", "cool_down"),
            ("refused", "later"),
            (r#""at": 1.5"#, r#""at": "1.5""#),
            (r#""at": 1.5, "#, ""),
            ("1.5", "NaN"),
            ("401", "200"),
            ("401", "429"),
            ("401", "65937"),
            ("}", "} x"),
            ("{", "[{"),
        ] {
            let text = good.replace(old, new);
            assert_eq!(Note::read(text.as_bytes()), None, "{text}");
        }
        for bytes in [&b""[..], b"[]", b"null", b"\xff", &vec![b' '; MAX_BYTES + 1]] {
            assert_eq!(Note::read(bytes), None);
        }
    }

    #[test]
    fn a_refusal_answers_those_who_waited_for_it() {
        let note = Note::refused(NOW, 401, Some("AUTH_INVALID_KEY"), "No such key");
        assert!(!note.answers_waiter(NOW, NOW), "it was there before");
        assert!(note.answers_waiter(NOW - 5.0, NOW) && note.answers_waiter(NOW - 5.0, NOW + 9.0));
        assert!(!note.answers_waiter(NOW + 0.001, NOW + 1.0));
        assert!(!note.answers_waiter(NOW - 60.0, NOW - 30.0), "the clock was set back");
        assert_eq!(note.remaining(NOW), None);
        assert!(!note.is_two_factor());
        assert!(Note::refused(NOW, 403, Some("AUTH_2FA_REQUIRED"), "").is_two_factor());
        assert!(!Note::cool_down(NOW, None, 429, None, "").answers_waiter(NOW - 1.0, NOW));
    }

    #[test]
    fn failures_are_written_and_read_and_stand_for_their_errors() {
        let limits = Limits { connection: "a".to_owned(), timeout_ms: 30_000, login_deadline_ms: 130_000 };
        let outage = Note::failed(NOW, Some(503), limits.clone(), Some("DOWN"), "maintenance");
        let page = Note::failed(NOW, Some(403), limits.clone(), None, "a page");
        let silence = Note::failed(NOW, None, limits.clone(), None, "no answer within 30 s");
        for note in [&outage, &page, &silence] {
            assert_eq!(Note::read(note.write().as_bytes()).as_ref(), Some(note));
            assert!(
                note.is_failure() && note.answers_waiter(NOW - 1.0, NOW) && note.remaining(NOW).is_none()
            );
        }
        let error = outage.to_error(NOW);
        assert_eq!(
            (error.kind(), error.status(), error.code()),
            (ErrorKind::Server, Some(503), Some("DOWN"))
        );
        assert!(page.to_error(NOW).is_page());
        let error = silence.to_error(NOW);
        assert_eq!((error.kind(), error.message()), (ErrorKind::Network, "no answer within 30 s"));
        assert!(limits.are_met_by(&limits));
        let shorter = Limits { timeout_ms: 5_000, ..limits.clone() };
        assert!(shorter.are_met_by(&limits) && !limits.are_met_by(&shorter));
        assert!(!Limits { connection: "b".to_owned(), ..limits.clone() }.are_met_by(&limits));
    }

    #[test]
    fn errors_are_what_the_login_would_have_answered() {
        let error = Note::cool_down(NOW, seconds(90), 429, None, "Too many logins").to_error(NOW + 30.0);
        assert_eq!(error.kind(), ErrorKind::RateLimit);
        assert_eq!(error.status(), Some(429));
        assert_eq!(error.retry_after(), seconds(60));
        assert_eq!(error.message(), "Too many logins");
        assert!(error.hint().is_some_and(|hint| hint.contains("no program here")));
        assert!(error.body().is_none());

        let error = Note::refused(NOW, 401, Some("AUTH_2FA_REQUIRED"), "").to_error(NOW);
        assert_eq!(error.kind(), ErrorKind::TwoFactorRequired);
        assert_eq!(error.retry_after(), None);
        assert_eq!(error.message(), "the server answered Unauthorized");
    }

    #[test]
    fn errors_of_an_exchange_are_what_it_would_have_answered() {
        let limited = Note::cool_down(NOW, seconds(90), 429, Some("temporarily_unavailable"), "Too many");
        let error = limited.to_exchange_error(NOW + 30.0);
        assert_eq!((error.kind(), error.status()), (ErrorKind::RateLimit, Some(429)));
        assert_eq!((error.retry_after(), error.operation()), (seconds(60), Some("exchange_token")));
        for (status, code, kind) in [
            (400, Some("invalid_target"), ErrorKind::Validation),
            (400, Some("invalid_grant"), ErrorKind::Auth),
            (400, None, ErrorKind::Api),
            (401, Some("invalid_token"), ErrorKind::Auth),
            (403, None, ErrorKind::Auth),
            (401, Some("AUTH_2FA_REQUIRED"), ErrorKind::TwoFactorRequired),
        ] {
            let note = Note::refused(NOW, status, code, "no");
            let note = Note::read(note.write().as_bytes()).unwrap();
            let error = note.to_exchange_error(NOW);
            assert_eq!((error.kind(), error.code(), error.message()), (kind, code, "no"));
            assert!(error.body().is_none());
        }
    }

    #[test]
    fn no_secret_gets_into_a_note() {
        let message = "key 'col_live-0.x' and eyJhbGciOi.eyJzdWIi.c2ln, protocol_x";
        let note = Note::refused(NOW, 401, Some("col_secret"), message);
        assert_eq!(note.message, "key '[redacted]' and [redacted], protocol_x");
        assert_eq!(note.code.as_deref(), Some("[redacted]"));
        let note = Note::refused(NOW, 401, None, "no such key...col_live_0 --eyJhbGciOi.e30.x");
        assert_eq!(note.message, "no such [redacted] [redacted]");
        let long = Note::refused(NOW, 401, None, &"ü".repeat(10_000));
        assert_eq!(long.message.chars().count(), MAX_TEXT);
        assert!(long.write().len() < MAX_BYTES);
    }
}
