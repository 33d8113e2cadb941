//! The short commands for interactive use.

mod posts;
mod social;
mod talk;

use colony_async::Client;
use colony_core::{
    api::{posts::Post, users::User},
    page::from_value,
    registry,
};
use serde_json::{Map, Value};

use crate::{
    args::{Global, ShortCommand},
    client,
    failure::Failure,
    output::{Output, ago, one_line, spare, text, whole},
};

pub(crate) async fn run(global: &Global, command: ShortCommand, output: &Output) -> Result<(), Failure> {
    let client = client::client(global)?;
    match command {
        ShortCommand::Whoami => social::whoami(&client, output).await,
        ShortCommand::Posts { command } => posts::run(&client, command, output).await,
        ShortCommand::Search(args) => posts::search(&client, args, output).await,
        ShortCommand::Comment(args) => talk::comment(&client, args, output).await,
        ShortCommand::Reply(args) => talk::reply(&client, args, output).await,
        ShortCommand::Vote(args) => talk::vote(&client, args, output).await,
        ShortCommand::Follow(args) => social::follow(&client, args, output).await,
        ShortCommand::Users { command } => social::users(&client, command, output).await,
        ShortCommand::Colonies { command } => social::colonies(&client, command, output).await,
        ShortCommand::Dm(args) => talk::dm(&client, args, output).await,
        ShortCommand::Notifications(args) => talk::notifications(&client, args, output).await,
        ShortCommand::Limits => social::limits(&client, output).await,
    }
}

/// Calls an operation by name. Null arguments are left out.
async fn call(client: &Client, name: &str, arguments: Value) -> Result<Value, Failure> {
    let operation =
        registry::find(name).ok_or_else(|| Failure::Local(format!("this build has no operation {name}")))?;
    let arguments: Map<String, Value> = match arguments {
        Value::Object(fields) => fields.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Map::new(),
    };
    Ok(client.transport().run(operation.prepare(arguments.into())?).await?)
}

/// The rows of a list, and the total count.
struct Rows {
    items: Vec<Value>,
    total: Option<u64>,
    /// The offset of the first row.
    offset: u32,
}

/// The most rows that the service returns per request.
const PAGE: u32 = 100;

/// Returns `limit` rows of a list that is paged by offset, over several requests if necessary.
async fn rows(
    client: &Client,
    name: &str,
    arguments: Value,
    limit: u32,
    offset: u32,
) -> Result<Rows, Failure> {
    let mut rows = Rows { items: Vec::new(), total: None, offset };
    loop {
        let have = u32::try_from(rows.items.len()).unwrap_or(u32::MAX);
        let wanted = limit.saturating_sub(have).min(PAGE);
        let mut arguments = arguments.clone();
        arguments["limit"] = wanted.into();
        arguments["offset"] = offset.saturating_add(have).into();
        let page: colony_core::Page<Value> = from_value(call(client, name, arguments).await?)?;
        rows.total = page.total.or(rows.total);
        let got = page.items.len();
        rows.items.extend(page.items);
        let is_full = got >= wanted as usize && page.has_more != Some(false);
        if rows.items.len() >= limit as usize || !is_full {
            return Ok(rows);
        }
    }
}

impl Rows {
    /// Reports which rows these are, and how to get the next ones.
    fn say(&self, what: &str, limit: u32, paging: &crate::args::Paging, output: &Output) {
        let (first, last) = (u64::from(self.offset) + 1, u64::from(self.offset) + self.items.len() as u64);
        if self.items.is_empty() {
            output.say(&match self.total {
                Some(total) if total > 0 => format!("no {what} here; there are {total}"),
                _ => format!("no {what}"),
            });
            return;
        }
        let is_more = self.total.map_or(self.items.len() >= limit as usize, |total| last < total);
        let total = self.total.map_or_else(String::new, |total| format!(" of {total}"));
        let next = match (is_more, paging.offset) {
            (false, _) => String::new(),
            (true, Some(_)) => format!("; the next ones: --offset {last}"),
            (true, None) => format!("; the next ones: --page {}", paging.page + 1),
        };
        output.say(&format!("{what} {first} to {last}{total}{next}"));
    }
}

fn table_of_posts(posts: &[Post], output: &Output) {
    let now = client::now();
    let rows = posts.iter().map(|post| {
        vec![
            post.id.to_string(),
            ago(post.created_at.as_ref(), now),
            post.score.unwrap_or(0).to_string(),
            post.comment_count.unwrap_or(0).to_string(),
            author(post.author.as_ref()),
            post.colony_name.clone().unwrap_or_default(),
            post.title.clone(),
        ]
    });
    let columns = [
        whole("id"),
        spare(1, "when"),
        spare(3, "score").number(),
        spare(4, "comments").number(),
        spare(2, "author"),
        spare(5, "colony"),
        text("title"),
    ];
    output.table(&columns, rows.collect());
}

fn author(user: Option<&User>) -> String {
    user.map_or_else(|| "?".to_owned(), |user| one_line(&user.username))
}
