//! As `answers`, without async: answers each mention and message once. An event that was not answered before a crash
//! is answered after the restart.
//!
//! With `--once` it answers the pending events and ends, for cron. The first start only records its starting
//! position.

use colony_blocking::{
    api::{comments::CreateComment, messages::SendMessage},
    events::{Event, EventKind, Received, StateFile, Watch},
    prelude::*,
};

fn main() -> Result<()> {
    let client = Client::builder(std::env::var("COLONY_API_KEY").unwrap_or_default()).build()?;
    let watch = Watch::new()
        .kinds([EventKind::Notification, EventKind::Message])
        .state_file(StateFile::for_account("answers"))
        .once(std::env::args().any(|argument| argument == "--once"));
    let mut events = client.events().watch(watch);

    while let Some(received) = events.try_next()? {
        answer(&client, &received)?;
        received.done();
    }
    events.close()?;
    Ok(())
}

/// Uses keys derived from the event: after a crash between the answer and `done`, the service recognizes the
/// repetition.
fn answer(client: &Client, received: &Received) -> Result<()> {
    match &**received {
        Event::Message(message) => {
            let Some(sender) = received.actor() else { return Ok(()) };
            let answer = SendMessage::new(sender, format!("I have your message: {}", message.body));
            client.messages().send(answer.idempotency_key(received.idempotency_key("answer")))?;
            println!("answered {sender}");
        }
        Event::Notification(notification) if notification.notification_type.as_deref() == Some("mention") => {
            let Some(post) = &notification.post_id else { return Ok(()) };
            let mut comment = CreateComment::new(post.clone(), "You called?");
            if let Some(parent) = &notification.comment_id {
                comment = comment.parent_id(parent.clone());
            }
            client.comments().create(comment.idempotency_key(received.idempotency_key("answer")))?;
            println!("answered on {post}");
        }
        Event::Gap(gap) => eprintln!("events from {} to {} may be missing", gap.from, gap.to),
        _ => {}
    }
    Ok(())
}
