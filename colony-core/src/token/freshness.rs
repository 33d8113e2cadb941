//! When a token is fresh, when it is dead, and when to renew it: functions of a time that is passed in.
//!
//! All moments are wall-clock unix seconds, because files outlive processes. Take one reading
//! ([`unix_seconds`]) for one decision and pass it to every function that takes part in it.

use std::time::{Duration, SystemTime};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

use super::envelope::MAX_BYTES;

/// A token is taken from memory or from the file only with more than this to live, so that it does not
/// end on its way to the server. The Python package has the same margin.
pub const MARGIN: Duration = Duration::from_secs(60);

/// The least margin of a token that lives for seconds; see [`short_margin`].
pub const LEAST_MARGIN: Duration = Duration::from_secs(1);

/// The part of a short life that is its margin; see [`short_margin`].
const MARGIN_PART: f64 = 10.0;

/// How far two readings of a wall clock may disagree before a moment counts as one that has not come
/// yet: between hosts that share a file system, and across a small correction of the clock. A file that
/// was written so little ahead of the clock counts as just written; one further ahead has no known age.
pub const CLOCK_GRACE: Duration = Duration::from_secs(60);

/// How long a token is trusted whose own expiry cannot be read: what the Python package gives every
/// token.
pub const UNREADABLE_LIFETIME: Duration = Duration::from_secs(23 * 60 * 60);

/// No token lives longer than this; whatever claims to is a mistake.
pub const LONGEST_LIFETIME: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// The part of its lifetime by which a token is replaced early: one hour of a day.
const EARLY_PART: f64 = 24.0;

/// The early-refresh window of a token found in a file that does not say when it was issued: that of a
/// token of one day, in seconds.
const NOMINAL_WINDOW: f64 = 60.0 * 60.0;

/// The least spread of [`Lifetime::refresh_at`], in seconds, where the token lives long enough.
const LEAST_SPREAD: f64 = 10.0;

/// What a JWT says of itself. Unverified: only the server can do that.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Claims {
    /// When it ends, unix seconds by the server's clock.
    pub exp: Option<f64>,
    /// When it was issued, unix seconds by the server's clock.
    pub iat: Option<f64>,
}

impl Claims {
    /// These, unless the token would end before it was issued.
    fn in_order(self) -> Option<Self> {
        let backwards = self.exp.zip(self.iat).is_some_and(|(exp, iat)| exp <= iat);
        (!backwards).then_some(self)
    }
}

/// Reads the claims of a JWT: the second of its segments, base64url without padding, a JSON object
/// ([RFC 7519](https://www.rfc-editor.org/rfc/rfc7519)). The signature is not looked at. `None` for
/// whatever is not a JWT, or has more than 64 KiB; a claim that is not a number is absent.
///
/// ```
/// use colony_core::token::freshness::claims;
///
/// // {"iat":1790000000,"exp":1790086400}
/// let found = claims("e30.eyJpYXQiOjE3OTAwMDAwMDAsImV4cCI6MTc5MDA4NjQwMH0.x").unwrap();
/// assert_eq!(found.iat, Some(1_790_000_000.0));
/// assert_eq!(found.exp, Some(1_790_086_400.0));
/// assert_eq!(claims("opaque"), None);
/// ```
pub fn claims(token: &str) -> Option<Claims> {
    if token.len() > MAX_BYTES {
        return None;
    }
    let payload = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let Ok(Value::Object(payload)) = serde_json::from_slice(&payload) else {
        return None;
    };
    let moment = |name: &str| payload.get(name)?.as_f64();
    Some(Claims { exp: moment("exp"), iat: moment("iat") })
}

/// Whose token it is: the claim `sub`, unverified. `None` where it is not there, or cannot be part of a file's name.
///
/// ```
/// use colony_core::token::freshness::subject;
///
/// // {"sub": "ada"}
/// assert_eq!(subject("e30.eyJzdWIiOiAiYWRhIn0.c2ln").as_deref(), Some("ada"));
/// assert_eq!(subject("opaque"), None);
/// ```
pub fn subject(token: &str) -> Option<String> {
    if token.len() > MAX_BYTES {
        return None;
    }
    let payload = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let payload: Value = serde_json::from_slice(&payload).ok()?;
    let subject = payload.get("sub")?.as_str()?;
    let is_plain = subject.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    (is_plain && (1..=64).contains(&subject.len())).then(|| subject.to_owned())
}

