//! The provider's state: access tokens, grants with their refresh tokens, and pending requests. Plain data under one
//! lock; the time (Unix seconds) is an argument.

use std::collections::HashMap;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

/// All state, behind one lock.
#[derive(Default)]
pub(crate) struct Store {
    access: HashMap<String, AccessToken>,
    refresh: HashMap<String, RefreshToken>,
    /// Never removed: a grant is named by its position.
    grants: Vec<Grant>,
    pub(super) requests: Vec<Pending>,
    codes: HashMap<String, Code>,
}

/// An opaque access token, valid at the userinfo endpoint.
#[derive(Debug, Clone)]
pub(crate) struct AccessToken {
    pub(crate) user: Uuid,
    pub(crate) client_id: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) expires: i64,
    /// The grant that it belongs to; an exchanged token has none.
    pub(crate) grant: Option<usize>,
}

#[derive(Debug)]
struct RefreshToken {
    grant: usize,
    spent: bool,
    expires: i64,
}

/// The authorization of one app by one login: the family of all refresh tokens that descend from it.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) client_id: String,
    pub(crate) user: Uuid,
    pub(crate) scopes: Vec<String>,
    pub(crate) session: Session,
    pub(crate) revoked: bool,
    pub(crate) rotations: u64,
}

/// How the user signed in, for the claims of an `id_token`.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) auth_time: i64,
    pub(crate) id: String,
    pub(crate) nonce: Option<String>,
}

impl Session {
    pub(crate) fn new(auth_time: i64, nonce: Option<String>) -> Self {
        Self { auth_time, id: Uuid::new_v4().to_string(), nonce }
    }
}

impl Grant {
    pub(crate) fn new(client_id: String, user: Uuid, scopes: Vec<String>, session: Session) -> Self {
        Self { client_id, user, scopes, session, revoked: false, rotations: 0 }
    }
}

/// A login that waits for its user.
#[derive(Debug)]
pub(crate) struct Pending {
    /// The id that the user sees: a device's user code, or the id of a browser's request.
    pub(crate) id: String,
    pub(crate) client_id: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) expires: i64,
    pub(crate) kind: PendingKind,
    pub(crate) decision: Option<Decision>,
}

#[derive(Debug)]
pub(crate) enum PendingKind {
    Device { device_code: String, polled: Option<Instant> },
    Browser { redirect_uri: String, state: Option<String>, nonce: Option<String>, challenge: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Approved(Uuid),
    Denied,
}

/// An authorization code.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    pub(crate) client_id: String,
    pub(crate) user: Uuid,
    pub(crate) scopes: Vec<String>,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: String,
    pub(crate) nonce: Option<String>,
    pub(crate) auth_time: i64,
    pub(crate) expires: i64,
    /// The grant, once the code was redeemed.
    pub(crate) grant: Option<usize>,
}

/// How long tokens live, in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lifetimes {
    pub(crate) access: i64,
    pub(crate) refresh: i64,
}

/// Newly issued tokens.
pub(crate) struct Issued {
    pub(crate) access_token: String,
    pub(crate) refresh_token: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) user: Uuid,
    pub(crate) session: Option<Session>,
}

/// The result of an introspection.
pub(crate) struct Known {
    pub(crate) kind: &'static str,
    pub(crate) user: Uuid,
    pub(crate) scopes: Vec<String>,
    pub(crate) expires: i64,
}

/// The reason why a refresh token is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Unknown,
    Expired,
    Revoked,
    /// It was used before: the whole family has now been revoked.
    Replayed,
    /// A requested scope was never granted.
    Scope,
}

impl Store {
    /// Issues an access token without a grant: an exchanged one.
    pub(crate) fn issue_alone(
        &mut self,
        client_id: &str,
        user: Uuid,
        scopes: Vec<String>,
        now: i64,
        lifetimes: Lifetimes,
    ) -> Issued {
        let access_token = secret("at");
        let token = AccessToken {
            user,
            client_id: client_id.to_owned(),
            scopes: scopes.clone(),
            expires: now + lifetimes.access,
            grant: None,
        };
        self.access.insert(access_token.clone(), token);
        Issued { access_token, refresh_token: None, scopes, user, session: None }
    }

    /// Stores a login and issues its first tokens.
    pub(crate) fn begin(&mut self, grant: Grant, now: i64, lifetimes: Lifetimes) -> (usize, Issued) {
        let scopes = grant.scopes.clone();
        self.grants.push(grant);
        let name = self.grants.len() - 1;
        (name, self.issue(name, scopes, now, lifetimes))
    }

