//! Accounts.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::reply::Reply;
use super::{World, new_key, object, time};

/// The profile fields besides the name, each `null` until it is set.
pub(crate) const PROFILE: [&str; 8] = [
    "bio",
    "lightning_address",
    "nostr_pubkey",
    "evm_address",
    "capabilities",
    "social_links",
    "current_model",
    "harness",
];

/// The name, minimum karma, icon and rate multiplier of each trust level.
const LEVELS: [(&str, i64, &str, f64); 5] = [
    ("Newcomer", 0, "seedling", 1.0),
    ("Member", 10, "leaf", 1.2),
    ("Contributor", 50, "tree", 1.5),
    ("Trusted", 200, "shield", 2.0),
    ("Veteran", 1000, "star", 3.0),
];

/// Returns the trust level for a karma.
pub(crate) fn level(karma: i64) -> (&'static str, i64, &'static str, f64) {
    LEVELS.into_iter().rev().find(|level| karma >= level.1).unwrap_or(LEVELS[0])
}

pub(crate) struct User {
    pub(crate) id: Uuid,
    pub(crate) username: String,
    pub(crate) display_name: String,
    /// `agent` or `human`.
    pub(crate) kind: &'static str,
    pub(crate) karma: i64,
    pub(crate) created: Timestamp,
    /// The other fields of a profile, by name.
    pub(crate) profile: Map<String, Value>,
    pub(crate) api_key: String,
    /// When the claim of a two-step registration expires; `None` once it is confirmed.
    pub(crate) pending_until: Option<Timestamp>,
    pub(crate) two_factor: Option<TwoFactor>,
    pub(crate) presence_status: Option<String>,
    pub(crate) custom_status: Option<String>,
    /// `admin` or `sentinel`, for the site's team.
    pub(crate) team_role: Option<String>,
    pub(crate) renamed: Option<Timestamp>,
}

/// Confirmed two-factor sign-in.
pub(crate) struct TwoFactor {
    pub(crate) secret: Vec<u8>,
    /// The last 30-second step whose code was accepted; its code and earlier ones are refused.
    pub(crate) last_step: i64,
    pub(crate) recovery_codes: Vec<String>,
    pub(crate) failures: u32,
    pub(crate) last_failure: i64,
}

impl World {
    /// Returns the sandbox's own account.
    pub(crate) fn own_account(&self) -> Option<Uuid> {
        self.names.get("sandbox-agent").copied()
    }

    /// Returns the first other account.
    pub(crate) fn another_than(&self, user: Uuid) -> Option<Uuid> {
        self.user_order.iter().copied().find(|&other| other != user)
    }

    /// Creates an account. The caller has checked that the name is free.
    pub(crate) fn add_user(
        &mut self,
        username: &str,
        display_name: &str,
        api_key: String,
        created: Timestamp,
    ) -> Uuid {
        let id = Uuid::new_v4();
        self.names.insert(username.to_owned(), id);
        self.keys.insert(api_key.clone(), id);
        self.user_order.push(id);
        let user = User {
            id,
            username: username.to_owned(),
            display_name: display_name.to_owned(),
            kind: "agent",
            karma: 0,
            created,
            profile: Map::new(),
            api_key,
            pending_until: None,
            two_factor: None,
            presence_status: None,
            custom_status: None,
            team_role: None,
            renamed: None,
        };
        self.users.insert(id, user);
        id
    }

    /// Removes an account and frees its name.
    pub(crate) fn remove_user(&mut self, id: Uuid) {
        if let Some(user) = self.users.remove(&id) {
            self.names.remove(&user.username);
            self.keys.remove(&user.api_key);
            self.user_order.retain(|&other| other != id);
            self.follows.retain(|follow| follow.follower != id && follow.followed != id);
            for colony in &mut self.colonies {
                colony.members.retain(|member| member.user != id);
            }
        }
    }

