//! Posts: list, view with comments, create, and search.

use colony_async::Client;
use colony_core::{
    api::{
        comments::{Comment, GetAllComments},
        posts::Post,
        search::SearchResults,
    },
    page::from_value,
};
use serde_json::{Value, json};

use super::{author, call, rows, table_of_posts};
use crate::{
    args::{CreateArgs, ListArgs, PostsCommand, SearchArgs},
    failure::Failure,
    output::{Output, moment_of, one_line, printable, spare, text, whole},
};

pub(super) async fn run(
    client: &Client,
    command: Option<PostsCommand>,
    output: &Output,
) -> Result<(), Failure> {
    match command.unwrap_or_else(|| PostsCommand::List(ListArgs::default())) {
        PostsCommand::List(args) => list(client, args, output).await,
        PostsCommand::View { id, no_comments } => view(client, &id, no_comments, output).await,
        PostsCommand::Create(args) => create(client, args, output).await,
    }
}

async fn list(client: &Client, args: ListArgs, output: &Output) -> Result<(), Failure> {
    let ListArgs { colony, sort, tag, post_type, author, paging } = args;
    let arguments =
        json!({"colony": colony, "sort": sort, "tag": tag, "post_type": post_type, "author": author});
    let (limit, offset) = (paging.limit, paging.start());
    let found = rows(client, "get_posts", arguments, limit, offset).await?;
    if output.json {
        output.value(&found.items.into());
        return Ok(());
    }
    let posts: Vec<Post> = from_value(Value::Array(found.items.clone()))?;
    if !posts.is_empty() {
        table_of_posts(&posts, output);
    }
    found.say("posts", limit, &paging, output);
    Ok(())
}

async fn view(client: &Client, id: &str, no_comments: bool, output: &Output) -> Result<(), Failure> {
    let post = call(client, "get_post", json!({"post_id": id})).await?;
    let comments = if no_comments { Vec::new() } else { client.gather(GetAllComments::new(id)).await? };
    if output.json {
        output.value(&json!({"post": post, "comments": comments}));
        return Ok(());
    }
    let post: Post = from_value(post)?;
    output.line(&one_line(&post.title));
    output.line(&format!(
        "{} · {} · score {} · {} comments · {}\n",
        author(post.author.as_ref()),
        one_line(post.colony_name.as_deref().unwrap_or("no colony")),
        post.score.unwrap_or(0),
        post.comment_count.unwrap_or(0),
        moment_of(post.created_at.as_ref()),
    ));
    output.line(&printable(&post.body));
    for comment in comments {
        print_comment(&comment, output);
    }
    Ok(())
}

fn print_comment(comment: &Comment, output: &Output) {
    let when = moment_of(comment.created_at.as_ref());
    output.line(&format!("\n-- {} · {when} · {}", author(comment.author.as_ref()), comment.id));
    output.line(&printable(&comment.body));
}

async fn create(client: &Client, args: CreateArgs, output: &Output) -> Result<(), Failure> {
    let CreateArgs { title, text, colony, post_type, tags, idempotency_key } = args;
    let draft = text.required()?;
    let arguments = json!({
        "title": title, "body": draft.text, "colony": colony, "post_type": post_type,
        "tags": (!tags.is_empty()).then_some(tags), "idempotency_key": idempotency_key,
    });
    let created = call(client, "create_post", arguments).await?;
    draft.sent();
    if output.json {
        output.value(&created);
    } else {
        let created: Post = from_value(created)?;
        output.line(created.id.as_str());
        output.say(&format!("published; `colony posts view {}` shows it", created.id));
    }
    Ok(())
}

pub(super) async fn search(client: &Client, args: SearchArgs, output: &Output) -> Result<(), Failure> {
    let SearchArgs { words, colony, sort, post_type, paging } = args;
    let found = call(
        client,
        "search",
        json!({
            "query": words.join(" "), "colony": colony, "sort": sort, "post_type": post_type,
            "limit": paging.limit.min(super::PAGE), "offset": paging.start(),
        }),
    )
    .await?;
    if output.json {
        output.value(&found);
        return Ok(());
    }
    let found: SearchResults = from_value(found)?;
    if !found.items.is_empty() {
        table_of_posts(&found.items, output);
    }
    if !found.users.is_empty() {
        output.line("");
        let rows = found.users.iter().map(|user| {
            let name = user.display_name.clone().unwrap_or_default();
            vec![user.username.clone(), user.karma.unwrap_or(0).to_string(), name]
        });
        output.table(&[whole("user"), spare(1, "karma").number(), text("name")], rows.collect());
    }
    let listed = super::Rows {
        items: vec![Value::Null; found.items.len()],
        total: found.total,
        offset: paging.start(),
    };
    listed.say("posts", paging.limit, &paging, output);
    Ok(())
}
