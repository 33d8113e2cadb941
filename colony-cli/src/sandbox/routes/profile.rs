//! The caller's own profile, and its parts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::world::{Comment, PROFILE, Post, level, over, random_text, time};
use super::rows::{Row, Rows};
use super::{Answer, Call, Reply, Route, World, account, delete, get, post, put};

pub(super) const ROUTES: &[Route] = &[
    get("/users/me", me),
    get("/agents/me", me),
    get("/profile", me),
    put("/users/me", update),
    get("/users/me/stats", stats),
    get("/users/me/status", status),
    put("/users/me/status", set_status),
    put("/users/me/username", rename),
    post("/users/me/pin-post/{post_id}", pin),
    delete("/users/me/pin-post", unpin),
    get("/users/me/muted-words", words),
    post("/users/me/muted-words", mute_word),
    delete("/users/me/muted-words/{word_id}", unmute_word),
    post("/users/me/link-lightning", link_lightning),
    get("/users/me/link-lightning/poll", poll_lightning),
    get("/me/onboarding", onboarding),
    get("/me/probation", probation),
];

fn me(world: &mut World, call: &Call<'_>) -> Answer {
    Ok(Reply::ok(&world.user_json(call.me()?)))
}

/// Sets the fields in the body; `null` clears one.
fn update(world: &mut World, call: &Call<'_>) -> Answer {
    let fields = call.fields()?;
    let display_name = call.text_opt("display_name", 1, 100)?;
    call.text_opt("bio", 0, 1000)?;
    for (name, length) in [
        ("lightning_address", 255),
        ("nostr_pubkey", 64),
        ("evm_address", 42),
        ("current_model", 100),
        ("harness", 100),
    ] {
        call.text_opt(name, 0, length)?;
    }
    let user = world.user_mut(call.me()?)?;
    user.display_name = display_name.unwrap_or_else(|| std::mem::take(&mut user.display_name));
    for name in PROFILE {
        if let Some(value) = fields.get(name) {
            user.profile.insert(name.to_owned(), value.clone());
        }
    }
    me(world, call)
}

/// Returns the date of a time, such as `2026-11-26`.
fn day(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}

fn stats(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, now) = (call.me()?, world.now());
    let mut posts: Vec<&Post> = world.live_posts().filter(|row| row.author == me).collect();
    let comments: Vec<&Comment> = world.live_comments().filter(|row| row.author == me).collect();
    let recent = |at: Timestamp| !over(at, now, 30 * 24 * 60);
    let mut days: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    posts
        .iter()
        .filter(|row| recent(row.created))
        .for_each(|row| days.entry(day(row.created)).or_default().0 += 1);
    comments
        .iter()
        .filter(|row| recent(row.created))
        .for_each(|row| days.entry(day(row.created)).or_default().1 += 1);
    let mut tags: BTreeMap<&str, u64> = BTreeMap::new();
    let mut types: BTreeMap<&str, u64> = BTreeMap::new();
    let mut colonies: BTreeMap<&str, (&str, u64)> = BTreeMap::new();
    for row in &posts {
        row.tags.iter().for_each(|tag| *tags.entry(tag).or_default() += 1);
        *types.entry(&row.post_type).or_default() += 1;
        if let Some(colony) = world.colony(row.colony) {
            colonies.entry(&colony.name).or_insert((&colony.display_name, 0)).1 += 1;
        }
    }
    let authored: BTreeSet<Uuid> =
        posts.iter().map(|row| row.id).chain(comments.iter().map(|row| row.id)).collect();
    let split = |mine: &dyn Fn(Uuid, Uuid) -> bool| {
        let rows = world.votes.iter().filter(|((target, voter), _)| mine(*target, *voter));
        let (up, down): (Vec<i64>, Vec<i64>) = rows.map(|(_, vote)| vote.0).partition(|&value| value > 0);
        json!({"up": up.len(), "down": down.len()})
    };
    let total_comments: u64 = posts.iter().map(|row| row.comment_count).sum();
    let (post_count, streak) = (posts.len(), u64::from(!days.is_empty()));
    posts.sort_by_key(|row| -row.score);
    Ok(Reply::ok(&json!({
        "user_id": me,
        "username": world.username(me),
        "karma": world.karma(me),
        "trust_level": level(world.karma(me)).0,
        "days_on_platform": now.duration_since(world.user(me)?.created).as_hours() / 24,
        "posts": post_count,
        "comments": comments.len(),
        "avg_comments_per_post": total_comments as f64 / post_count.max(1) as f64,
        "votes_given": split(&|_, voter| voter == me),
        "votes_received": split(&|target, _| authored.contains(&target)),
        "top_posts": posts.iter().take(5).map(|row| json!({
            "id": row.id,
            "title": row.title,
            "score": row.score,
            "comment_count": row.comment_count,
            "colony_name": world.colony_name(row.colony),
            "colony": world.colony_name(row.colony),
        })).collect::<Vec<_>>(),
        "top_tags": tags.iter().map(|(tag, count)| json!({"tag": tag, "count": count})).collect::<Vec<_>>(),
        "post_type_breakdown": types.iter().map(|(kind, count)| {
            json!({"post_type": kind, "type": kind, "count": count})
        }).collect::<Vec<_>>(),
        "top_colonies": colonies.iter().map(|(name, (display_name, count))| {
            json!({"name": name, "display_name": display_name, "count": count})
        }).collect::<Vec<_>>(),
        "activity_30d": {
            "posts": days.values().map(|row| row.0).sum::<u64>(),
            "comments": days.values().map(|row| row.1).sum::<u64>(),
            "active_days": days.len(),
            "daily": days.iter().map(|(day, (posts, comments))| {
                json!({"date": day, "posts": posts, "comments": comments})
            }).collect::<Vec<_>>(),
        },
        "followers": world.follows.iter().filter(|row| row.followed == me).count(),
        "following": world.follows.iter().filter(|row| row.follower == me).count(),
        "current_streak": streak,
        "longest_streak": streak,
    })))
}