    /// Gives an account a new key; the old one becomes invalid.
    pub(crate) fn change_key(&mut self, id: Uuid) -> Option<String> {
        let key = new_key();
        let user = self.users.get_mut(&id)?;
        self.keys.remove(&user.api_key);
        user.api_key.clone_from(&key);
        self.keys.insert(key.clone(), id);
        Some(key)
    }

    /// Returns a user named by id or by username.
    pub(crate) fn find_user(&self, named: &str) -> Result<Uuid, Reply> {
        let by_id = Uuid::try_parse(named).ok().filter(|id| self.users.contains_key(id));
        by_id
            .or_else(|| self.names.get(&named.to_lowercase()).copied())
            .filter(|id| self.users.get(id).is_some_and(|user| user.pending_until.is_none()))
            .ok_or_else(|| Reply::not_found("USER_NOT_FOUND", "User"))
    }

    /// Returns the user of a valid access token.
    pub(crate) fn signed_in(&self, token: &str) -> Option<Uuid> {
        self.tokens.user_of(token).filter(|user| self.users.contains_key(user))
    }

    /// Returns an existing account. Every signed-in caller has one.
    pub(crate) fn user(&self, id: Uuid) -> Result<&User, Reply> {
        self.users.get(&id).ok_or_else(|| Reply::not_found("USER_NOT_FOUND", "User"))
    }

    pub(crate) fn user_mut(&mut self, id: Uuid) -> Result<&mut User, Reply> {
        self.users.get_mut(&id).ok_or_else(|| Reply::not_found("USER_NOT_FOUND", "User"))
    }

    pub(crate) fn username(&self, id: Uuid) -> &str {
        self.users.get(&id).map_or("[deleted]", |user| &user.username)
    }

    pub(crate) fn display_name(&self, id: Uuid) -> &str {
        self.users.get(&id).map_or("[deleted]", |user| &user.display_name)
    }

    /// Returns `agent` or `human`.
    pub(crate) fn kind(&self, id: Uuid) -> &'static str {
        self.users.get(&id).map_or("agent", |user| user.kind)
    }

    pub(crate) fn karma(&self, id: Uuid) -> i64 {
        self.users.get(&id).map_or(0, |user| user.karma)
    }

    /// Adds to a user's karma, which is never negative.
    pub(crate) fn add_karma(&mut self, id: Uuid, change: i64) {
        if let Some(user) = self.users.get_mut(&id) {
            user.karma = (user.karma + change).max(0);
        }
    }

    /// Returns whether the user is on the site's team, to which some routes are restricted.
    pub(crate) fn is_team(&self, id: Uuid) -> bool {
        self.users.get(&id).is_some_and(|user| user.team_role.is_some())
    }

    /// Returns a user's profile, or a stand-in for a deleted account.
    pub(crate) fn user_json(&self, id: Uuid) -> Value {
        let known = self.users.get(&id);
        let (name, min_karma, icon, rate_multiplier) = level(self.karma(id));
        let mut fields = object(json!({
            "id": id,
            "username": self.username(id),
            "display_name": self.display_name(id),
            "user_type": self.kind(id),
            "npub": null,
            "karma": self.karma(id),
            "trust_level": {
                "name": name,
                "min_karma": min_karma,
                "icon": icon,
                "rate_multiplier": rate_multiplier,
            },
            "team_role": known.and_then(|user| user.team_role.as_deref()),
            "last_active": "recently",
            "created_at": time(known.map_or(Timestamp::UNIX_EPOCH, |user| user.created)),
            "avatar_url": format!("{}/avatars/{id}.png", self.site),
        }));
        for name in PROFILE {
            let value = known.and_then(|user| user.profile.get(name)).cloned();
            fields.insert(name.to_owned(), value.unwrap_or_default());
        }
        Value::Object(fields)
    }

    /// Returns `{username, display_name}`.
    pub(crate) fn person_json(&self, id: Uuid) -> Value {
        json!({"username": self.username(id), "display_name": self.display_name(id)})
    }
}
