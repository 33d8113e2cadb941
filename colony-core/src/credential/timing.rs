//! When a credential's access token is fresh, when it is renewed, and how long others are waited for:
//! functions of a time that is passed in.
//!
//! All moments are Unix seconds. Take one reading of the clock for one decision.

use std::time::Duration;

use super::Credential;

/// An access token with no more than this to live is renewed on demand.
pub const WINDOW: Duration = Duration::from_secs(60);

/// How long a refresh request may take, unless set otherwise.
pub const REQUEST_LIMIT: Duration = Duration::from_secs(30);

/// How long login, logout and refresh wait for another process, unless set otherwise: longer than the longest
/// refresh, so that waiting ends only for a holder that is stuck.
pub const LOCK_LIMIT: Duration = Duration::from_secs(35);

/// By how much the moment of a renewal ahead of time is spread.
const SPREAD: Duration = Duration::from_secs(60);

/// The window of this credential: [`WINDOW`], or half the lifetime of a token that lives for less than two
/// minutes, which would otherwise be stale all its life.
pub fn window(credential: &Credential) -> f64 {
    let lifetime = credential.expiry - credential.obtained_at;
    let window = WINDOW.as_secs_f64();
    // Also where the lifetime is not a number, or below zero.
    if lifetime > 0.0 { window.min(lifetime / 2.0) } else { window }
}

/// Whether the access token serves without a thought: more than its [`window`] is left.
pub fn is_fresh(credential: &Credential, now: f64) -> bool {
    credential.access_token.is_some() && credential.expiry - now > window(credential)
}

/// Whether the access token is not expired yet: it serves on when a refresh fails for a passing reason.
pub fn is_alive(credential: &Credential, now: f64) -> bool {
    credential.access_token.is_some() && credential.expiry > now
}

/// When to refresh ahead of time: when this fraction of the access token's life has passed (0.1 to 1; other
/// values are taken to the nearer end), and before the [`window`] begins in any case. `random`, a number from 0 to 1,
/// moves it forward by up to a minute, or a quarter of a short life, so that many programs do not act at once.
/// Ask once for each token: the answer is one draw.
pub fn ahead_due(credential: &Credential, fraction: f64, random: f64) -> f64 {
    let begins = credential.expiry - window(credential);
    let lifetime = (credential.expiry - credential.obtained_at).max(0.0);
    let fraction = if fraction.is_nan() { 1.0 } else { fraction.clamp(0.1, 1.0) };
    let due = begins.min(credential.obtained_at + lifetime * fraction);
    let life = (due - credential.obtained_at).max(0.0);
    due - SPREAD.as_secs_f64().min(life / 4.0) * unit(random)
}

/// When to rotate so that the refresh token itself does not run out: at half its lifetime, up to a tenth of
/// that earlier by a random number from 0 to 1. `lifetime` is what the program knows of it, before what the
/// provider said; `None` when neither is known or there is no refresh token.
pub fn keep_alive_due(credential: &Credential, lifetime: Option<Duration>, random: f64) -> Option<f64> {
    credential.refresh_token.as_ref()?;
    let told = credential.refresh_expiry.map(|expiry| expiry - credential.rotated_at);
    let lifetime = lifetime.map(|lifetime| lifetime.as_secs_f64()).or(told)?;
    let half = lifetime.max(0.0) / 2.0;
    Some(credential.rotated_at + half * (1.0 - unit(random) / 10.0))
}

/// How long to wait until a moment: never below zero, and at most `longest`, after which the wall clock is
/// to be looked at again.
pub fn delay(due: f64, now: f64, longest: Duration) -> Duration {
    let left = due - now;
    // Also where it is not a number.
    if left > 0.0 {
        Duration::try_from_secs_f64(left).unwrap_or(longest).min(longest)
    } else {
        Duration::ZERO
    }
}

/// How long to wait for another process that is refreshing: up to the limit, but no more than half of what
/// the present token has left, so that it still serves afterwards.
pub fn patience(credential: Option<&Credential>, limit: Duration, now: f64) -> Duration {
    match credential {
        Some(credential) if is_alive(credential, now) => {
            delay(credential.expiry, now, limit * 2).div_f64(2.0).min(limit)
        }
        _ => limit,
    }
}

