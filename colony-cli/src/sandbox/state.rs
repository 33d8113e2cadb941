//! What the sandbox remembers: accounts, posts, comments, messages and all that hangs on them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{Timestamp, ToSpan};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::idempotency::Memory;
use super::reply::Reply;

/// The account that a caller of the sandbox uses.
pub(crate) struct Account {
    pub(crate) api_key: String,
    pub(crate) username: String,
}

/// Everything, behind one lock.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) users: HashMap<Uuid, User>,
    pub(crate) user_order: Vec<Uuid>,
    pub(crate) names: HashMap<String, Uuid>,
    pub(crate) keys: HashMap<String, Uuid>,
    pub(crate) claims: HashMap<String, Uuid>,
    pub(crate) colonies: Vec<Colony>,
    pub(crate) posts: Vec<Post>,
    pub(crate) post_at: HashMap<Uuid, usize>,
    pub(crate) comments: Vec<Comment>,
    pub(crate) comment_at: HashMap<Uuid, usize>,
    /// (post or comment, voter) → 1 or -1.
    pub(crate) votes: HashMap<(Uuid, Uuid), i64>,
    /// Post, comment or message → (emoji, user), in order.
    pub(crate) reactions: HashMap<Uuid, Vec<(String, Uuid)>>,
    pub(crate) conversations: Vec<Conversation>,
    pub(crate) notifications: HashMap<Uuid, Vec<Notification>>,
    pub(crate) follows: Vec<Follow>,
    /// (user, blocked user), in order.
    pub(crate) blocks: Vec<(Uuid, Uuid)>,
    /// (user, post), in order.
    pub(crate) bookmarks: Vec<(Uuid, Uuid)>,
    pub(crate) watches: HashSet<(Uuid, Uuid)>,
    pub(crate) tags: BTreeSet<(Uuid, String)>,
    pub(crate) vault: HashMap<Uuid, BTreeMap<String, VaultFile>>,
    pub(crate) idempotency: Memory,
    last: Timestamp,
}

pub(crate) struct User {
    pub(crate) id: Uuid,
    pub(crate) username: String,
    pub(crate) display_name: String,
    pub(crate) kind: &'static str,
    pub(crate) karma: i64,
    pub(crate) created: Timestamp,
    /// The other fields of a profile, by name.
    pub(crate) profile: Map<String, Value>,
    pub(crate) api_key: String,
    /// Set until a two-step registration is confirmed: when the claim ends.
    pub(crate) pending_until: Option<Timestamp>,
    pub(crate) two_factor: Option<TwoFactor>,
    pub(crate) status: Map<String, Value>,
}

/// Two-factor sign-in, as confirmed.
pub(crate) struct TwoFactor {
    pub(crate) secret: Vec<u8>,
    /// The last 30-second step whose code was accepted; no code of it or before is accepted again.
    pub(crate) last_step: i64,
    pub(crate) recovery_codes: Vec<String>,
    pub(crate) failures: u32,
    pub(crate) last_failure: i64,
}

pub(crate) struct Colony {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) description: String,
    pub(crate) community_type: String,
    pub(crate) built_in: bool,
    pub(crate) created: Timestamp,
    /// (member, role), in order.
    pub(crate) members: Vec<(Uuid, &'static str)>,
}

pub(crate) struct Post {
    pub(crate) id: Uuid,
    pub(crate) author: Uuid,
    pub(crate) colony: Option<Uuid>,
    pub(crate) post_type: String,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) tags: Vec<String>,
    pub(crate) metadata: Value,
    pub(crate) client: Option<String>,
    pub(crate) score: i64,
    pub(crate) comment_count: u64,
    pub(crate) last_comment: Option<Timestamp>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) closed: Option<Timestamp>,
    pub(crate) language: String,
    pub(crate) deleted: bool,
}

pub(crate) struct Comment {
    pub(crate) id: Uuid,
    pub(crate) post: Uuid,
    pub(crate) author: Uuid,
    pub(crate) parent: Option<Uuid>,
    pub(crate) body: String,
    pub(crate) client: Option<String>,
    pub(crate) score: i64,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) deleted: bool,
}

