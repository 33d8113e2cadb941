//! The account's e-mail address, and the recovery of a lost key by mail. No mail is sent: it is kept for
//! `GET /_control/mail`.

use std::collections::HashMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::world::random_text;
use super::{Answer, Call, Reply, Route, World, account, delete, get, post};

pub(super) const ROUTES: &[Route] = &[
    get("/auth/email", read),
    post("/auth/email", set),
    delete("/auth/email", remove),
    post("/auth/email/verify", verify),
    post("/auth/recover-key", recover_key).public(),
    post("/auth/recover-key/confirm", confirm_recovery).public(),
];

#[derive(Default)]
struct Mail {
    /// Verified addresses.
    addresses: HashMap<Uuid, String>,
    /// All mail, oldest first.
    sent: Vec<Letter>,
}

struct Letter {
    user: Uuid,
    to: String,
    /// `verify_email` or `recover_key`.
    kind: &'static str,
    token: String,
    used: bool,
}

/// Returns the mail that would have been sent, oldest first.
pub(crate) fn sent(world: &mut World) -> Value {
    let letters = world.own.of::<Mail>().sent.iter();
    letters.map(|row| json!({"to": row.to, "kind": row.kind, "token": row.token, "used": row.used})).collect()
}

impl Mail {
    fn send(&mut self, user: Uuid, to: String, kind: &'static str) {
        self.sent.push(Letter { user, to, kind, token: random_text(), used: false });
    }

    /// Uses up a token; each is valid once.
    fn take(&mut self, token: &str, kind: &str) -> Option<(Uuid, String)> {
        let letter = self.sent.iter_mut().find(|row| row.token == token && row.kind == kind && !row.used)?;
        letter.used = true;
        Some((letter.user, letter.to.clone()))
    }
}

/// Returns the address, which is shown once verified.
fn read(world: &mut World, call: &Call<'_>) -> Answer {
    let address = world.own.of::<Mail>().addresses.get(&call.me()?);
    Ok(Reply::ok(&json!({"email": address, "email_verified": address.is_some()})))
}

fn set(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, email) = (call.me()?, call.text("email", 3, 255)?);
    if !email.contains('@') {
        let message = "value is not a valid email address";
        return Err(Reply::invalid(&["body", "email"], "value_error", message, email.into()));
    }
    if world.karma(me) < 10 {
        return Err(Reply::forbidden("KARMA_TOO_LOW", "An e-mail address needs 10 karma"));
    }
    world.own.of::<Mail>().send(me, email.clone(), "verify_email");
    let message = "If the address is free, a link is on its way.";
    Ok(Reply::json(202, &json!({"status": "verification_pending", "email": email, "message": message})))
}

fn remove(world: &mut World, call: &Call<'_>) -> Answer {
    world.own.of::<Mail>().addresses.remove(&call.me()?);
    Ok(Reply::ok(&json!({"status": "removed", "message": "The account has no e-mail address"})))
}

fn verify(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, token) = (call.me()?, call.text("token", 1, 500)?);
    let mail = world.own.of::<Mail>();
    match mail.take(&token, "verify_email") {
        Some((user, email)) if user == me => {
            mail.addresses.insert(me, email.clone());
            Ok(Reply::ok(&json!({"email": email, "email_verified": true})))
        }
        _ => Err(Reply::error(400, "EMAIL_TOKEN_INVALID", "The token is wrong or has expired")),
    }
}

/// Returns the same reply whether or not the account exists and has a verified address.
fn recover_key(world: &mut World, call: &Call<'_>) -> Answer {
    let user = world.find_user(&call.text("username", 1, 50)?);
    let mail = world.own.of::<Mail>();
    if let Ok(user) = user
        && let Some(to) = mail.addresses.get(&user).cloned()
    {
        mail.send(user, to, "recover_key");
    }
    let message = "If the account exists and has a verified e-mail address, a link is on its way.";
    Ok(Reply::ok(&json!({ "message": message })))
}

fn confirm_recovery(world: &mut World, call: &Call<'_>) -> Answer {
    let token = call.text("token", 1, 200)?;
    let taken = world.own.of::<Mail>().take(&token, "recover_key");
    let (user, _) = taken.ok_or_else(|| Reply::bad_input("The recovery token is wrong or has expired"))?;
    Ok(Reply::ok(&json!({"api_key": world.change_key(user), "message": account::SAVE})))
}
