//! Votes, reactions and awards.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::world::{About, EMOJI, To, time};
use super::{Answer, Call, Reply, Route, World, get, post};

pub(super) const ROUTES: &[Route] = &[
    post("/posts/{post_id}/vote", vote_post),
    post("/comments/{comment_id}/vote", vote_comment),
    get("/posts/{post_id}/votes", post_votes),
    get("/comments/{comment_id}/votes", comment_votes),
    post("/reactions/toggle", toggle),
    get("/reactions/who", who).open(),
    post("/posts/{post_id}/award", award_post),
    post("/comments/{comment_id}/award", award_comment),
    get("/posts/{post_id}/awards", awards).open(),
];

fn value(call: &Call<'_>) -> Result<i64, Reply> {
    let value = call.field("value")?.ok_or_else(|| Reply::missing(&["body", "value"]))?;
    match value.as_i64() {
        Some(value @ (1 | -1)) => Ok(value),
        Some(_) => Err(Reply::error(400, "VOTE_INVALID_VALUE", "A vote is 1 or -1")),
        None => {
            let message = "Input should be a valid integer";
            Err(Reply::invalid(&["body", "value"], "int_type", message, value.clone()))
        }
    }
}

/// Sets the caller's vote. Returns the change of the score.
fn cast(world: &mut World, me: Uuid, target: Uuid, author: Uuid, value: i64) -> Result<i64, Reply> {
    if me == author {
        return Err(Reply::error(400, "VOTE_SELF_VOTE", "You cannot vote on your own content"));
    }
    let now = world.now();
    let before = world.votes.insert((target, me), (value, now)).map_or(0, |vote| vote.0);
    world.add_karma(author, value - before);
    Ok(value - before)
}

fn result(score: i64, change: i64) -> Reply {
    Reply::ok(&json!({
        "new_score": score,
        "karma_conferred": change != 0,
        "karma_reason": if change == 0 { "unchanged" } else { "conferred" },
    }))
}

fn vote_post(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, value) = (call.me()?, value(call)?);
    let post = world.post(call.id("post_id")?)?;
    let (id, author) = (post.id, post.author);
    let change = cast(world, me, id, author, value)?;
    let post = world.post_mut(id)?;
    post.score += change;
    Ok(result(post.score, change))
}

fn vote_comment(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, value) = (call.me()?, value(call)?);
    let comment = world.comment(call.id("comment_id")?)?;
    let (id, author) = (comment.id, comment.author);
    let change = cast(world, me, id, author, value)?;
    let comment = world.comment_mut(id)?;
    comment.score += change;
    Ok(result(comment.score, change))
}

/// Returns who voted, for the site's team.
fn votes(world: &World, me: Uuid, target: Uuid, score: i64) -> Answer {
    if !world.is_team(me) {
        return Err(Reply::forbidden("FORBIDDEN", "Only admins may see who voted"));
    }
    let mut rows: Vec<(Uuid, i64, Timestamp)> = world
        .votes
        .iter()
        .filter(|((voted, _), _)| *voted == target)
        .map(|(&(_, voter), &(value, at))| (voter, value, at))
        .collect();
    rows.sort_by_key(|row| row.2);
    let count = |wanted| rows.iter().filter(|row| row.1 == wanted).count();
    let votes: Vec<Value> = rows
        .iter()
        .map(|&(voter, value, at)| {
            let id = Uuid::from_u128(target.as_u128() ^ voter.as_u128());
            json!({"id": id, "voter": world.person_json(voter), "value": value, "created_at": time(at)})
        })
        .collect();
    Ok(Reply::ok(&json!({"votes": votes, "score": score, "upvotes": count(1), "downvotes": count(-1)})))
}

fn post_votes(world: &mut World, call: &Call<'_>) -> Answer {
    let post = world.post(call.id("post_id")?)?;
    votes(world, call.me()?, post.id, post.score)
}

fn comment_votes(world: &mut World, call: &Call<'_>) -> Answer {
    let comment = world.comment(call.id("comment_id")?)?;
    votes(world, call.me()?, comment.id, comment.score)
}

fn known_emoji(emoji: &str, loc: &[&str]) -> Result<(), Reply> {
    if EMOJI.iter().any(|(name, _)| *name == emoji) {
        return Ok(());
    }
    let names: Vec<&str> = EMOJI.iter().map(|(name, _)| *name).collect();
    let message = format!("Input should be one of: {}", names.join(", "));
    Err(Reply::invalid(loc, "enum", message, emoji.into()))
}

/// Returns the target of a reaction, its author, and the text of a notification about it.
fn target(
    world: &World,
    post: Option<Uuid>,
    comment: Option<Uuid>,
) -> Result<(Uuid, Uuid, About, &'static str), Reply> {
    match (post, comment) {
        (Some(id), None) => Ok((id, world.post(id)?.author, About::post(id), "reacted to your post")),
        (None, Some(id)) => {
            let comment = world.comment(id)?;
            Ok((id, comment.author, About::comment(comment.post, id), "reacted to your comment"))
        }
        _ => Err(Reply::bad_input("Give post_id or comment_id, exactly one")),
    }
}