/// A conversation between two users.
pub(crate) struct Conversation {
    pub(crate) id: Uuid,
    pub(crate) users: [Uuid; 2],
    pub(crate) messages: Vec<Message>,
    pub(crate) archived: HashSet<Uuid>,
    pub(crate) muted: HashSet<Uuid>,
}

pub(crate) struct Message {
    pub(crate) id: Uuid,
    pub(crate) sender: Uuid,
    pub(crate) body: String,
    pub(crate) created: Timestamp,
    pub(crate) read: Option<Timestamp>,
    /// Earlier versions, with the time of each.
    pub(crate) versions: Vec<(String, Timestamp)>,
    pub(crate) edited: Option<Timestamp>,
    pub(crate) deleted: bool,
}

pub(crate) struct Notification {
    pub(crate) id: Uuid,
    pub(crate) kind: &'static str,
    pub(crate) message: String,
    pub(crate) actor: Uuid,
    pub(crate) about: About,
    pub(crate) read: bool,
    pub(crate) created: Timestamp,
}

/// What a notification is about.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct About {
    pub(crate) post: Option<Uuid>,
    pub(crate) comment: Option<Uuid>,
    pub(crate) conversation: Option<Uuid>,
    pub(crate) message: Option<Uuid>,
}

pub(crate) struct Follow {
    pub(crate) id: Uuid,
    pub(crate) follower: Uuid,
    pub(crate) followed: Uuid,
    pub(crate) created: Timestamp,
}

pub(crate) struct VaultFile {
    pub(crate) content: String,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
}

impl World {
    /// The present moment; never the same twice, so that it orders things.
    pub(crate) fn now(&mut self) -> Timestamp {
        let now = Timestamp::now().as_microsecond();
        let now = Timestamp::from_microsecond(now).unwrap_or_default();
        let next = self.last.saturating_add(1.microsecond()).unwrap_or(now);
        self.last = now.max(next);
        self.last
    }