/// How long a token is good for, on this machine's clock.
///
/// ```
/// use colony_core::token::freshness::Lifetime;
///
/// // A token that does not tell when it ends is trusted for 23 hours.
/// let now = 1_790_000_000.25;
/// let life = Lifetime::at_login("opaque", now);
/// assert_eq!(life.stale_at, now + 82_800.0);
/// assert!(life.is_fresh(now));
/// assert!(!life.is_fresh(life.stale_at - 60.0));
/// assert!(life.is_alive(life.stale_at - 60.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Lifetime {
    /// When it is to be replaced, unix seconds. This is what the file says as `expiry`.
    pub stale_at: f64,
    /// When the server stops taking it, as far as is known, unix seconds. Never before `stale_at`.
    pub dead_at: f64,
    /// How long before `stale_at` it is no longer taken from memory or from a file, in seconds:
    /// [`MARGIN`], or [`short_margin`] for one that lives for minutes.
    pub margin: f64,
}

impl Lifetime {
    /// The lifetime of a token that was issued just now (rule 6 of the design): `exp − iat`, or
    /// `exp − now` without an `iat`, counted from `now` on this machine's clock, so that a clock that
    /// is wrong does not matter. It is stale after 23/24 of that: a token of a day after 23 hours,
    /// which is what the Python package writes.
    ///
    /// A token that cannot be read, or whose times are not believable (`exp` not after `iat`, no life left, or one
    /// longer than [`LONGEST_LIFETIME`]), is stale and dead after [`UNREADABLE_LIFETIME`].
    pub fn at_login(token: &str, now: f64) -> Self {
        let lifetime = claims(token).and_then(|claims| {
            let Claims { exp: Some(exp), iat } = claims.in_order()? else { return None };
            iat.and_then(|iat| believable(exp - iat)).or_else(|| believable(exp - now))
        });
        match lifetime {
            // In this order a whole number of hours stays one.
            Some(lifetime) => {
                let stale_at = now + lifetime * (EARLY_PART - 1.0) / EARLY_PART;
                Self { stale_at, dead_at: now + lifetime, margin: short_margin(lifetime) }
            }
            None => Self::without_end(now + UNREADABLE_LIFETIME.as_secs_f64()),
        }
    }

    /// The lifetime of a token that was issued some time ago: to its own `exp`, less the early-refresh window. One that
    /// does not tell counts as issued just now.
    pub fn in_hand(token: &str, now: f64) -> Self {
        match claims(token).and_then(Claims::in_order) {
            Some(Claims { exp: Some(exp), .. }) => Self::from_file(exp + 1.0, token),
            _ => Self::at_login(token, now),
        }
    }

    /// The lifetime of a token from a file (rule 6 of the design).
    ///
    /// The file's `expiry` counts unless it is past the token's own `exp`: a file that claims more than
    /// the JWT inside it is not believed, and the token is stale 1/24 of its lifetime before `exp` (an
    /// hour where there is no `iat`). A token that cannot be read, or whose times are not believable, is dead when it
    /// is stale: then the file's `expiry` is all there is.
    ///
    /// The Python package writes now plus 23 hours whatever the token says, so this is what keeps a
    /// token that the server made shorter from being used too long. The price: where the clock is
    /// ahead by nearly a day or more, no file is believed.
    pub fn from_file(envelope_expiry: f64, token: &str) -> Self {
        let Some(Claims { exp: Some(exp), iat }) = claims(token).and_then(Claims::in_order) else {
            return Self::without_end(envelope_expiry);
        };
        let lifetime = iat.and_then(|iat| believable(exp - iat));
        let margin = lifetime.map_or(MARGIN.as_secs_f64(), short_margin);
        // Without a lifetime of its own to go by, an end that is years from what the file says is a mistake.
        if lifetime.is_none() && (exp - envelope_expiry).abs() > LONGEST_LIFETIME.as_secs_f64() {
            Self::without_end(envelope_expiry)
        } else if envelope_expiry > exp {
            let window = lifetime.map_or(NOMINAL_WINDOW, |lifetime| lifetime / EARLY_PART);
            Self { stale_at: exp - window, dead_at: exp, margin }
        } else {
            Self { stale_at: envelope_expiry, dead_at: exp, margin }
        }
    }

    /// The lifetime of a token whose own end is not known.
    fn without_end(stale_at: f64) -> Self {
        Self { stale_at, dead_at: stale_at, margin: MARGIN.as_secs_f64() }
    }

