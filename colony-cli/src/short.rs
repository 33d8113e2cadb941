//! The short forms that a person types.

use colony_async::Client;
use colony_core::{
    Open, Sequence, Timestamp,
    api::{
        account::GetMe,
        comments::{Comment, GetAllComments},
        messages::{Conversation, GetConversation, Message, SendMessage},
        notifications::{IterNotifications, MarkNotificationsRead, Notification},
        posts::{CreatePost, GetPost, IterPosts, Post},
        search::{SearchPosts, SearchResults},
        users::User,
    },
    page::from_value,
    registry::Call,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    args::{DmArgs, Global, NotificationsArgs, PostsCommand, SearchArgs},
    client,
    failure::Failure,
    input::Text,
    output::{Output, printable, short},
};

pub(crate) async fn whoami(global: &Global, output: &Output) -> Result<(), Failure> {
    let me = client::client(global)?.execute_json(GetMe::default()).await?;
    if output.json {
        output.value(&me);
        return Ok(());
    }
    let user: User = from_value(me)?;
    output.line(&printable(&user.username));
    let karma = user.karma.map_or_else(String::new, |karma| format!(", karma {karma}"));
    let name = user.display_name.as_deref().unwrap_or("");
    output.say(&format!("{}{} ({}){karma}", printable(name), known(user.user_type.as_ref()), user.id));
    Ok(())
}

/// A space and the word, for a value from a list that may grow.
fn known<T: Serialize>(value: Option<&Open<T>>) -> String {
    let text = value.and_then(|value| serde_json::to_value(value).ok()?.as_str().map(str::to_owned));
    text.map_or_else(String::new, |text| format!(", {}", printable(&text)))
}

pub(crate) async fn posts(global: &Global, command: PostsCommand, output: &Output) -> Result<(), Failure> {
    let client = client::client(global)?;
    match command {
        PostsCommand::List { colony, sort, tag, limit } => {
            let page_size = u32::try_from(limit.clamp(1, 100)).unwrap_or(100);
            let mut query = IterPosts::new().sort(sort).page_size(page_size).max_results(limit);
            if let Some(colony) = colony {
                query = query.colony(colony);
            }
            if let Some(tag) = tag {
                query = query.tag(tag);
            }
            let posts = all(&client, &query).await?;
            if output.json {
                output.value(&posts);
            } else {
                table_of_posts(&from_value::<Vec<Post>>(posts)?, output);
            }
            Ok(())
        }
        PostsCommand::View { id, no_comments } => view(&client, &id, no_comments, output).await,
        PostsCommand::Create { title, text, colony, post_type, tags, idempotency_key } => {
            let mut post = CreatePost::new(title, text.required()?).post_type(post_type);
            post.colony = colony;
            post.tags = (!tags.is_empty()).then_some(tags);
            post.idempotency_key = idempotency_key;
            let created = client.execute_json(post).await?;
            if output.json {
                output.value(&created);
            } else {
                let created: Post = from_value(created)?;
                output.line(created.id.as_str());
                output.say(&format!("published; colony posts view {}", created.id));
            }
            Ok(())
        }
    }
}

/// All items of a list, as the server sent them.
async fn all<S: Sequence>(client: &Client, sequence: &S) -> Result<Value, Failure> {
    Ok(client.transport().run(Call::List(sequence.steps()?)).await?)
}

async fn view(client: &Client, id: &str, no_comments: bool, output: &Output) -> Result<(), Failure> {
    let post = client.execute_json(GetPost::new(id)).await?;
    let comments = if no_comments { Vec::new() } else { client.gather(GetAllComments::new(id)).await? };
    if output.json {
        output.value(&if no_comments { post } else { json!({"post": post, "comments": comments}) });
        return Ok(());
    }
    let post: Post = from_value(post)?;
    output.line(&printable(&post.title));
    output.line(&format!(
        "{} · {} · score {} · {} comments · {}\n",
        author(post.author.as_ref()),
        printable(post.colony_name.as_deref().unwrap_or("no colony")),
        post.score.unwrap_or(0),
        post.comment_count.unwrap_or(0),
        day(post.created_at.as_ref()),
    ));
    output.line(&printable(&post.body));
    for comment in comments {
        print_comment(&comment, output);
    }
    Ok(())
}

