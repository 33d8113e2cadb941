//! Two-factor sign-in: TOTP codes and recovery codes.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::super::world::{To, TwoFactor};
use super::{Answer, Call, Reply, Route, World, get, login, post, totp};

pub(super) const ROUTES: &[Route] = &[
    get("/auth/2fa/status", status),
    post("/auth/2fa/enroll", enroll),
    post("/auth/2fa/confirm", confirm),
    post("/auth/2fa/disable", disable),
    post("/auth/2fa/recovery-codes/regenerate", regenerate),
];

fn not_enabled() -> Reply {
    Reply::error(409, "AUTH_2FA_NOT_ENABLED", "Two-factor sign-in is not enabled")
}

fn already_enabled() -> Reply {
    Reply::error(409, "AUTH_2FA_ALREADY_ENABLED", "Two-factor sign-in is enabled already")
}

fn wrong_code() -> Reply {
    Reply::error(400, "AUTH_2FA_INVALID", "The two-factor code is wrong or was used before")
}

fn enabled(world: &World, user: Uuid) -> Option<&TwoFactor> {
    world.users.get(&user).and_then(|user| user.two_factor.as_ref())
}

/// Binds a secret to its user, so that nothing is stored before it is confirmed.
fn ticket(user: Uuid, secret: &str) -> String {
    let digest = Sha256::digest(format!("{user}|{secret}").as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn recovery_codes() -> Vec<String> {
    let code = |_| Uuid::new_v4().simple().to_string().chars().take(16).collect();
    (0..10).map(code).collect()
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn status(world: &mut World, call: &Call<'_>) -> Answer {
    let set = enabled(world, call.me()?);
    let left = set.map_or(0, |set| set.recovery_codes.len());
    Ok(Reply::ok(&json!({"enabled": set.is_some(), "recovery_codes_remaining": left})))
}

fn enroll(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    if enabled(world, me).is_some() {
        return Err(already_enabled());
    }
    let random = [Uuid::new_v4(), Uuid::new_v4()].map(Uuid::into_bytes).concat();
    let secret = totp::base32(&random[..20]);
    let name = world.username(me);
    let uri = format!("otpauth://totp/The%20Colony:{name}?secret={secret}&issuer=The%20Colony");
    let ticket = ticket(me, &secret);
    Ok(Reply::ok(&json!({"secret": secret, "otpauth_uri": uri, "ticket": ticket})))
}

fn confirm(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let text = call.text("secret", 1, 200)?;
    let given_ticket = call.text("ticket", 1, 500)?;
    let code = call.text("code", 1, 16)?;
    if enabled(world, me).is_some() {
        return Err(already_enabled());
    }
    let secret = totp::from_base32(&text).filter(|_| given_ticket == ticket(me, &text));
    let secret = secret.ok_or_else(wrong_code)?;
    let last_step = totp::matching_step(&secret, &code, now()).ok_or_else(wrong_code)?;
    let codes = recovery_codes();
    if let Some(user) = world.users.get_mut(&me) {
        user.two_factor = Some(TwoFactor {
            secret,
            last_step,
            recovery_codes: codes.clone(),
            failures: 0,
            last_failure: 0,
        });
    }
    Ok(Reply::ok(&json!({
        "enabled": true,
        "recovery_codes_remaining": codes.len(),
        "recovery_codes": codes,
    })))
}

/// Checks the code for an enabled account and returns its settings.
fn with_code<'w>(world: &'w mut World, call: &Call<'_>) -> Result<&'w mut Option<TwoFactor>, Reply> {
    let me = call.me()?;
    let code = call.text("code", 1, 16)?;
    let user = world.users.get_mut(&me).ok_or_else(not_enabled)?;
    let set = user.two_factor.as_mut().ok_or_else(not_enabled)?;
    if login::accept(set, &code, now()) { Ok(&mut user.two_factor) } else { Err(wrong_code()) }
}

fn disable(world: &mut World, call: &Call<'_>) -> Answer {
    *with_code(world, call)? = None;
    let me = call.me()?;
    let fields = json!({"actor": world.username(me), "actor_id": me, "by": "self"});
    world.emit(To::User(me), "security_2fa_disabled", fields);
    Ok(Reply::ok(&json!({"enabled": false, "recovery_codes_remaining": 0})))
}

fn regenerate(world: &mut World, call: &Call<'_>) -> Answer {
    let codes = recovery_codes();
    if let Some(set) = with_code(world, call)? {
        set.recovery_codes.clone_from(&codes);
    }
    let reply: Value = json!({"recovery_codes_remaining": codes.len(), "recovery_codes": codes});
    Ok(Reply::ok(&reply))
}