fn toggle(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let emoji = call.text("emoji", 1, 30)?;
    known_emoji(&emoji, &["body", "emoji"])?;
    let (post, comment) = (call.body_id("post_id")?, call.body_id("comment_id")?);
    let (id, author, about, what) = target(world, post, comment)?;
    let given = world.reactions.entry(id).or_default();
    let mine = (emoji.clone(), me);
    match given.iter().position(|known| *known == mine) {
        Some(at) => {
            given.remove(at);
        }
        None => {
            given.push(mine);
            world.notify(author, me, "reaction", what, about);
            let name = world.username(me).to_owned();
            let fields = json!({
                "reactor": name, "emoji": emoji, "post_id": about.post, "comment_id": about.comment,
            });
            world.emit(To::Everyone, "reaction_added", fields);
            let fields = json!({
                "post_id": about.post, "comment_id": about.comment, "emoji": emoji, "reactor": name,
                "reactor_id": me, "is_comment": comment.is_some(),
            });
            world.emit(To::User(author), "post_reaction", fields);
        }
    }
    Ok(Reply::ok(&json!({"reactions": world.reactions_json(id, Some(me))})))
}

/// Returns at most twenty users, newest first.
fn who(world: &mut World, call: &Call<'_>) -> Answer {
    let emoji = call.query("emoji").unwrap_or_default();
    known_emoji(emoji, &["query", "emoji"])?;
    let (id, ..) = target(world, call.query_id("post_id")?, call.query_id("comment_id")?)?;
    let given = world.reactions.get(&id).map_or(&[][..], Vec::as_slice);
    let users: Vec<Value> = given
        .iter()
        .rev()
        .filter(|(name, _)| name == emoji)
        .take(20)
        .map(|&(_, user)| world.person_json(user))
        .collect();
    Ok(Reply::ok(&json!({"emoji": emoji, "users": users})))
}

/// Awards by post or comment.
#[derive(Default)]
struct Awards(HashMap<Uuid, Vec<Award>>);

struct Award {
    id: Uuid,
    kind: &'static AwardKind,
    giver: Uuid,
    created: Timestamp,
}

struct AwardKind {
    name: &'static str,
    label: &'static str,
    icon: &'static str,
    cost: i64,
    reward: i64,
}

const AWARDS: [AwardKind; 3] = [
    AwardKind { name: "insightful", label: "Insightful", icon: "💡", cost: 5, reward: 3 },
    AwardKind { name: "outstanding", label: "Outstanding", icon: "🏅", cost: 15, reward: 10 },
    AwardKind { name: "legendary", label: "Legendary", icon: "🏆", cost: 40, reward: 25 },
];

fn award(world: &mut World, call: &Call<'_>, target: Uuid, author: Uuid, about: About) -> Answer {
    let me = call.me()?;
    let names = AWARDS.each_ref().map(|kind| kind.name);
    call.query_text("award_type", 1, 30)?;
    let wanted = call.query_choice("award_type", &names, "")?;
    let Some(kind) = AWARDS.iter().find(|kind| kind.name == wanted) else {
        return Err(Reply::missing(&["query", "award_type"]));
    };
    if me == author {
        return Err(Reply::bad_input("You cannot give an award to yourself"));
    }
    if world.karma(me) < kind.cost {
        return Err(Reply::forbidden("KARMA_TOO_LOW", format!("This award costs {} karma", kind.cost)));
    }
    world.add_karma(me, -kind.cost);
    world.add_karma(author, kind.reward);
    let created = world.now();
    let award = Award { id: Uuid::new_v4(), kind, giver: me, created };
    world.own.of::<Awards>().0.entry(target).or_default().push(award);
    world.notify(author, me, "award", "gave you an award", about);
    let post = about.post.unwrap_or_default();
    let mut fields = json!({
        "post_id": post, "post_title": world.title(post), "award_label": kind.label, "award_icon": kind.icon,
        "karma_reward": kind.reward, "giver": world.username(me), "giver_id": me,
    });
    if let Some(comment) = about.comment {
        fields["comment_id"] = json!(comment);
    }
    world.emit(To::User(author), "award_received", fields);
    Ok(Reply::created(&json!({
        "status": "awarded",
        "award_type": kind.name,
        "cost": kind.cost,
        "author_reward": kind.reward,
        "your_remaining_karma": world.karma(me),
    })))
}

fn award_post(world: &mut World, call: &Call<'_>) -> Answer {
    let post = world.post(call.id("post_id")?)?;
    let (id, author) = (post.id, post.author);
    award(world, call, id, author, About::post(id))
}

fn award_comment(world: &mut World, call: &Call<'_>) -> Answer {
    let comment = world.comment(call.id("comment_id")?)?;
    let (id, author, about) = (comment.id, comment.author, About::comment(comment.post, comment.id));
    award(world, call, id, author, about)
}

fn awards(world: &mut World, call: &Call<'_>) -> Answer {
    let id = world.post(call.id("post_id")?)?.id;
    let rows = world.own.get::<Awards>().and_then(|awards| awards.0.get(&id));
    let rows = rows.map_or(&[][..], Vec::as_slice);
    let mut summary: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows {
        *summary.entry(row.kind.name).or_default() += 1;
    }
    let awards: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "id": row.id,
                "award_type": row.kind.name,
                "icon": row.kind.icon,
                "label": row.kind.label,
                "giver": world.person_json(row.giver),
                "created_at": time(row.created),
            })
        })
        .collect();
    Ok(Reply::ok(&json!({"total": awards.len(), "awards": awards, "summary": summary})))
}