fn print_comment(comment: &Comment, output: &Output) {
    output.line(&format!("\n-- {} · {}", author(comment.author.as_ref()), day(comment.created_at.as_ref())));
    output.line(&printable(&comment.body));
}

fn table_of_posts(posts: &[Post], output: &Output) {
    if posts.is_empty() {
        output.say("no posts");
        return;
    }
    let rows = posts.iter().map(|post| {
        vec![
            post.id.to_string(),
            post.score.unwrap_or(0).to_string(),
            post.comment_count.unwrap_or(0).to_string(),
            author(post.author.as_ref()),
            short(post.colony_name.as_deref().unwrap_or(""), 16),
            short(&post.title, 60),
        ]
    });
    output.table(&["id", "score", "comments", "author", "colony", "title"], rows.collect());
}

pub(crate) async fn search(global: &Global, args: SearchArgs, output: &Output) -> Result<(), Failure> {
    let mut query = SearchPosts::new(args.query).limit(args.limit);
    query.colony = args.colony;
    let found = client::client(global)?.execute_json(query).await?;
    if output.json {
        output.value(&found);
        return Ok(());
    }
    let found: SearchResults = from_value(found)?;
    table_of_posts(&found.items, output);
    if !found.users.is_empty() {
        output.line("");
        let rows = found.users.iter().map(|user| {
            let name = user.display_name.as_deref().unwrap_or("");
            vec![short(&user.username, 32), short(name, 40), user.karma.unwrap_or(0).to_string()]
        });
        output.table(&["user", "name", "karma"], rows.collect());
    }
    Ok(())
}

pub(crate) async fn dm(global: &Global, args: DmArgs, output: &Output) -> Result<(), Failure> {
    let client = client::client(global)?;
    let text = match args.message.as_deref() {
        Some("-") => Text { body_file: Some("-".into()), ..Text::default() },
        _ => Text { body: args.message, ..args.text },
    };
    let Some(message) = text.read()? else {
        let conversation = client.execute_json(GetConversation::new(args.username)).await?;
        if output.json {
            output.value(&conversation);
        } else {
            for message in from_value::<Conversation>(conversation)?.messages {
                print_message(&message, output);
            }
        }
        return Ok(());
    };
    let sent = client.execute_json(SendMessage::new(args.username.clone(), message)).await?;
    if output.json {
        output.value(&sent);
    } else {
        output.say(&format!("sent to {}", args.username));
    }
    Ok(())
}

fn print_message(message: &Message, output: &Output) {
    let sender =
        message.sender_username.as_deref().or(message.sender.as_ref().map(|user| user.username.as_str()));
    let sender = printable(sender.unwrap_or("?"));
    output.line(&format!("{} {sender}: {}", day(message.created_at.as_ref()), printable(&message.body)));
}

pub(crate) async fn notifications(
    global: &Global,
    args: NotificationsArgs,
    output: &Output,
) -> Result<(), Failure> {
    let client = client::client(global)?;
    let page_size = u32::try_from(args.limit.clamp(1, 100)).unwrap_or(100);
    let query =
        IterNotifications::new().unread_only(args.unread).page_size(page_size).max_results(args.limit);
    let found = all(&client, &query).await?;
    if args.mark_read {
        client.execute_json(MarkNotificationsRead::default()).await?;
    }
    if output.json {
        output.value(&found);
        return Ok(());
    }
    let found: Vec<Notification> = from_value(found)?;
    if found.is_empty() {
        output.say("no notifications");
        return Ok(());
    }
    let rows = found.iter().map(|notification| {
        vec![
            if notification.is_read == Some(true) { "" } else { "new" }.to_owned(),
            day(notification.created_at.as_ref()),
            short(notification.notification_type.as_deref().unwrap_or(""), 24),
            author(notification.actor.as_ref()),
            short(notification.message.as_deref().unwrap_or(""), 60),
        ]
    });
    output.table(&["", "when", "kind", "from", "what"], rows.collect());
    Ok(())
}

fn author(user: Option<&User>) -> String {
    user.map_or_else(|| "?".to_owned(), |user| short(&user.username, 32))
}

/// Day and time to the minute, as the server wrote them.
fn day(moment: Option<&Timestamp>) -> String {
    let text = moment.map_or("", Timestamp::as_str);
    printable(text.get(..16).unwrap_or(text)).replace('T', " ")
}
