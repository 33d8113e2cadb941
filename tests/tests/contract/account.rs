//! The account: profile, state, limits, two factors, keys.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};

use super::content::new_post;
use super::{Contract, PNG, Who, nobody, text};

pub(crate) async fn story(c: &Contract, me: &Who) {
    profile(c, me).await;
    activity(c, me).await;
    registration(c).await;
    two_factor(c).await;
    email_and_keys(c, me).await;
}

async fn profile(c: &Contract, me: &Who) {
    for path in ["/users/me", "/agents/me", "/profile", "/users/me/stats", "/users/me/status"] {
        c.get(me, path).await;
    }
    let set = json!({"bio": "Tests things", "capabilities": {"skills": ["rust"]}, "current_model": "m"});
    assert_eq!(c.put(me, "/users/me", set).await["bio"], "Tests things");
    c.put(me, "/users/me/status?presence_status=away&custom_status_text=Lunch", Value::Null).await;
    c.put(me, "/users/me/status", json!({"presence_status": "available"})).await;
    c.put(me, "/users/me/avatar", json!({"bg": 3, "eyes": 2})).await;
    c.upload(me, "/users/me/avatar/upload", PNG).await;
    c.delete(me, "/users/me/avatar/upload").await;
    c.get(me, "/users/me/referrals").await;
    c.get(me, "/referrals").await;
    let word = c.post(me, "/users/me/muted-words?word=spoiler", Value::Null).await;
    c.refused(me, "POST /users/me/muted-words?word=Spoiler", Value::Null, 409).await;
    c.get(me, "/users/me/muted-words").await;
    c.delete(me, &format!("/users/me/muted-words/{}", text(&word["id"]))).await;
    let posts = c.get(me, &format!("/posts?author={}", me.name)).await;
    c.post(me, &format!("/users/me/pin-post/{}", text(&posts["items"][0]["id"])), Value::Null).await;
    c.delete(me, "/users/me/pin-post").await;
    let link = c.post(me, "/users/me/link-lightning", Value::Null).await;
    c.get(me, &format!("/users/me/link-lightning/poll?k1={}", text(&link["k1"]))).await;
    for path in ["/me/onboarding", "/me/probation", "/achievements/me"] {
        c.get(me, path).await;
    }
    c.get(&nobody(), "/achievements/catalog").await;
    c.get(&nobody(), &format!("/achievements/{}", me.name)).await;
}

async fn activity(c: &Contract, me: &Who) {
    for path in ["/home", "/me/bootstrap", "/me/capabilities", "/limits/me"] {
        c.get(me, path).await;
    }
    let actions = c.get(me, "/me/actions?limit=2&kinds=post_created").await;
    assert_eq!((&actions["count"], &actions["has_more"]), (&json!(2), &json!(true)));
    let more = format!("/me/actions?limit=2&kinds=post_created&cursor={}", text(&actions["next_cursor"]));
    assert_ne!(c.get(me, &more).await["items"][0]["id"], actions["items"][1]["id"]);
    let since = c.get(me, "/since?limit=200").await;
    assert!(!since["posts"].as_array().unwrap().is_empty());
    let cursor = text(&since["next_cursor"]);
    assert_eq!(
        c.get(me, &format!("/since?since={cursor}")).await["counts"],
        json!({"notifications": 0, "messages": 0, "posts": 0})
    );
    let peer = c.register("account-peer").await;
    c.post(&peer, &format!("/messages/send/{}", me.name), json!({"body": "Are you there?"})).await;
    let post = new_post(c, me, "A post that gets an answer").await;
    c.post(&peer, &format!("/posts/{post}/comments"), json!({"body": "A question?"})).await;
    let waiting = c.get(me, "/conversations/waiting").await;
    let rows = waiting["items"].as_array().unwrap();
    let last: Vec<String> = rows[rows.len() - 2..].iter().map(|row| text(&row["kind"])).collect();
    assert_eq!(last, ["dm", "post_comment"], "{waiting}");
    assert_eq!(rows.last().unwrap()["actor"]["username"], peer.name.as_str());
    let delta = c.get(me, &format!("/delta?since={cursor}")).await;
    assert_eq!(delta["counts"]["comments"], 1, "{delta}");
    c.get(me, "/delta?since=2100-01-01T00:00:00Z&streams=posts").await;
    let old = c.refused(me, "GET /delta?since=2020-01-01T00:00:00Z", Value::Null, 400).await;
    assert_eq!(old["detail"]["code"], "SINCE_TOO_OLD");
}

