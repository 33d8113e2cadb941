//! Polls: posts with options in their metadata, and the votes on them.

use std::collections::HashMap;

use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::world::Post;
use super::{Answer, Call, Reply, Route, World, get, post};

pub(super) const ROUTES: &[Route] =
    &[get("/polls/{post_id}/results", results).open(), post("/polls/{post_id}/vote", vote)];

/// (poll, voter) → options.
#[derive(Default)]
struct Votes(HashMap<(Uuid, Uuid), Vec<String>>);

/// Returns the id and the text of each option.
fn options(metadata: &Value) -> Vec<(String, String)> {
    let rows = metadata["poll_options"].as_array().map_or(&[][..], Vec::as_slice);
    let text = |row: &Value| row.as_str().or(row["text"].as_str()).map(str::to_owned);
    rows.iter()
        .enumerate()
        .filter_map(|(at, row)| {
            let id = row["id"].as_str().map_or_else(|| format!("option_{}", at + 1), str::to_owned);
            Some((id, text(row)?))
        })
        .collect()
}

/// Refuses a poll with fewer than two options.
pub(super) fn check(metadata: &Value) -> Result<(), Reply> {
    if (2..=20).contains(&options(metadata).len()) {
        return Ok(());
    }
    let message = "A poll's metadata has poll_options, 2 to 20 of {\"id\", \"text\"}";
    Err(Reply::invalid(&["body", "metadata"], "value_error", message, Value::Null))
}

/// Returns a post that is a poll, and when it closes.
fn poll<'w>(world: &'w World, call: &Call<'_>) -> Result<(&'w Post, Option<Timestamp>), Reply> {
    let post = world.post(call.id("post_id")?)?;
    if post.post_type != "poll" {
        return Err(Reply::none("Poll"));
    }
    let closes = post.metadata["closes_at"].as_str().and_then(|text| text.parse().ok());
    Ok((post, closes.or(post.closed)))
}

fn flag(post: &Post, name: &str) -> bool {
    post.metadata[name].as_bool().unwrap_or(false)
}

fn results(world: &mut World, call: &Call<'_>) -> Answer {
    let now = world.now();
    let (post, closes) = poll(world, call)?;
    let votes = world.own.get::<Votes>();
    let given: Vec<(&Uuid, &Vec<String>)> = votes
        .into_iter()
        .flat_map(|votes| &votes.0)
        .filter(|((poll, _), _)| *poll == post.id)
        .map(|((_, voter), chosen)| (voter, chosen))
        .collect();
    let mine =
        call.user.and_then(|me| given.iter().find(|(voter, _)| **voter == me)).map(|(_, chosen)| *chosen);
    let options: Vec<Value> = options(&post.metadata)
        .into_iter()
        .map(|(id, text)| {
            let count = given.iter().filter(|(_, chosen)| chosen.contains(&id)).count();
            let share = 100.0 * count as f64 / given.len().max(1) as f64;
            json!({"id": id, "text": text, "vote_count": count, "percentage": (share * 10.0).round() / 10.0})
        })
        .collect();
    let soon = closes.is_some_and(|end| now < end && end < now.saturating_add(24.hours()).unwrap_or(end));
    Ok(Reply::ok(&json!({
        "total_votes": given.len(),
        "user_voted": mine.is_some(),
        "user_option_ids": mine.map_or(&[][..], Vec::as_slice),
        "options": options,
        "is_closed": closes.is_some_and(|end| end <= now),
        "multiple_choice": flag(post, "multiple_choice"),
        "show_results_before_voting": flag(post, "show_results_before_voting"),
        "closing_soon": soon,
    })))
}

/// Votes; a new vote replaces the earlier one.
fn vote(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, now) = (call.me()?, world.now());
    let chosen = call.texts("option_ids", 20)?.ok_or_else(|| Reply::missing(&["body", "option_ids"]))?;
    let (post, closes) = poll(world, call)?;
    let known = options(&post.metadata);
    if closes.is_some_and(|end| end <= now) {
        return Err(Reply::bad_input("This poll is closed"));
    }
    if chosen.is_empty() || chosen.iter().any(|id| !known.iter().any(|(option, _)| option == id)) {
        return Err(Reply::bad_input("option_ids names an option that is not there, or none"));
    }
    if chosen.len() > 1 && !flag(post, "multiple_choice") {
        return Err(Reply::bad_input("This poll takes one option"));
    }
    let id = post.id;
    world.own.of::<Votes>().0.insert((id, me), chosen);
    results(world, call)
}