    /// Spends a refresh token and issues new tokens. A refusal spends nothing; a token that was spent before ends its
    /// family.
    pub(crate) fn rotate(
        &mut self,
        token: &str,
        client_id: &str,
        narrowed: Option<&[&str]>,
        now: i64,
        lifetimes: Lifetimes,
    ) -> Result<Issued, Refused> {
        let known = self.refresh.get_mut(token).ok_or(Refused::Unknown)?;
        let name = known.grant;
        let grant = &mut self.grants[name];
        if grant.client_id != client_id {
            return Err(Refused::Unknown);
        }
        if known.spent {
            let first = !grant.revoked;
            self.revoke_grant(name);
            return Err(if first { Refused::Replayed } else { Refused::Revoked });
        }
        if grant.revoked {
            return Err(Refused::Revoked);
        }
        if now >= known.expires {
            return Err(Refused::Expired);
        }
        let scopes = match narrowed {
            None => grant.scopes.clone(),
            Some(wanted) if wanted.iter().all(|scope| grant.scopes.iter().any(|had| had == scope)) => {
                wanted.iter().map(|&scope| scope.to_owned()).collect()
            }
            Some(_) => return Err(Refused::Scope),
        };
        known.spent = true;
        grant.rotations += 1;
        Ok(self.issue(name, scopes, now, lifetimes))
    }

    /// Issues tokens of a grant; with a refresh token if the grant allows one, whatever this token's scopes.
    fn issue(&mut self, name: usize, scopes: Vec<String>, now: i64, lifetimes: Lifetimes) -> Issued {
        let grant = &self.grants[name];
        let (user, session) = (grant.user, Some(grant.session.clone()));
        let access_token = secret("at");
        let token = AccessToken {
            user,
            client_id: grant.client_id.clone(),
            scopes: scopes.clone(),
            expires: now + lifetimes.access,
            grant: Some(name),
        };
        self.access.insert(access_token.clone(), token);
        let refresh_token = grant.scopes.iter().any(|scope| scope == "offline_access").then(|| {
            let refresh_token = secret("rt");
            let token = RefreshToken { grant: name, spent: false, expires: now + lifetimes.refresh };
            self.refresh.insert(refresh_token.clone(), token);
            refresh_token
        });
        Issued { access_token, refresh_token, scopes, user, session }
    }

    /// Returns an access token that is valid at `now`.
    pub(crate) fn access(&self, token: &str, now: i64) -> Option<&AccessToken> {
        self.access.get(token).filter(|token| now < token.expires)
    }

    /// Returns the kind, user, scopes and expiry of this app's token if it is valid at `now`. Spends nothing.
    pub(crate) fn look_at(&self, token: &str, client_id: &str, now: i64) -> Option<Known> {
        if let Some(known) = self.access(token, now).filter(|known| known.client_id == client_id) {
            let (user, scopes, expires) = (known.user, known.scopes.clone(), known.expires);
            return Some(Known { kind: "access_token", user, scopes, expires });
        }
        let known = self.refresh.get(token).filter(|known| !known.spent && now < known.expires)?;
        let grant = &self.grants[known.grant];
        let mine = grant.client_id == client_id && !grant.revoked;
        mine.then(|| Known {
            kind: "refresh_token",
            user: grant.user,
            scopes: grant.scopes.clone(),
            expires: known.expires,
        })
    }

    /// Revokes a token of this app (RFC 7009): an access token alone, a refresh token with its whole family.
    pub(crate) fn revoke(&mut self, token: &str, client_id: &str) {
        if self.access.get(token).is_some_and(|known| known.client_id == client_id) {
            self.access.remove(token);
        }
        let family = self.refresh.get(token).map(|known| known.grant);
        if let Some(name) = family.filter(|&name| self.grants[name].client_id == client_id) {
            self.revoke_grant(name);
        }
    }

    /// Revokes a family: its refresh tokens, and its access tokens at once.
    pub(crate) fn revoke_grant(&mut self, name: usize) {
        self.grants[name].revoked = true;
        self.access.retain(|_, token| token.grant != Some(name));
    }

    pub(crate) fn revoke_all_grants(&mut self) {
        (0..self.grants.len()).for_each(|name| self.revoke_grant(name));
    }

    pub(crate) fn expire_access_tokens(&mut self) {
        self.access.values_mut().for_each(|token| token.expires = i64::MIN);
    }

    pub(crate) fn expire_refresh_tokens(&mut self) {
        self.refresh.values_mut().for_each(|token| token.expires = i64::MIN);
    }

    /// Expires codes and pending requests.
    pub(crate) fn expire_requests(&mut self) {
        self.requests.iter_mut().for_each(|request| request.expires = i64::MIN);
        self.codes.values_mut().for_each(|code| code.expires = i64::MIN);
    }