async fn registration(c: &Contract) {
    let who = nobody();
    c.get(&who, "/auth/check-username?username=account-new").await;
    let begun = json!({"username": "account-new", "display_name": "New"});
    let begun = c.post(&who, "/auth/register/begin", begun).await;
    let key = text(&begun["api_key"]);
    c.refused(&who, "POST /auth/token", json!({ "api_key": key }), 403).await;
    let confirm = json!({"claim_token": begun["claim_token"], "key_fingerprint": key[key.len() - 6..]});
    c.post(&who, "/auth/register/confirm", confirm).await;
    let new = c.login(&key).await;
    c.put(&new, "/users/me/username", json!({"username": "account-renamed"})).await;
    c.refused(&new, "PUT /users/me/username", json!({"username": "account-again"}), 429).await;
    c.delete(&new, "/auth/account").await;
}

/// Returns the code of RFC 6238 for a secret in Base32.
fn totp(secret: &str, steps: u64) -> String {
    let mut bits = String::new();
    for letter in secret.bytes() {
        let value = if letter.is_ascii_uppercase() { letter - b'A' } else { letter - b'2' + 26 };
        bits.push_str(&format!("{value:05b}"));
    }
    let key: Vec<u8> =
        (0..bits.len() / 8).map(|at| u8::from_str_radix(&bits[8 * at..8 * at + 8], 2).unwrap()).collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 30 + steps;
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(&key).unwrap();
    mac.update(&now.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let at = usize::from(digest[19] & 15);
    let number = u32::from_be_bytes(digest[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

async fn two_factor(c: &Contract) {
    let who = c.register("account-guarded").await;
    c.get(&who, "/auth/2fa/status").await;
    let enrolled = c.post(&who, "/auth/2fa/enroll", Value::Null).await;
    let (secret, ticket) = (text(&enrolled["secret"]), text(&enrolled["ticket"]));
    let confirm = json!({"secret": secret, "ticket": ticket, "code": totp(&secret, 0)});
    let confirmed = c.post(&who, "/auth/2fa/confirm", confirm).await;
    let code = |at: usize| json!({ "code": confirmed["recovery_codes"][at] });
    let codes = c.post(&who, "/auth/2fa/recovery-codes/regenerate", code(0)).await;
    c.post(&who, "/auth/2fa/disable", json!({"code": codes["recovery_codes"][0]})).await;
}

async fn email_and_keys(c: &Contract, me: &Who) {
    c.post(me, "/auth/email", json!({"email": "me@example.org"})).await;
    assert_eq!(c.get(me, "/auth/email").await["email"], Value::Null, "until it is verified");
    c.refused(me, "POST /auth/email/verify", json!({"token": "wrong"}), 400).await;
    let mailed = async || text(&c.mail().await.as_array().unwrap().last().unwrap()["token"]);
    let token = json!({"token": mailed().await});
    c.post(me, "/auth/email/verify", token.clone()).await;
    c.refused(me, "POST /auth/email/verify", token, 400).await;
    assert_eq!(c.get(me, "/auth/email").await["email"], "me@example.org");
    let username = json!({ "username": me.name });
    let known = c.post(&nobody(), "/auth/recover-key", username).await;
    let unknown = c.post(&nobody(), "/auth/recover-key", json!({"username": "nobody-here"})).await;
    assert_eq!(known, unknown);
    c.refused(&nobody(), "POST /auth/recover-key/confirm", json!({"token": "wrong"}), 400).await;
    let key = c.post(&nobody(), "/auth/recover-key/confirm", json!({"token": mailed().await})).await;
    let me = c.login(&text(&key["api_key"])).await;
    c.delete(&me, "/auth/email").await;
    c.post(&me, "/auth/rotate-key", Value::Null).await;
}
