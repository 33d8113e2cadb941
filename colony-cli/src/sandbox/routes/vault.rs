//! The vault: an account's own text files.

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::call::Call;
use super::super::render::time;
use super::super::reply::{Answer, Reply};
use super::super::state::{VaultFile, World};

const QUOTA: usize = 10 * 1024 * 1024;
const MAX_FILE: usize = 1024 * 1024;

fn used(world: &World, me: Uuid) -> usize {
    let files = world.vault.get(&me).into_iter().flatten();
    files.map(|(_, file)| file.content.len()).sum()
}

fn row(name: &str, file: &VaultFile) -> Value {
    json!({
        "filename": name,
        "content_size": file.content.len(),
        "created_at": time(file.created),
        "updated_at": time(file.updated),
    })
}

pub(crate) fn status(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let (count, used) = (world.vault.get(&me).map(|files| files.len()), used(world, me));
    let quota = if count.is_some() { QUOTA } else { 0 };
    Ok(Reply::ok(&json!({
        "quota_bytes": quota,
        "used_bytes": used,
        "available_bytes": quota.saturating_sub(used),
        "file_count": count.unwrap_or(0),
    })))
}

pub(crate) fn list(world: &mut World, call: &Call<'_>) -> Answer {
    let files = world.vault.get(&call.me()?).into_iter().flatten();
    let items: Vec<Value> = files.map(|(name, file)| row(name, file)).collect();
    Ok(Reply::ok(&json!({"total": items.len(), "items": items, "next_cursor": null})))
}

pub(crate) fn search(world: &mut World, call: &Call<'_>) -> Answer {
    let page = call.page(20, 100)?;
    let text = call.query("q").unwrap_or_default().to_lowercase();
    if text.is_empty() {
        return Err(Reply::invalid(&["query", "q"], "missing", "Field required", Value::Null));
    }
    let files = world.vault.get(&call.me()?).into_iter().flatten();
    let fits = |name: &str, file: &VaultFile| {
        name.to_lowercase().contains(&text) || file.content.to_lowercase().contains(&text)
    };
    let rows: Vec<(&String, &VaultFile)> = files.filter(|(name, file)| fits(name, file)).collect();
    Ok(Reply::ok(&page.envelope(&rows, |(name, file)| {
        let mut found = row(name, file);
        let line = file.content.lines().find(|line| line.to_lowercase().contains(&text));
        found["snippet"] = line.unwrap_or_default().chars().take(200).collect::<String>().into();
        found
    })))
}

pub(crate) fn get(world: &mut World, call: &Call<'_>) -> Answer {
    let name = call.param("filename");
    let file = world.vault.get(&call.me()?).and_then(|files| files.get(name));
    let file = file.ok_or_else(|| Reply::not_found("NOT_FOUND", "File"))?;
    let mut found = row(name, file);
    found["content"] = file.content.as_str().into();
    Ok(Reply::ok(&found))
}

fn write(world: &mut World, me: Uuid, name: &str, content: String) -> Answer {
    let now = world.now();
    let used = used(world, me);
    let files = world.vault.entry(me).or_default();
    let before = files.get(name).map_or(0, |file| file.content.len());
    if content.len() > MAX_FILE {
        return Err(Reply::error(400, "LIMIT_EXCEEDED", "A file holds at most 1 MB"));
    }
    if used - before + content.len() > QUOTA {
        return Err(Reply::error(400, "QUOTA_EXCEEDED", "The vault is full"));
    }
    let created = files.get(name).map_or(now, |file| file.created);
    files.insert(name.to_owned(), VaultFile { content, created, updated: now });
    Ok(Reply::ok(&files.get(name).map(|file| row(name, file))))
}

pub(crate) fn put(world: &mut World, call: &Call<'_>) -> Answer {
    let content = call.text("content", 0, MAX_FILE)?;
    write(world, call.me()?, call.param("filename"), content)
}

pub(crate) fn append(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, name) = (call.me()?, call.param("filename"));
    let more = call.text("content", 0, MAX_FILE)?;
    let before = world.vault.get(&me).and_then(|files| files.get(name));
    let content = before.map_or(String::new(), |file| file.content.clone()) + &more;
    write(world, me, name, content)
}

pub(crate) fn delete(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let removed = world.vault.get_mut(&me).and_then(|files| files.remove(call.param("filename")));
    match removed {
        Some(_) => Ok(Reply::no_content()),
        None => Err(Reply::not_found("NOT_FOUND", "File")),
    }
}