    /// The lifetime of a token that lives for minutes, from one moment to another (unix seconds). It has
    /// no early-refresh window, only its [`short_margin`]: there is no limit of logins to stay away from,
    /// and a window would cost such a token a good part of its life.
    ///
    /// ```
    /// use colony_core::token::freshness::Lifetime;
    ///
    /// let life = Lifetime::short(1_790_000_000.0, 1_790_000_300.0); // an id_token's five minutes
    /// assert!(life.is_fresh(1_790_000_269.0));
    /// assert!(!life.is_fresh(1_790_000_270.0));
    /// assert!(life.is_alive(1_790_000_299.0));
    /// ```
    pub fn short(from: f64, to: f64) -> Self {
        Self { stale_at: to, dead_at: to, margin: short_margin(to - from) }
    }

    /// Whether the token may be taken from memory or from the file: more than its margin before it is
    /// stale (rule 5 of the design). The same comparison as the Python package's.
    pub fn is_fresh(&self, now: f64) -> bool {
        self.stale_at > now + self.margin
    }

    /// Whether the token is not expired yet: it may still be used if the login that should replace it
    /// fails for a passing reason (rule 5 of the design).
    pub fn is_alive(&self, now: f64) -> bool {
        self.dead_at > now
    }

    /// Whether a file written at `written_at` is young enough for a token to be taken from it; both
    /// times in unix seconds. Without a cap it always is, with a cap of zero never. A file from the
    /// future, by more than [`CLOCK_GRACE`], has no known age and is not.
    pub fn within_ttl(written_at: f64, ttl: Option<Duration>, now: f64) -> bool {
        let age = now - written_at;
        match ttl {
            None => true,
            Some(ttl) => !ttl.is_zero() && (-CLOCK_GRACE.as_secs_f64()..=ttl.as_secs_f64()).contains(&age),
        }
    }

    /// When to renew the token ahead of time, unix seconds (rule 11 of the design), given a random
    /// number from 0 to 1: evenly spread over an early-refresh window that ends a margin before the
    /// token is stale, so that many clients do not renew at once, and calls seldom have to.
    ///
    /// The window is 1/24 of the life that is left, at least ten seconds. Where so much is not left,
    /// the moment falls between a quarter and three quarters of what is left. Never before `now`: it is
    /// `now` for a token that is stale already.
    ///
    /// Ask once for each token and keep the answer: it moves as time passes.
    pub fn refresh_at(&self, now: f64, random: f64) -> f64 {
        let left = self.stale_at - now;
        // Also where it is not a number.
        if !(left > 0.0 && left.is_finite()) {
            return now;
        }
        let random = if (0.0..=1.0).contains(&random) { random } else { 0.5 };
        let last = self.stale_at - self.margin.min(left / 4.0);
        let window = ((self.dead_at - now) / EARLY_PART).max(LEAST_SPREAD).min(left / 2.0);
        (last - random * window).max(now)
    }
}

/// The margin of a token, given its lifetime in seconds: [`MARGIN`], and a tenth of the life where that is shorter
/// than ten minutes, at least [`LEAST_MARGIN`].
///
/// What a margin has to cover does not grow with the life of a token: the way to the server, and what two
/// clocks disagree by. A minute is generous for that, and nothing to a token of a day; of an `id_token`'s
/// five minutes it would waste a fifth, and a token of a minute would never be used twice. A tenth leaves whoever is
/// given the token at least nine tenths of what the provider meant it to have.
///
/// ```
/// use colony_core::token::freshness::short_margin;
///
/// assert_eq!(short_margin(900.0), 60.0);
/// assert_eq!(short_margin(300.0), 30.0);
/// assert_eq!(short_margin(20.0), 2.0);
/// ```
pub fn short_margin(lifetime: f64) -> f64 {
    // `max` and `min` pass over what is not a number.
    (lifetime / MARGIN_PART).max(LEAST_MARGIN.as_secs_f64()).min(MARGIN.as_secs_f64())
}

/// Whether an expiry is further ahead than any token lives ([`LONGEST_LIFETIME`]), or not a moment at
/// all. A file that says so is a miss:
/// [`Unreadable::ExpiryAbsurd`](super::envelope::Unreadable::ExpiryAbsurd).
pub fn is_absurd(expiry: f64, now: f64) -> bool {
    // Written so that what is not a number is absurd too.
    !(expiry.is_finite() && expiry - now <= LONGEST_LIFETIME.as_secs_f64())
}