fn status(world: &mut World, call: &Call<'_>) -> Answer {
    let user = world.user(call.me()?)?;
    Ok(Reply::ok(&json!({
        "presence_status": user.presence_status, "custom_status_text": user.custom_status,
    })))
}

/// Sets the status. The parameters come in the query; older clients send a body. An empty text clears a field.
fn set_status(world: &mut World, call: &Call<'_>) -> Answer {
    let given = |name: &str| {
        let in_query = call.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let in_body = || match call.fields().ok()?.get(name)? {
            Value::String(text) => Some(text.clone()),
            _ => Some(String::new()),
        };
        in_query.or_else(in_body)
    };
    let (presence, custom) = (given("presence_status"), given("custom_status_text"));
    if presence
        .as_ref()
        .is_some_and(|word| !["available", "away", "dnd", "custom", ""].contains(&word.as_str()))
    {
        return Err(Reply::bad_input("presence_status is available, away, dnd or custom"));
    }
    if custom.as_ref().is_some_and(|text| text.chars().count() > 100) {
        return Err(Reply::bad_input("custom_status_text has at most 100 characters"));
    }
    let user = world.user_mut(call.me()?)?;
    let kept = |text: String| Some(text).filter(|text| !text.is_empty());
    if let Some(word) = presence {
        user.presence_status = kept(word);
    }
    if let Some(text) = custom {
        user.custom_status = kept(text);
    }
    status(world, call)
}

/// Renames the account, once in thirty days.
fn rename(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, wanted, now) = (call.me()?, call.text("username", 3, 50)?, world.now());
    let name = account::valid_username(&wanted).map_err(Reply::bad_input)?;
    if world.user(me)?.renamed.is_some_and(|at| !over(at, now, 30 * 24 * 60)) {
        let message = "A username can be changed once in 30 days";
        return Err(Reply::error(429, "RATE_LIMITED", message).with_header("retry-after", "2592000"));
    }
    if world.names.contains_key(&name) {
        return Err(Reply::conflict("This username is taken"));
    }
    let user = world.user_mut(me)?;
    let old = std::mem::replace(&mut user.username, name.clone());
    user.renamed = Some(now);
    world.names.remove(&old);
    world.names.insert(name.clone(), me);
    Ok(Reply::ok(&json!({"old_username": old, "new_username": name, "changed_at": time(now)})))
}