    /// Creates an account. The caller has checked that the name is free.
    pub(crate) fn add_user(&mut self, username: &str, display_name: &str, api_key: String) -> Uuid {
        let id = Uuid::new_v4();
        let created = self.now();
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
            status: Map::new(),
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
            self.claims.retain(|_, &mut claimed| claimed != id);
            self.follows.retain(|follow| follow.follower != id && follow.followed != id);
            for colony in &mut self.colonies {
                colony.members.retain(|&(member, _)| member != id);
            }
        }
    }

    /// Gives an account a new key; the old one is known no longer.
    pub(crate) fn change_key(&mut self, id: Uuid) -> Option<String> {
        let key = new_key();
        let user = self.users.get_mut(&id)?;
        self.keys.remove(&user.api_key);
        user.api_key.clone_from(&key);
        self.keys.insert(key.clone(), id);
        Some(key)
    }

    /// A user named by id or by username.
    pub(crate) fn find_user(&self, named: &str) -> Result<Uuid, Reply> {
        let by_id = Uuid::try_parse(named).ok().filter(|id| self.users.contains_key(id));
        by_id
            .or_else(|| self.names.get(&named.to_lowercase()).copied())
            .filter(|id| self.users.get(id).is_some_and(|user| user.pending_until.is_none()))
            .ok_or_else(|| Reply::not_found("USER_NOT_FOUND", "User"))
    }

    pub(crate) fn username(&self, id: Uuid) -> &str {
        self.users.get(&id).map_or("[deleted]", |user| &user.username)
    }

    /// A colony named by id or by its short name.
    pub(crate) fn find_colony(&self, named: &str) -> Result<usize, Reply> {
        let id = Uuid::try_parse(named).ok();
        let mut colonies = self.colonies.iter();
        colonies
            .position(|colony| Some(colony.id) == id || colony.name == named)
            .ok_or_else(|| Reply::not_found("NOT_FOUND", "Colony"))
    }

    /// A post that is not deleted.
    pub(crate) fn post(&self, id: Uuid) -> Result<&Post, Reply> {
        let post = self.post_at.get(&id).map(|&at| &self.posts[at]).filter(|post| !post.deleted);
        post.ok_or_else(|| Reply::not_found("POST_NOT_FOUND", "Post"))
    }

    pub(crate) fn post_mut(&mut self, id: Uuid) -> Result<&mut Post, Reply> {
        let at = self.post_at.get(&id).copied();
        let post = at.map(|at| &mut self.posts[at]).filter(|post| !post.deleted);
        post.ok_or_else(|| Reply::not_found("POST_NOT_FOUND", "Post"))
    }

    /// A comment that is not deleted, under a post that is not.
    pub(crate) fn comment(&self, id: Uuid) -> Result<&Comment, Reply> {
        let comment = self.comment_at.get(&id).map(|&at| &self.comments[at]);
        comment
            .filter(|comment| !comment.deleted && self.post(comment.post).is_ok())
            .ok_or_else(|| Reply::not_found("NOT_FOUND", "Comment"))
    }

    pub(crate) fn comment_mut(&mut self, id: Uuid) -> Result<&mut Comment, Reply> {
        self.comment(id)?;
        let at = self.comment_at.get(&id).copied();
        at.map(|at| &mut self.comments[at]).ok_or_else(|| Reply::not_found("NOT_FOUND", "Comment"))
    }

    pub(crate) fn add_post(&mut self, post: Post) {
        self.post_at.insert(post.id, self.posts.len());
        self.posts.push(post);
    }

    pub(crate) fn add_comment(&mut self, comment: Comment) {
        if let Ok(post) = self.post_mut(comment.post) {
            post.comment_count += 1;
            post.last_comment = Some(comment.created);
        }
        self.comment_at.insert(comment.id, self.comments.len());
        self.comments.push(comment);
    }

    /// The comments of a post that are not deleted, oldest first.
    pub(crate) fn comments_of(&self, post: Uuid) -> Vec<&Comment> {
        self.comments.iter().filter(|comment| comment.post == post && !comment.deleted).collect()
    }

    /// The position of the conversation of two users.
    pub(crate) fn conversation_of(&self, one: Uuid, other: Uuid) -> Option<usize> {
        self.conversations
            .iter()
            .position(|conversation| conversation.users == [one, other] || conversation.users == [other, one])
    }

    /// Tells `user` of something that another user did.
    pub(crate) fn notify(&mut self, user: Uuid, actor: Uuid, kind: &'static str, what: &str, about: About) {
        if user == actor || self.blocks.contains(&(user, actor)) || !self.users.contains_key(&user) {
            return;
        }
        let created = self.now();
        let message = format!("{} {what}", self.username(actor));
        let id = Uuid::new_v4();
        let notification = Notification { id, kind, message, actor, about, read: false, created };
        self.notifications.entry(user).or_default().push(notification);
    }

    pub(crate) fn unread_notifications(&self, user: Uuid) -> usize {
        let list = self.notifications.get(&user).map_or(&[][..], Vec::as_slice);
        list.iter().filter(|notification| !notification.read).count()
    }

    pub(crate) fn unread_messages(&self, user: Uuid) -> usize {
        let mine = self.conversations.iter().filter(|conversation| conversation.has(user));
        mine.map(|conversation| conversation.unread(user)).sum()
    }
}

impl Conversation {
    pub(crate) fn has(&self, user: Uuid) -> bool {
        self.users.contains(&user)
    }

    /// The one that `user` talks with.
    pub(crate) fn other(&self, user: Uuid) -> Uuid {
        if self.users[0] == user { self.users[1] } else { self.users[0] }
    }

    /// Messages that `user` received and has not read.
    pub(crate) fn unread(&self, user: Uuid) -> usize {
        let unread = |m: &&Message| m.sender != user && m.read.is_none() && !m.deleted;
        self.messages.iter().filter(unread).count()
    }
}

/// A new API key: 47 characters.
pub(crate) fn new_key() -> String {
    let bytes = [Uuid::new_v4(), Uuid::new_v4()].map(Uuid::into_bytes).concat();
    format!("col_{}", URL_SAFE_NO_PAD.encode(bytes))
}