/// A moment in unix seconds, negative before 1970.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use colony_core::token::freshness::unix_seconds;
///
/// assert_eq!(unix_seconds(SystemTime::UNIX_EPOCH + Duration::from_millis(1500)), 1.5);
/// assert_eq!(unix_seconds(SystemTime::UNIX_EPOCH - Duration::from_millis(1500)), -1.5);
/// ```
pub fn unix_seconds(time: SystemTime) -> f64 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => after.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    }
}

/// When a token ends, given when it ends by this machine's clock: the `exp` of a JWT, which is what others read too,
/// where the two agree to within [`CLOCK_GRACE`]. Where they do not, the clock is wrong, or the token's times are.
pub fn told_end(token: &str, dead_at: f64) -> f64 {
    let told = claims(token).and_then(|claims| claims.exp);
    told.filter(|exp| (exp - dead_at).abs() <= CLOCK_GRACE.as_secs_f64()).unwrap_or(dead_at)
}

/// The moment of these unix seconds: the opposite of [`unix_seconds`], and the epoch for what is no moment after it.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use colony_core::token::freshness::from_unix_seconds;
///
/// assert_eq!(from_unix_seconds(1.5), SystemTime::UNIX_EPOCH + Duration::from_millis(1500));
/// assert_eq!(from_unix_seconds(f64::NAN), SystemTime::UNIX_EPOCH);
/// ```
pub fn from_unix_seconds(unix: f64) -> SystemTime {
    let after = Duration::try_from_secs_f64(unix).unwrap_or_default();
    SystemTime::UNIX_EPOCH.checked_add(after).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// A lifetime that a token can have, in seconds.
fn believable(lifetime: f64) -> Option<f64> {
    (lifetime > 0.0 && lifetime <= LONGEST_LIFETIME.as_secs_f64()).then_some(lifetime)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(stale_at: f64, dead_at: f64) -> Lifetime {
        Lifetime { stale_at, dead_at, margin: 60.0 }
    }

    const NOW: f64 = 1_790_000_000.25;
    const HOUR: f64 = 3600.0;
    const DAY: f64 = 24.0 * HOUR;

    fn jwt(payload: &str) -> String {
        format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(payload))
    }

    fn issued(iat: f64, exp: f64) -> String {
        jwt(&format!(r#"{{"iat": {iat}, "exp": {exp}}}"#))
    }

    #[test]
    fn claims_are_read_from_the_second_segment() {
        let both = Claims { exp: Some(2.5), iat: Some(-1.0) };
        assert_eq!(claims(&jwt(r#"{"exp": 2.5, "iat": -1, "sub": [{}]}"#)), Some(both));
        let none = Claims { exp: None, iat: None };
        assert_eq!(claims(&jwt(r#"{"exp": "2", "iat": true}"#)), Some(none));
        assert_eq!(claims(&jwt("{}")), Some(none));
        let padded = format!("a.{}=.b", BASE64_URL_SAFE_NO_PAD.encode("{} "));
        let deep = jwt(&"[".repeat(20_000));
        let long = jwt(&format!("{{\"a\": \"{}\"}}", "a".repeat(MAX_BYTES)));
        for token in [
            "",
            ".",
            "a",
            "a.b",
            "a.!.c",
            "a..c",
            &padded,
            &deep,
            &long,
            &jwt("[]"),
            &jwt("{"),
            &jwt("{\"exp\": 1e999}"),
        ] {
            assert_eq!(claims(token), None, "{token:.40}");
        }
    }

    #[test]
    fn a_token_of_a_day_is_stale_after_23_hours_exactly() {
        for skew in [0.0, -5.0 * HOUR, 40.0 * DAY] {
            let iat = 1_790_000_000.0 + skew;
            let life = Lifetime::at_login(&issued(iat, iat + DAY), NOW);
            assert_eq!(life, day(NOW + 82_800.0, NOW + DAY), "clock off by {skew}");
        }
    }

    #[test]
    fn without_iat_the_lifetime_counts_from_now() {
        let life = Lifetime::at_login(&jwt(&format!(r#"{{"exp": {}}}"#, NOW + 2.0 * HOUR)), NOW);
        assert_eq!(life, day(NOW + 2.0 * HOUR - 300.0, NOW + 2.0 * HOUR));
        // An `iat` that makes no sense is no `iat`.
        assert_eq!(Lifetime::at_login(&issued(0.0, NOW + 2.0 * HOUR), NOW), life);
    }

    #[test]
    fn times_in_the_wrong_order_are_no_times_for_whoever_writes_or_reads() {
        let plain = day(NOW + 82_800.0, NOW + 82_800.0);
        for (iat, exp) in
            [(NOW, NOW), (NOW + 10.0, NOW), (NOW + 3.0 * HOUR, NOW + 2.0 * HOUR), (0.0, 0.0), (5.0, 0.0)]
        {
            let token = issued(iat, exp);
            assert_eq!(Lifetime::at_login(&token, NOW), plain, "{iat} {exp}");
            assert_eq!(Lifetime::from_file(plain.stale_at, &token), plain, "{iat} {exp}");
        }
        for exp in ["0", "-1", "1"] {
            let token = jwt(&format!(r#"{{"exp": {exp}}}"#));
            assert_eq!(Lifetime::at_login(&token, NOW), plain, "{exp}");
            assert_eq!(Lifetime::from_file(plain.stale_at, &token), plain, "{exp}");
        }
    }

    #[test]
    fn a_token_of_seconds_is_used_for_most_of_them() {
        for lifetime in [10.0, 30.0, 60.0, 120.0, 599.0] {
            let token = issued(NOW, NOW + lifetime);
            let life = Lifetime::at_login(&token, NOW);
            let used = lifetime * (23.0 / 24.0 - 0.1);
            assert!(life.is_fresh(NOW + used - 0.01) && !life.is_fresh(NOW + used + 0.01), "{life:?}");
            assert_eq!(Lifetime::from_file(life.stale_at, &token).margin, life.margin);
        }
        assert_eq!(Lifetime::at_login(&issued(NOW, NOW + 600.0), NOW).margin, 60.0);
        assert_eq!(Lifetime::at_login(&issued(NOW, NOW + 3.0), NOW).margin, 1.0);
    }

    #[test]
    fn what_cannot_be_read_is_trusted_for_23_hours() {
        let plain = day(NOW + 82_800.0, NOW + 82_800.0);
        let past = issued(NOW, NOW - 1.0);
        let endless = issued(NOW, NOW + 367.0 * DAY);
        for token in [
            "opaque",
            "",
            "eyJ.open.token",
            &jwt(r#"{"iat": 1790000000}"#),
            &past,
            &endless,
            &jwt(r#"{"exp": 1e308, "iat": -1e308}"#),
        ] {
            assert_eq!(Lifetime::at_login(token, NOW), plain, "{token}");
        }
    }

    #[test]
    fn a_file_counts_until_it_claims_more_than_its_token() {
        let exp = NOW + DAY;
        let token = issued(NOW, exp);
        let of = |expiry| Lifetime::from_file(expiry, &token);
        assert_eq!(of(NOW + 82_800.0), day(NOW + 82_800.0, exp));
        assert_eq!(of(exp), day(exp, exp));
        assert_eq!(of(exp + 1.0), day(exp - HOUR, exp));
        // The Python package's file around a token of a quarter of an hour.
        let short = issued(NOW, NOW + 900.0);
        let life = Lifetime::from_file(NOW + 82_800.0, &short);
        assert_eq!(life, day(NOW + 862.5, NOW + 900.0));
    }

    #[test]
    fn a_file_without_iat_or_with_an_odd_one_is_cut_by_an_hour() {
        let exp = NOW + 2.0 * HOUR;
        let expected = day(exp - HOUR, exp);
        assert_eq!(Lifetime::from_file(NOW + DAY, &jwt(&format!(r#"{{"exp": {exp}}}"#))), expected);
        assert_eq!(Lifetime::from_file(NOW + DAY, &issued(0.0, exp)), expected);
    }

    #[test]
    fn a_file_stands_around_a_token_that_ends_before_it_begins() {
        let as_written = day(NOW + DAY, NOW + DAY);
        for iat in [NOW - 60.0, NOW - 30.0] {
            assert_eq!(Lifetime::from_file(NOW + DAY, &issued(iat, NOW - 60.0)), as_written);
        }
    }

    #[test]
    fn the_margin_of_a_short_life_is_a_tenth_of_it() {
        for (lifetime, margin) in [(DAY, 60.0), (600.0, 60.0), (300.0, 30.0), (30.0, 3.0), (5.0, 1.0)] {
            let token = issued(NOW, NOW + lifetime);
            assert_eq!(Lifetime::at_login(&token, NOW).margin, margin, "{lifetime}");
            assert_eq!(Lifetime::from_file(NOW + lifetime / 2.0, &token).margin, margin, "{lifetime}");
        }
        assert!(Lifetime::at_login(&issued(NOW - 10.0, NOW + 30.0), NOW).is_fresh(NOW + 30.0));
    }

    #[test]
    fn a_file_around_an_unreadable_or_endless_token_speaks_for_itself() {
        let alone = day(NOW + HOUR, NOW + HOUR);
        assert_eq!(Lifetime::from_file(NOW + HOUR, "opaque"), alone);
        assert_eq!(Lifetime::from_file(NOW + HOUR, &issued(NOW, 1e300)), alone);
    }

    #[test]
    fn fresh_is_more_than_a_minute_before_stale_and_alive_is_before_dead() {
        let life = day(NOW + 100.0, NOW + 200.0);
        assert!(life.is_fresh(NOW + 39.99));
        assert!(!life.is_fresh(NOW + 40.0));
        assert!(!life.is_fresh(f64::NAN));
        assert!(life.is_alive(NOW + 199.99));
        assert!(!life.is_alive(NOW + 200.0));
    }

    #[test]
    fn the_cap_on_age() {
        let within = |age: f64, ttl| Lifetime::within_ttl(NOW - age, ttl, NOW);
        let cap = Some(Duration::from_secs(300));
        assert!(within(1e9, None) && within(-1e9, None));
        assert!(!within(0.0, Some(Duration::ZERO)) && !within(-1.0, Some(Duration::ZERO)));
        assert!(within(0.0, cap) && within(300.0, cap) && !within(300.5, cap));
        assert!(within(-60.0, cap) && !within(-61.0, cap));
        assert!(!within(f64::NAN, cap));
        assert!(within(1e9, Some(Duration::MAX)));
    }

    #[test]
    fn renewal_is_spread_over_the_window_before_the_margin() {
        let life = Lifetime::at_login(&issued(NOW, NOW + DAY), NOW);
        let last = life.stale_at - 60.0;
        assert_eq!(life.refresh_at(NOW, 0.0), last);
        assert_eq!(life.refresh_at(NOW, 1.0), last - HOUR);
        let moments: Vec<f64> = (0..1000).map(|n| life.refresh_at(NOW, f64::from(n) / 999.0)).collect();
        assert!(moments.iter().all(|&moment| life.is_fresh(moment - 0.001)), "calls would have to renew");
        let spread = moments[0] - moments[999];
        assert!(spread >= 0.8 * DAY / 24.0, "{spread}");
    }

    #[test]
    fn renewal_of_short_tokens_is_neither_at_once_nor_too_late() {
        for lifetime in [1.0, 10.0, 30.0, 60.0, 61.0, 90.0, 300.0, 900.0, HOUR] {
            let life = Lifetime::at_login(&issued(NOW, NOW + lifetime), NOW);
            for random in [0.0, 0.3, 1.0] {
                let wait = life.refresh_at(NOW, random) - NOW;
                assert!(wait >= lifetime * 0.2, "{lifetime} s, {random}: {wait}");
                assert!(wait <= lifetime * 0.95, "{lifetime} s, {random}: {wait}");
            }
        }
        let minutes = Lifetime::at_login(&issued(NOW, NOW + 120.0), NOW);
        assert_eq!(minutes.refresh_at(NOW, 0.0) - minutes.refresh_at(NOW, 1.0), 10.0);
    }

    #[test]
    fn renewal_is_never_in_the_past() {
        let life = day(NOW, NOW + HOUR);
        assert_eq!(life.refresh_at(NOW, 0.5), NOW);
        assert_eq!(life.refresh_at(NOW + DAY, 0.5), NOW + DAY);
        for now in [NOW - 1e-9, NOW - 0.5, NOW - 10.0, NOW - 59.0, NOW - 61.0] {
            for random in [0.0, 1.0, -3.0, 7.0, f64::NAN] {
                assert!(life.refresh_at(now, random) >= now);
            }
        }
        let odd = day(f64::NAN, f64::INFINITY);
        assert_eq!(odd.refresh_at(NOW, 0.5), NOW);
    }

    #[test]
    fn more_than_a_year_ahead_is_absurd() {
        assert!(!is_absurd(NOW + 366.0 * DAY, NOW));
        assert!(is_absurd(NOW + 366.0 * DAY + 1.0, NOW));
        assert!(!is_absurd(-1e300, NOW));
        for expiry in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(is_absurd(expiry, NOW));
        }
    }
}
