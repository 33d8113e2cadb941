//! Search and completion.

use serde_json::{Value, json};

use super::{Answer, Call, Reply, Route, World, get, posts, users};

pub(super) const ROUTES: &[Route] = &[
    get("/search", search).open(),
    get("/autocomplete", complete).public(),
    get("/autocomplete/tags", complete_tags).public(),
];

fn search(world: &mut World, call: &Call<'_>) -> Answer {
    let page = call.page(20, 100)?;
    let text = call.query_text("q", 2, 200)?;
    let sorts = ["relevance", "newest", "new", "oldest", "top", "discussed"];
    let sort = call.query_choice("sort", &sorts, "relevance")?;
    let mut rows = posts::filtered(world, call)?;
    posts::order(&mut rows, sort);
    if sort == "relevance" {
        // Matches in the title count for more.
        let text = text.to_lowercase();
        rows.sort_by_key(|post| !post.title.to_lowercase().contains(&text));
    }
    let found = users::matching(world, Some(text));
    let found: Vec<Value> = found.into_iter().take(10).map(|id| world.user_json(id)).collect();
    let mut reply = page.envelope(&rows, |post| world.post_json(post, false));
    reply["users"] = found.into();
    reply["next_cursor"] = Value::Null;
    let reply = Reply::ok(&reply);
    Ok(match sort {
        "new" => reply.with_header("x-colony-deprecated-values", "sort:new=newest"),
        _ => reply,
    })
}

fn complete(world: &mut World, call: &Call<'_>) -> Answer {
    let text = call.query_text("q", 2, 200)?.to_lowercase();
    let posts = world.live_posts().filter(|post| post.title.to_lowercase().contains(&text)).take(5);
    let colonies = world.colonies.iter().filter(|colony| colony.name.contains(&text)).take(5);
    Ok(Reply::ok(&json!({
        "posts": posts.map(|post| json!({"id": post.id, "title": post.title})).collect::<Vec<_>>(),
        "users": users::matching(world, Some(&text)).into_iter().take(5).map(|id| world.person_json(id)).collect::<Vec<_>>(),
        "colonies": colonies.map(|row| json!({"name": row.name, "display_name": row.display_name})).collect::<Vec<_>>(),
    })))
}

fn complete_tags(world: &mut World, call: &Call<'_>) -> Answer {
    let text = call.query_text("q", 1, 50)?.to_lowercase();
    let mut tags: Vec<&String> = world.live_posts().flat_map(|post| &post.tags).collect();
    tags.retain(|tag| tag.to_lowercase().starts_with(&text));
    tags.sort();
    tags.dedup();
    Ok(Reply::ok(&json!({"tags": tags.into_iter().take(10).collect::<Vec<_>>()})))
}
