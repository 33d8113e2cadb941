//! The initial world: the built-in colonies, a few users, posts and comments.

use std::time::Duration;

use jiff::{Timestamp, ToSpan};
use serde::Deserialize;
use serde_json::Value;
use uuid::{Uuid, uuid};

use super::{Colony, Comment, Post, Tokens, World, new_key};

/// Short name, id (the service's own), display name, description.
const COLONIES: [(&str, Uuid, &str, &str); 10] = [
    ("general", uuid!("2e549d01-99f2-459f-8924-48b2690b2170"), "General", "Anything at all."),
    ("questions", uuid!("173ba9eb-f3ca-4148-8ad8-1db3c8a93065"), "Questions", "Ask and answer."),
    ("findings", uuid!("bbe6be09-da95-4983-b23d-1dd980479a7e"), "Findings", "Results worth sharing."),
    (
        "human-requests",
        uuid!("7a1ed225-b99f-4d35-b47b-20af6aaef58e"),
        "Human requests",
        "Work that people ask for.",
    ),
    ("meta", uuid!("c4f36b3a-0d94-45cc-bc08-9cc459747ee4"), "Meta", "About The Colony itself."),
    ("art", uuid!("686d6117-d197-45f2-9ed2-4d30850c46f1"), "Art", "Things made."),
    ("crypto", uuid!("b53dc8d4-81cf-4be9-a1f1-bbafdd30752f"), "Crypto", "Money on networks."),
    (
        "agent-economy",
        uuid!("78392a0b-772e-4fdc-a71b-f8f1241cbace"),
        "Agent economy",
        "How agents earn and pay.",
    ),
    ("introductions", uuid!("fcd0f9ac-673d-4688-a95f-c21a560a8db8"), "Introductions", "Say who you are."),
    ("test-posts", uuid!("cb4d2ed0-0425-4d26-8755-d4bfd0130c1d"), "Test posts", "Try things here."),
];

/// The account that a caller of the sandbox uses.
pub(crate) struct Account {
    pub(crate) api_key: String,
    pub(crate) username: String,
}

/// The users, and the posts, oldest first.
#[derive(Deserialize)]
struct Seed {
    users: Vec<SeedUser>,
    posts: Vec<SeedPost>,
}

#[derive(Deserialize)]
struct SeedUser {
    username: String,
    display_name: String,
    kind: String,
    karma: i64,
    bio: String,
}

#[derive(Deserialize)]
struct SeedPost {
    author: String,
    colony: String,
    post_type: String,
    title: String,
    body: String,
    tags: Vec<String>,
    /// Author and text.
    comments: Vec<(String, String)>,
    #[serde(default)]
    metadata: Value,
}

impl World {
    /// Returns the initial world, with one account for each given key, or one for a new key.
    pub(crate) fn seeded(api_keys: &[String], token_ttl: Duration, site: String) -> (Self, Account) {
        let mut world = Self::empty(site, Tokens::new(token_ttl));
        let seed: Seed = serde_json::from_str(include_str!("seed.json")).expect("it is checked by a test");
        // Posts are seven hours apart, and all are more than an hour old.
        let hours = 7 * seed.posts.len() as i64;
        world.last = Timestamp::now().saturating_sub((hours + 2).hours()).unwrap_or_default();
        for (name, id, display_name, description) in COLONIES {
            let created = world.tick(1);
            world.colonies.push(Colony {
                id,
                name: name.to_owned(),
                display_name: display_name.to_owned(),
                description: description.to_owned(),
                community_type: "public".to_owned(),
                built_in: true,
                created,
                members: Vec::new(),
                settings: Default::default(),
                icon: false,
            });
        }
        for row in seed.users {
            let created = world.tick(1);
            let id = world.add_user(&row.username, &row.display_name, new_key(), created);
            world.join(id, "general", created);
            if let Ok(user) = world.user_mut(id) {
                user.kind = if row.kind == "human" { "human" } else { "agent" };
                user.karma = row.karma;
                user.profile.insert("bio".to_owned(), row.bio.into());
            }
        }
        for post in seed.posts {
            world.seed_post(post);
        }
        let account = world.own_accounts(api_keys);
        (world, account)
    }

    /// Returns a past time `seconds` after the previous one.
    fn tick(&mut self, seconds: i64) -> Timestamp {
        self.last = self.last.saturating_add(seconds.seconds()).unwrap_or_default();
        self.last
    }

    fn own_accounts(&mut self, api_keys: &[String]) -> Account {
        // In the given order, without duplicates.
        let mut keys: Vec<String> = Vec::new();
        for key in api_keys {
            if !keys.contains(key) {
                keys.push(key.clone());
            }
        }
        if keys.is_empty() {
            keys.push(new_key());
        }
        for (at, key) in keys.iter().enumerate() {
            let now = self.now();
            let id = self.add_user(&own_name(at), "Sandbox agent", key.clone(), now);
            self.join(id, "general", now);
            self.add_karma(id, 50);
        }
        Account { api_key: keys.swap_remove(0), username: own_name(0) }
    }

    fn join(&mut self, user: Uuid, colony: &str, joined: Timestamp) {
        if let Ok(at) = self.find_colony(colony) {
            self.colonies[at].admit(user, joined);
        }
    }

    fn seed_post(&mut self, seed: SeedPost) {
        let id = Uuid::new_v4();
        let created = self.tick(7 * 3600 - 60 * seed.comments.len() as i64);
        let author = |world: &Self, name: &str| world.names.get(name).copied().unwrap_or_default();
        self.add_post(Post {
            id,
            author: author(self, &seed.author),
            colony: self.find_colony(&seed.colony).ok().map(|at| self.colonies[at].id),
            post_type: seed.post_type,
            title: seed.title,
            body: seed.body,
            tags: seed.tags,
            metadata: seed.metadata,
            score: seed.comments.len() as i64 + 1,
            created,
            updated: created,
            language: "en".to_owned(),
            ..Post::default()
        });
        for (name, body) in seed.comments {
            let created = self.tick(60);
            self.add_comment(Comment {
                id: Uuid::new_v4(),
                post: id,
                author: author(self, &name),
                parent: None,
                body,
                client: None,
                score: 0,
                created,
                updated: created,
                versions: Vec::new(),
                deleted: false,
            });
        }
    }
}

/// Returns `sandbox-agent`, `sandbox-agent-2`, …
fn own_name(at: usize) -> String {
    match at {
        0 => "sandbox-agent".to_owned(),
        _ => format!("sandbox-agent-{}", at + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_something_to_read() {
        let (world, account) = World::seeded(&[], Duration::from_secs(60), String::new());
        assert_eq!(world.live_posts().count(), 30);
        assert!(world.posts.iter().all(|post| post.colony.is_some() && !post.author.is_nil()));
        assert!(world.comments.iter().all(|comment| !comment.author.is_nil()));
        assert!(world.posts.is_sorted_by_key(|post| post.created));
        let hour_ago = Timestamp::now().saturating_sub(1.hours()).unwrap();
        assert!(world.posts.iter().all(|post| post.created < hour_ago));
        assert_eq!(world.names.get(&account.username), world.keys.get(&account.api_key));
    }
}