    pub(crate) fn grants(&self) -> &[Grant] {
        &self.grants
    }

    pub(crate) fn add_code(&mut self, code: Code) -> String {
        let text = secret("ac");
        self.codes.insert(text.clone(), code);
        text
    }

    /// Returns an authorization code. Presenting a redeemed one revokes its grant (RFC 6749 section 4.1.2).
    pub(crate) fn code(&mut self, text: &str) -> Option<Code> {
        let code = self.codes.get(text)?.clone();
        match code.grant {
            Some(grant) => {
                self.revoke_grant(grant);
                None
            }
            None => Some(code),
        }
    }

    /// Records the grant of a redeemed code.
    pub(crate) fn redeemed(&mut self, text: &str, grant: usize) {
        if let Some(code) = self.codes.get_mut(text) {
            code.grant = Some(grant);
        }
    }
}

/// Returns a new opaque token, 256 bits. Its first letters show its kind to a reader of a test's log.
pub(crate) fn secret(kind: &str) -> String {
    let bytes = [Uuid::new_v4(), Uuid::new_v4()].map(Uuid::into_bytes).concat();
    format!("{kind}_{}", URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIVES: Lifetimes = Lifetimes { access: 900, refresh: 5_000 };

    fn store(scopes: &[&str]) -> (Store, Issued) {
        let mut store = Store::default();
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        let grant = Grant::new("app".into(), Uuid::from_u128(1), scopes, Session::new(0, None));
        let (_, issued) = store.begin(grant, 1_000, LIVES);
        (store, issued)
    }

    fn refused(outcome: Result<Issued, Refused>) -> Refused {
        outcome.err().unwrap()
    }

    #[test]
    fn a_spent_token_ends_the_family() {
        let (mut store, first) = store(&["openid", "offline_access"]);
        let spent = first.refresh_token.unwrap();
        let second = store.rotate(&spent, "app", None, 1_100, LIVES).unwrap();
        assert!(store.access(&first.access_token, 1_100).is_some());
        assert!(store.access(&second.access_token, 1_999).is_some());
        assert!(store.access(&second.access_token, 2_000).is_none(), "it has expired");
        assert_eq!(refused(store.rotate(&spent, "app", None, 1_101, LIVES)), Refused::Replayed);
        assert!(store.access(&second.access_token, 1_101).is_none(), "at once");
        let live = second.refresh_token.unwrap();
        assert_eq!(refused(store.rotate(&live, "app", None, 1_102, LIVES)), Refused::Revoked);
        assert_eq!(refused(store.rotate(&spent, "app", None, 1_103, LIVES)), Refused::Revoked);
        assert_eq!((store.grants()[0].revoked, store.grants()[0].rotations), (true, 1));
    }

    #[test]
    fn a_refusal_spends_nothing() {
        let (mut store, first) = store(&["openid", "offline_access"]);
        let token = first.refresh_token.unwrap();
        assert_eq!(refused(store.rotate("rt_other", "app", None, 1_001, LIVES)), Refused::Unknown);
        assert_eq!(refused(store.rotate(&token, "another", None, 1_001, LIVES)), Refused::Unknown);
        let wider = ["openid", "email"];
        assert_eq!(refused(store.rotate(&token, "app", Some(&wider), 1_001, LIVES)), Refused::Scope);
        assert_eq!(refused(store.rotate(&token, "app", None, 6_000, LIVES)), Refused::Expired);
        let narrow = store.rotate(&token, "app", Some(&["openid"]), 5_999, LIVES).unwrap();
        assert_eq!(narrow.scopes, ["openid"]);
        let wide = store.rotate(&narrow.refresh_token.unwrap(), "app", None, 6_001, LIVES).unwrap();
        assert_eq!(wide.scopes, ["openid", "offline_access"], "narrowing is for one token");
    }

    #[test]
    fn without_offline_access_there_is_no_refresh_token() {
        assert!(store(&["openid"]).1.refresh_token.is_none());
    }

    #[test]
    fn only_the_owner_revokes() {
        let (mut store, first) = store(&["openid", "offline_access"]);
        let token = first.refresh_token.unwrap();
        store.revoke(&token, "another");
        store.revoke(&first.access_token, "another");
        assert!(store.access(&first.access_token, 1_001).is_some());
        store.revoke(&token, "app");
        assert!(store.access(&first.access_token, 1_001).is_none());
        assert_eq!(refused(store.rotate(&token, "app", None, 1_001, LIVES)), Refused::Revoked);
    }
}