/// The post that an account pinned to its profile.
#[derive(Default)]
struct Pins(HashMap<Uuid, Uuid>);

fn pin(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, post) = (call.me()?, world.post(call.id("post_id")?)?);
    if post.author != me {
        return Err(Reply::forbidden("FORBIDDEN", "This post is not yours"));
    }
    let id = post.id;
    world.own.of::<Pins>().0.insert(me, id);
    Ok(Reply::ok(&json!({"pinned_post_id": id})))
}

fn unpin(world: &mut World, call: &Call<'_>) -> Answer {
    world.own.of::<Pins>().0.remove(&call.me()?);
    Ok(Reply::ok(&json!({"pinned_post_id": null})))
}

#[derive(Default)]
struct Words(Rows<String>);

fn word_json(row: &Row<String>) -> Value {
    json!({"id": row.id, "word": row.it, "created_at": time(row.created)})
}

fn words(world: &mut World, call: &Call<'_>) -> Answer {
    let rows = world.own.of::<Words>().0.of(call.me()?);
    Ok(Reply::ok(&rows.into_iter().map(word_json).collect::<Vec<_>>()))
}

fn mute_word(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, now) = (call.me()?, world.now());
    let word = call.query_text("word", 1, 100)?.to_lowercase();
    let words = &mut world.own.of::<Words>().0;
    words.room(me, 50, "muted words")?;
    if words.of(me).iter().any(|row| row.it == word) {
        return Err(Reply::conflict("This word is muted already"));
    }
    Ok(Reply::created(&word_json(words.add(me, now, word))))
}

fn unmute_word(world: &mut World, call: &Call<'_>) -> Answer {
    world.own.of::<Words>().0.delete(call.me()?, call.id("word_id")?, "Muted word")?;
    Ok(Reply::no_content())
}

/// Returns a challenge for a wallet. There are no wallets here, so none is ever linked.
fn link_lightning(world: &mut World, _: &Call<'_>) -> Answer {
    let k1: String = random_text().bytes().map(|byte| format!("{byte:02x}")).take(32).collect();
    Ok(Reply::ok(&json!({
        "k1": k1,
        "lnurl": format!("lnurl1sandbox{}", &k1[..20]),
        "callback": format!("{}/auth/lnurl?k1={k1}", world.site),
        "poll_url": format!("{}{}/users/me/link-lightning/poll?k1={k1}", world.site, super::super::API_PATH),
    })))
}

fn poll_lightning(_: &mut World, call: &Call<'_>) -> Answer {
    call.query_text("k1", 1, 200)?;
    Ok(Reply::ok(&json!({"status": "pending", "linked": false})))
}

fn onboarding(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let has_bio = world.user(me)?.profile.get("bio").is_some_and(|bio| !bio.is_null());
    let posted = world.live_posts().any(|post| post.author == me);
    let commented = world.live_comments().any(|comment| comment.author == me);
    let steps: Vec<Value> = [
        ("complete_profile", "Say who you are", "Write a bio", has_bio),
        ("first_comment", "Join a discussion", "Comment on a post", commented),
        ("first_post", "Introduce yourself", "Publish a post", posted),
    ]
    .map(|(id, title, description, completed)| {
        json!({
            "id": id, "title": title, "description": description, "karma": 1, "completed": completed,
            "example": null,
        })
    })
    .to_vec();
    let done = steps.iter().filter(|step| step["completed"] == true).count();
    let next = steps.iter().find(|step| step["completed"] == false).cloned();
    Ok(Reply::ok(&json!({
        "complete": next.is_none(),
        "completed_count": done,
        "total": steps.len(),
        "karma_awarded": 0,
        "next": next,
        "steps": steps,
    })))
}

/// Returns no probation: nothing is held for review here.
fn probation(_: &mut World, _: &Call<'_>) -> Answer {
    Ok(Reply::ok(&json!({"on_probation": false, "reason": null, "ends_at": null})))
}
