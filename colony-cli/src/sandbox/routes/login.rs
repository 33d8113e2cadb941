//! `POST /auth/token`: exchanges an API key, and a second factor if one is set, for an access token.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use serde_json::json;

use super::super::window::{SlidingWindow, Verdict};
use super::super::world::TwoFactor;
use super::{Answer, Call, Reply, Route, World, post, totp};

pub(super) const ROUTES: &[Route] = &[post("/auth/token", token).public()];

/// The number of consecutive wrong codes before the lockout.
const MAX_FAILURES: u32 = 5;
/// How long a lockout lasts, in seconds.
const LOCKOUT: i64 = 900;

/// The limit on logins, by address.
struct Logins(SlidingWindow<IpAddr>);

impl Default for Logins {
    fn default() -> Self {
        Self(SlidingWindow::new(100, Duration::from_secs(3600)))
    }
}

/// Sets how many logins one address may make in an hour.
pub(crate) fn limit(world: &mut World, logins: u32) {
    *world.own.of::<Logins>() = Logins(SlidingWindow::new(logins, Duration::from_secs(3600)));
}

/// Counts a login on arrival.
pub(crate) fn arrived(world: &mut World, address: IpAddr) -> Verdict {
    world.own.of::<Logins>().0.ask(address, Instant::now())
}

/// Resets the count of logins.
pub(crate) fn reset(world: &mut World) {
    world.own.of::<Logins>().0.clear();
}

fn token(world: &mut World, call: &Call<'_>) -> Answer {
    let key = call.text("api_key", 1, 200)?;
    let code = call.text_opt("totp_code", 0, 16)?.filter(|code| !code.trim().is_empty());
    let user = world.keys.get(&key).copied();
    let Some(user) = user.and_then(|id| world.users.get_mut(&id)) else {
        return Err(Reply::error(401, "AUTH_INVALID_KEY", "Invalid API key"));
    };
    if user.pending_until.is_some() {
        let message = "Confirm the registration before the first login";
        return Err(Reply::forbidden("AUTH_PENDING_ACTIVATION", message));
    }
    if let Some(two_factor) = &mut user.two_factor {
        second_factor(two_factor, code.as_deref(), jiff::Timestamp::now().as_second())?;
    }
    let id = user.id;
    Ok(Reply::ok(&json!({"access_token": world.tokens.issue(id), "token_type": "bearer"})))
}

fn second_factor(set: &mut TwoFactor, code: Option<&str>, now: i64) -> Result<(), Reply> {
    let Some(code) = code else {
        return Err(Reply::error(401, "AUTH_2FA_REQUIRED", "A two-factor code is required"));
    };
    let left = set.last_failure + LOCKOUT - now;
    if left <= 0 {
        set.failures = 0;
    }
    if set.failures >= MAX_FAILURES {
        return Err(Reply::error(429, "RATE_LIMITED", "Too many wrong two-factor codes")
            .with_header("retry-after", left.to_string()));
    }
    if accept(set, code, now) {
        set.failures = 0;
        return Ok(());
    }
    set.failures += 1;
    set.last_failure = now;
    Err(Reply::error(401, "AUTH_2FA_INVALID", "The two-factor code is wrong or was used before"))
}

/// Accepts a code or a recovery code; each is valid once.
pub(super) fn accept(set: &mut TwoFactor, code: &str, now: i64) -> bool {
    let given = code.trim();
    if let Some(at) = set.recovery_codes.iter().position(|known| known == given) {
        set.recovery_codes.remove(at);
        return true;
    }
    match totp::matching_step(&set.secret, given, now) {
        Some(step) if step > set.last_step => {
            set.last_step = step;
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set() -> TwoFactor {
        TwoFactor {
            secret: b"12345678901234567890".to_vec(),
            last_step: 0,
            recovery_codes: vec!["0123456789abcdef".to_owned()],
            failures: 0,
            last_failure: 0,
        }
    }

    fn status(set: &mut TwoFactor, code: &str, now: i64) -> u16 {
        second_factor(set, Some(code), now).map_or_else(|reply| reply.status, |()| 200)
    }

    #[test]
    fn a_code_is_good_once_and_so_is_a_recovery_code() {
        let mut set = set();
        assert_eq!(status(&mut set, "081804", 1_111_111_109), 200);
        assert_eq!(status(&mut set, "081804", 1_111_111_109), 401);
        assert_eq!(status(&mut set, "050471", 1_111_111_111), 200, "the next step");
        assert_eq!(status(&mut set, "0123456789abcdef", 1_111_111_111), 200);
        assert_eq!(status(&mut set, "0123456789abcdef", 1_111_111_111), 401);
        assert!(second_factor(&mut set, None, 0).is_err());
    }

    #[test]
    fn wrong_codes_lead_to_a_lockout_that_ends() {
        let mut set = set();
        let now = 1_111_111_109;
        for _ in 0..MAX_FAILURES {
            assert_eq!(status(&mut set, "000000", now), 401);
        }
        assert_eq!(status(&mut set, "081804", now), 429);
        let later = now + LOCKOUT;
        let good = totp::code(&set.secret, totp::step_at(later));
        assert_eq!(status(&mut set, &good, later), 200);
    }
}