fn unit(random: f64) -> f64 {
    if (0.0..=1.0).contains(&random) { random } else { 0.5 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::CredentialId;

    const NOW: f64 = 1_790_000_000.25;

    fn credential(lifetime: f64) -> Credential {
        let reply = format!(r#"{{"access_token": "a", "refresh_token": "r", "expires_in": {lifetime}}}"#);
        let id = CredentialId::new("https://thecolony.ai", "colony_app");
        Credential::from_reply(id, "https://thecolony.ai/oauth/token", reply.as_bytes(), NOW).unwrap()
    }

    #[test]
    fn a_minute_before_its_end_a_token_is_renewed() {
        let long = credential(900.0);
        assert!(is_fresh(&long, NOW + 839.0) && !is_fresh(&long, NOW + 840.0));
        assert!(is_alive(&long, NOW + 899.0) && !is_alive(&long, NOW + 900.0));
        assert!(!is_fresh(&long, f64::NAN) && !is_alive(&long, f64::NAN));
        let short = credential(40.0);
        assert!(is_fresh(&short, NOW + 19.0) && !is_fresh(&short, NOW + 20.0));
        let none = Credential { access_token: None, ..credential(900.0) };
        assert!(!is_fresh(&none, NOW) && !is_alive(&none, NOW));
    }

    #[test]
    fn renewal_ahead_of_time_is_spread_and_never_in_the_last_minute() {
        for lifetime in [1.0, 30.0, 100.0, 130.0, 900.0, 86_400.0] {
            let credential = credential(lifetime);
            for random in [0.0, 0.4, 1.0, f64::NAN, -1.0] {
                let due = ahead_due(&credential, 1.0, random);
                assert!(is_fresh(&credential, due - 0.001), "{lifetime} {random}");
                assert!(due >= NOW + lifetime * 0.3, "{lifetime} {random}: {}", due - NOW);
            }
        }
        let day = credential(86_400.0);
        assert_eq!(ahead_due(&day, 1.0, 0.0) - ahead_due(&day, 1.0, 1.0), 60.0);
        assert_eq!(ahead_due(&day, 0.5, 0.0), NOW + 43_200.0);
        assert_eq!(ahead_due(&day, 0.5, 1.0), NOW + 43_140.0);
        assert_eq!(ahead_due(&day, 0.0, 0.0), NOW + 8_640.0, "never at once");
        assert_eq!(ahead_due(&day, f64::NAN, 0.0), ahead_due(&day, 7.0, 0.0));
        assert_eq!(ahead_due(&day, 0.9999, 0.0), NOW + 86_340.0, "before calls have to");
    }

    #[test]
    fn the_refresh_token_is_rotated_at_half_its_life() {
        let mut credential = credential(900.0);
        assert_eq!(keep_alive_due(&credential, None, 0.0), None);
        let month = Duration::from_secs(30 * 86_400);
        assert_eq!(keep_alive_due(&credential, Some(month), 0.0), Some(NOW + 15.0 * 86_400.0));
        assert_eq!(keep_alive_due(&credential, Some(month), 1.0), Some(NOW + 13.5 * 86_400.0));
        credential.refresh_expiry = Some(NOW + 1000.0);
        assert_eq!(keep_alive_due(&credential, None, 0.0), Some(NOW + 500.0));
        assert_eq!(keep_alive_due(&credential, Some(Duration::from_secs(10)), 0.0), Some(NOW + 5.0));
        credential.refresh_expiry = Some(NOW - 1000.0);
        assert_eq!(keep_alive_due(&credential, None, 0.0), Some(NOW));
        credential.refresh_token = None;
        assert_eq!(keep_alive_due(&credential, Some(month), 0.0), None);
    }

    #[test]
    fn no_delay_is_below_zero_or_endless() {
        let longest = Duration::from_secs(30);
        for (left, wait) in
            [(-1e300, 0.0), (-1.0, 0.0), (0.0, 0.0), (12.5, 12.5), (31.0, 30.0), (1e300, 30.0)]
        {
            assert_eq!(delay(left, 0.0, longest), Duration::from_secs_f64(wait), "{left}");
        }
        assert_eq!(delay(f64::NAN, NOW, longest), Duration::ZERO);
        assert_eq!(delay(f64::INFINITY, NOW, longest), longest);
        assert_eq!(delay(NOW, f64::NEG_INFINITY, longest), longest);
    }

    #[test]
    fn waiting_leaves_a_living_token_time_to_serve() {
        let limit = Duration::from_secs(35);
        let credential = credential(900.0);
        assert_eq!(patience(None, limit, NOW), limit);
        assert_eq!(patience(Some(&credential), limit, NOW), limit);
        assert_eq!(patience(Some(&credential), limit, NOW + 860.0), Duration::from_secs(20));
        assert_eq!(patience(Some(&credential), limit, NOW + 900.0), limit, "nothing to save");
    }
}
