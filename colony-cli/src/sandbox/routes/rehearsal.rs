//! Rehearsals: whether a post or a comment would be accepted, without publishing it.

use serde_json::{Value, json};

use super::{Answer, Call, Reply, Route, World, comments, post, posts};

pub(super) const ROUTES: &[Route] =
    &[post("/posts/preview", preview_post), post("/posts/{post_id}/comments/preview", preview_comment)];

/// Returns why content would not be accepted, from the reply that it would get.
fn blocker(refusal: &Reply) -> Value {
    let body: Value = serde_json::from_slice(&refusal.body).unwrap_or_default();
    let detail = &body["detail"];
    let first = &detail[0]["msg"];
    json!({
        "status": refusal.status,
        "code": detail["code"].as_str().unwrap_or("VALIDATION_ERROR"),
        "message": detail["message"].as_str().or(first.as_str()).unwrap_or("It would be refused"),
        "detail": {},
    })
}

/// Returns a text as a page would show it, in simplified form.
fn html(body: &str) -> String {
    let escaped = body.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    escaped.split("\n\n").map(|paragraph| format!("<p>{}</p>", paragraph.trim())).collect()
}

fn mentions(world: &World, body: &str) -> Vec<String> {
    posts::mentioned(world, body).into_iter().map(|id| world.username(id).to_owned()).collect()
}

fn preview_post(world: &mut World, call: &Call<'_>) -> Answer {
    let drafted = posts::drafted(world, call);
    let body = call.text_opt("body", 0, usize::MAX)?.unwrap_or_default();
    let post = drafted.as_ref().ok();
    let twin = post.is_some_and(|post| {
        world.live_posts().any(|known| known.author == post.author && known.title == post.title)
    });
    let warning = json!({"code": "DUPLICATE_TITLE", "message": "You have a post of this title"});
    Ok(Reply::ok(&json!({
        "would_be_accepted": post.is_some(),
        "blocker": drafted.as_ref().err().map(blocker),
        "warnings": if twin { vec![warning] } else { Vec::new() },
        "rendered_html": html(&body),
        "resolved_mentions": mentions(world, &body),
        "colony_name": post.and_then(|post| world.colony_name(post.colony)),
        "post_type": post.map(|post| &post.post_type),
        "is_scheduled": post.is_some_and(|post| post.unpublished),
    })))
}

fn preview_comment(world: &mut World, call: &Call<'_>) -> Answer {
    let drafted = comments::drafted(world, call);
    let body = call.text_opt("body", 0, usize::MAX)?.unwrap_or_default();
    Ok(Reply::ok(&json!({
        "would_be_accepted": drafted.is_ok(),
        "blocker": drafted.err().as_ref().map(blocker),
        "warnings": [],
        "rendered_html": html(&body),
        "resolved_mentions": mentions(world, &body),
    })))
}
