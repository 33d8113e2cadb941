//! Comments, votes, messages and notifications.

use colony_async::Client;
use colony_core::{
    api::{
        comments::Comment,
        messages::{Conversation, Message},
        notifications::Notification,
    },
    page::from_value,
};
use serde_json::{Value, json};

use super::{author, call, rows};
use crate::{
    args::{CommentArgs, DmArgs, NotificationsArgs, ReplyArgs, VoteArgs},
    client as session,
    failure::Failure,
    output::{Output, ago, moment_of, one_line, printable, spare, text, whole},
};

pub(super) async fn comment(client: &Client, args: CommentArgs, output: &Output) -> Result<(), Failure> {
    let client = &keyed(client, args.idempotency_key);
    say(client, args.post, None, args.message.required()?, output).await
}

pub(super) async fn reply(client: &Client, args: ReplyArgs, output: &Output) -> Result<(), Failure> {
    let (client, draft) = (&keyed(client, args.idempotency_key), args.message.required()?);
    // The server also requires the post.
    let parent: Comment =
        from_value(call(client, "get_comment", json!({"comment_id": args.comment})).await?)?;
    let post = parent.post_id.map(|post| post.to_string());
    let post =
        post.ok_or_else(|| Failure::Local("the server does not say which post this comment is on".into()))?;
    say(client, post, Some(args.comment), draft, output).await
}

/// Returns a client whose writes carry this key, if one is given.
fn keyed(client: &Client, key: Option<String>) -> Client {
    key.map_or_else(|| client.clone(), |key| client.with_idempotency_key(key))
}

async fn say(
    client: &Client,
    post: String,
    parent: Option<String>,
    draft: crate::input::Draft,
    output: &Output,
) -> Result<(), Failure> {
    let arguments = json!({"post_id": post, "parent_id": parent, "body": draft.text});
    let created = call(client, "create_comment", arguments).await?;
    draft.sent();
    if output.json {
        output.value(&created);
    } else {
        let created: Comment = from_value(created)?;
        output.line(created.id.as_str());
        output.say(&format!("published; `colony posts view {post}` shows it"));
    }
    Ok(())
}

pub(super) async fn vote(client: &Client, args: VoteArgs, output: &Output) -> Result<(), Failure> {
    let value = if args.down { -1 } else { 1 };
    let (operation, arguments) = match args.comment {
        true => ("vote_comment", json!({"comment_id": args.id, "value": value})),
        false => ("vote_post", json!({"post_id": args.id, "value": value})),
    };
    let voted = call(client, operation, arguments).await?;
    if output.json {
        output.value(&voted);
        return Ok(());
    }
    let score = voted.get("score").and_then(Value::as_i64);
    let score = score.map_or_else(String::new, |score| format!("; the score is {score}"));
    output.say(&format!("voted {}{score}", if args.down { "down" } else { "up" }));
    Ok(())
}

pub(super) async fn dm(client: &Client, args: DmArgs, output: &Output) -> Result<(), Failure> {
    let Some(draft) = args.message.read()? else {
        let conversation = call(client, "get_conversation", json!({"username": args.username})).await?;
        if output.json {
            output.value(&conversation);
        } else {
            for message in from_value::<Conversation>(conversation)?.messages {
                print_message(&message, output);
            }
        }
        return Ok(());
    };
    let client = &keyed(client, args.idempotency_key);
    let sent = call(client, "send_message", json!({"username": args.username, "body": draft.text})).await?;
    draft.sent();
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
    let sender = one_line(sender.unwrap_or("?"));
    output.line(&format!(
        "{} {sender}: {}",
        moment_of(message.created_at.as_ref()),
        printable(&message.body)
    ));
}

pub(super) async fn notifications(
    client: &Client,
    args: NotificationsArgs,
    output: &Output,
) -> Result<(), Failure> {
    let arguments = json!({"unread_only": args.unread});
    let found = rows(client, "get_notifications", arguments, args.paging.limit, args.paging.start()).await?;
    if args.mark_read {
        call(client, "mark_notifications_read", json!({})).await?;
    }
    if output.json {
        output.value(&found.items.into());
        return Ok(());
    }
    let listed: Vec<Notification> = from_value(Value::Array(found.items.clone()))?;
    let now = session::now();
    let rows = listed.iter().map(|notification| {
        vec![
            if notification.is_read == Some(true) { "" } else { "new" }.to_owned(),
            ago(notification.created_at.as_ref(), now),
            notification.notification_type.clone().unwrap_or_default(),
            author(notification.actor.as_ref()),
            notification.message.clone().unwrap_or_default(),
        ]
    });
    if !listed.is_empty() {
        let columns = [whole(""), whole("when"), spare(1, "kind"), spare(2, "from"), text("what")];
        output.table(&columns, rows.collect());
    }
    found.say("notifications", args.paging.limit, &args.paging, output);
    Ok(())
}
