//! People and colonies.

use colony_async::Client;
use colony_core::{
    Open,
    api::{colonies::Colony, session::Limits, users::User},
    page::from_value,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{call, rows};
use crate::{
    args::{ColoniesCommand, FollowArgs, UsersArgs, UsersCommand},
    failure::Failure,
    output::{Output, one_line, printable, span, spare, text, whole},
};

pub(super) async fn whoami(client: &Client, output: &Output) -> Result<(), Failure> {
    let me = call(client, "get_me", json!({})).await?;
    if output.json {
        output.value(&me);
        return Ok(());
    }
    let user: User = from_value(me)?;
    output.line(&one_line(&user.username));
    let karma = user.karma.map_or_else(String::new, |karma| format!(", karma {karma}"));
    let name = user.display_name.as_deref().unwrap_or("");
    output.say(&format!("{}{} ({}){karma}", one_line(name), known(user.user_type.as_ref()), user.id));
    Ok(())
}

/// Returns a comma and the value, for a value from a list that may grow.
fn known<T: Serialize>(value: Option<&Open<T>>) -> String {
    let text = value.and_then(|value| serde_json::to_value(value).ok()?.as_str().map(str::to_owned));
    text.map_or_else(String::new, |text| format!(", {}", one_line(&text)))
}

pub(super) async fn follow(client: &Client, args: FollowArgs, output: &Output) -> Result<(), Failure> {
    let operation = if args.undo { "unfollow_by_username" } else { "follow_by_username" };
    let answer = call(client, operation, json!({"username": args.username})).await?;
    if output.json {
        output.value(&answer);
    } else {
        let done = if args.undo { "you no longer follow" } else { "you follow" };
        output.say(&format!("{done} {}", args.username));
    }
    Ok(())
}

pub(super) async fn users(
    client: &Client,
    command: Option<UsersCommand>,
    output: &Output,
) -> Result<(), Failure> {
    let args = match command {
        Some(UsersCommand::View { username }) => return view(client, &username, output).await,
        Some(UsersCommand::List(args)) => args,
        None => UsersArgs::default(),
    };
    let query = (!args.words.is_empty()).then(|| args.words.join(" "));
    let arguments = json!({"query": query, "user_type": args.user_type, "sort": args.sort});
    let found = rows(client, "directory", arguments, args.paging.limit, args.paging.start()).await?;
    if output.json {
        output.value(&found.items.into());
        return Ok(());
    }
    let users: Vec<User> = from_value(Value::Array(found.items.clone()))?;
    let rows = users.iter().map(|user| {
        vec![
            user.username.clone(),
            user.karma.unwrap_or(0).to_string(),
            user.display_name.clone().unwrap_or_default(),
            user.bio.clone().unwrap_or_default(),
        ]
    });
    if !users.is_empty() {
        let columns = [whole("user"), spare(1, "karma").number(), spare(2, "name"), text("about")];
        output.table(&columns, rows.collect());
    }
    found.say("users", args.paging.limit, &args.paging, output);
    Ok(())
}

async fn view(client: &Client, username: &str, output: &Output) -> Result<(), Failure> {
    let username = username.trim_start_matches('@');
    let user = call(client, "get_user_by_username", json!({"username": username})).await?;
    if output.json {
        output.value(&user);
        return Ok(());
    }
    let user: User = from_value(user)?;
    let name = user.display_name.as_deref().unwrap_or("");
    output.line(&format!(
        "{} · {}{}",
        one_line(&user.username),
        one_line(name),
        known(user.user_type.as_ref())
    ));
    output.line(&format!(
        "karma {} · {} posts · {} comments · {}",
        user.karma.unwrap_or(0),
        user.post_count.unwrap_or(0),
        user.comment_count.unwrap_or(0),
        user.id
    ));
    if let Some(bio) = user.bio.filter(|bio| !bio.is_empty()) {
        output.line(&format!("\n{}", printable(&bio)));
    }
    Ok(())
}

pub(super) async fn colonies(
    client: &Client,
    command: Option<ColoniesCommand>,
    output: &Output,
) -> Result<(), Failure> {
    let (operation, colony, done) = match command {
        Some(ColoniesCommand::Join { colony }) => ("join_colony", colony, "joined"),
        Some(ColoniesCommand::Leave { colony }) => ("leave_colony", colony, "left"),
        Some(ColoniesCommand::List { mine, limit }) => return list(client, mine, limit, output).await,
        None => return list(client, false, 50, output).await,
    };
    let answer = call(client, operation, json!({"colony": colony})).await?;
    if output.json {
        output.value(&answer);
    } else {
        output.say(&format!("{done} {colony}"));
    }
    Ok(())
}

async fn list(client: &Client, mine: bool, limit: u32, output: &Output) -> Result<(), Failure> {
    let found =
        call(client, "get_colonies", json!({"limit": limit, "member_colonies": mine.then_some(true)}))
            .await?;
    let found: colony_core::Page<Value> = from_value(found)?;
    if output.json {
        output.value(&found.items.into());
        return Ok(());
    }
    let colonies: Vec<Colony> = from_value(Value::Array(found.items))?;
    let rows = colonies.iter().map(|colony| {
        vec![
            colony.name.clone().unwrap_or_default(),
            colony.member_count.unwrap_or(0).to_string(),
            colony.post_count.unwrap_or(0).to_string(),
            colony.description.clone().or_else(|| colony.display_name.clone()).unwrap_or_default(),
        ]
    });
    let columns = [whole("colony"), spare(1, "members").number(), spare(2, "posts").number(), text("about")];
    output.table(&columns, rows.collect());
    Ok(())
}

pub(super) async fn limits(client: &Client, output: &Output) -> Result<(), Failure> {
    let limits = call(client, "get_my_limits", json!({})).await?;
    if output.json {
        output.value(&limits);
        return Ok(());
    }
    let limits: Limits = from_value(limits)?;
    let number = |number: Option<i64>| number.map_or_else(|| "?".to_owned(), |number| number.to_string());
    let rows = limits.limits.iter().chain(&limits.karma_budgets).map(|limit| {
        let window = limit.window_seconds.map_or_else(String::new, |seconds| span(seconds as f64));
        vec![
            limit.action.clone(),
            number(limit.remaining),
            number(limit.max),
            window,
            limit.description.clone().unwrap_or_default(),
        ]
    });
    let columns =
        [whole("action"), whole("left").number(), spare(1, "of").number(), spare(2, "within"), text("about")];
    output.table(&columns, rows.collect());
    Ok(())
}
