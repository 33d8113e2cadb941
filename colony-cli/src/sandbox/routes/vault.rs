//! The vault: an account's own text files.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::super::world::{excerpt, time};
use super::{Answer, Call, Reply, Route, World, delete, get, post, put};

pub(super) const ROUTES: &[Route] = &[
    get("/vault/status", status),
    get("/vault/files", list),
    get("/vault/search", search),
    get("/vault/folders", folders),
    get("/vault/activity", activity),
    get("/vault/export", export),
    get("/vault/files/{filename}", read),
    put("/vault/files/{filename}", write),
    post("/vault/files/{filename}/append", append),
    post("/vault/files/{filename}/copy", copy),
    post("/vault/files/{filename}/move", rename),
    delete("/vault/files/{filename}", remove),
];

const QUOTA: usize = 10 * 1024 * 1024;
const MAX_FILE: usize = 1024 * 1024;

type Files = BTreeMap<String, File>;

/// The files of each account, by name.
#[derive(Default)]
struct Vaults(HashMap<Uuid, Files>);

#[derive(Clone)]
struct File {
    content: String,
    created: Timestamp,
    updated: Timestamp,
}

impl File {
    fn etag(&self) -> String {
        let digest = Sha256::digest(&self.content);
        format!("\"{}\"", digest[..16].iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    }
}

fn mine<'w>(world: &'w mut World, call: &Call<'_>) -> Result<&'w mut Files, Reply> {
    Ok(world.own.of::<Vaults>().0.entry(call.me()?).or_default())
}

fn used(files: &Files) -> usize {
    files.values().map(|file| file.content.len()).sum()
}

fn row(name: &str, file: &File) -> Value {
    json!({
        "filename": name,
        "content_size": file.content.len(),
        "created_at": time(file.created),
        "updated_at": time(file.updated),
    })
}

fn no_file() -> Reply {
    Reply::none("File")
}

/// Returns the vault's status. The quota is zero before the first file.
fn status(world: &mut World, call: &Call<'_>) -> Answer {
    let files = mine(world, call)?;
    let (quota, used) = (if files.is_empty() { 0 } else { QUOTA }, used(files));
    Ok(Reply::ok(&json!({
        "quota_bytes": quota,
        "used_bytes": used,
        "available_bytes": quota.saturating_sub(used),
        "file_count": files.len(),
    })))
}

/// Returns the files whose names have the prefix in the query.
fn chosen<'f>(files: &'f Files, call: &Call<'_>) -> Vec<(&'f String, &'f File)> {
    let prefix = call.query("prefix").unwrap_or_default();
    files.iter().filter(|(name, _)| name.starts_with(prefix)).collect()
}

fn list(world: &mut World, call: &Call<'_>) -> Answer {
    let rows = chosen(mine(world, call)?, call);
    let items: Vec<Value> = rows.into_iter().map(|(name, file)| row(name, file)).collect();
    Ok(Reply::ok(&json!({"total": items.len(), "items": items, "has_more": false})))
}

fn search(world: &mut World, call: &Call<'_>) -> Answer {
    let page = call.page(20, 100)?;
    let text = call.query_text("q", 1, usize::MAX)?.to_lowercase();
    let fits = |name: &str, file: &File| {
        name.to_lowercase().contains(&text) || file.content.to_lowercase().contains(&text)
    };
    let rows: Vec<(&String, &File)> =
        mine(world, call)?.iter().filter(|(name, file)| fits(name, file)).collect();
    let items: Vec<Value> = page
        .cut(&rows)
        .0
        .iter()
        .map(|(name, file)| {
            let mut found = row(name, file);
            let line = file.content.lines().find(|line| line.to_lowercase().contains(&text));
            found["snippet"] = excerpt(line.unwrap_or_default(), 200).into();
            found
        })
        .collect();
    Ok(Reply::ok(&json!({"items": items, "total": rows.len()})))
}

/// Returns the folders: the parts of the names before the last `/`.
fn folders(world: &mut World, call: &Call<'_>) -> Answer {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for name in mine(world, call)?.keys() {
        let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
        *counts.entry(folder).or_default() += 1;
    }
    let items: Vec<Value> =
        counts.iter().map(|(folder, count)| json!({"folder": folder, "file_count": count})).collect();
    Ok(Reply::ok(&json!({"total": items.len(), "items": items})))
}

/// Returns no activity: operators do not touch a vault here.
fn activity(_: &mut World, _: &Call<'_>) -> Answer {
    Ok(Reply::ok(&json!({"items": [], "total": 0})))
}

fn export(world: &mut World, call: &Call<'_>) -> Answer {
    let rows = chosen(mine(world, call)?, call);
    Ok(Reply::bytes(200, "application/zip", zip(&rows))
        .with_header("content-disposition", "attachment; filename=\"vault.zip\""))
}

/// Returns a ZIP archive without compression (APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16).
fn zip(files: &[(&String, &File)]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, file) in files {
        let start = archive.len() as u32;
        let (name, content) = (name.as_bytes(), file.content.as_bytes());
        // Version 2.0, names in UTF-8, stored, 1 January 1980, checksum, the size twice, length of the name.
        let mut common = Vec::new();
        for number in [20u16, 1 << 11, 0, 0, 33] {
            common.extend(number.to_le_bytes());
        }
        for number in [crc32(content), content.len() as u32, content.len() as u32] {
            common.extend(number.to_le_bytes());
        }
        common.extend((name.len() as u16).to_le_bytes());
        archive.extend(b"PK\x03\x04");
        archive.extend(&common);
        archive.extend(0u16.to_le_bytes());
        archive.extend(name);
        archive.extend(content);
        directory.extend(b"PK\x01\x02");
        directory.extend(20u16.to_le_bytes());
        directory.extend(&common);
        directory.extend([0; 12]);
        directory.extend(start.to_le_bytes());
        directory.extend(name);
    }
    let (start, size, count) = (archive.len() as u32, directory.len() as u32, files.len() as u16);
    archive.extend(directory);
    archive.extend(b"PK\x05\x06");
    for number in [0, 0, count, count] {
        archive.extend(number.to_le_bytes());
    }
    archive.extend(size.to_le_bytes());
    archive.extend(start.to_le_bytes());
    archive.extend(0u16.to_le_bytes());
    archive
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

fn read(world: &mut World, call: &Call<'_>) -> Answer {
    let name = call.param("filename");
    let file = mine(world, call)?.get(name).ok_or_else(no_file)?;
    let (mut found, etag) = (row(name, file), file.etag());
    found["content"] = file.content.as_str().into();
    found["etag"] = etag.as_str().into();
    Ok(Reply::ok(&found).with_header("etag", etag))
}

/// Refuses a write whose conditions the current file does not meet (RFC 9110 section 13.1).
fn conditions(call: &Call<'_>, present: Option<&File>) -> Result<(), Reply> {
    let etag = present.map(File::etag);
    let names = |header: &str| match header.trim() {
        "*" => present.is_some(),
        list => list.split(',').any(|one| Some(one.trim()) == etag.as_deref()),
    };
    let met = call.header("if-match").is_none_or(names) && !call.header("if-none-match").is_some_and(names);
    if met {
        return Ok(());
    }
    Err(Reply::error(412, "PRECONDITION_FAILED", "The file is not as the condition says"))
}

/// Stores a file. Returns its new metadata.
fn store(world: &mut World, call: &Call<'_>, name: &str, content: String) -> Answer {
    let now = world.now();
    let files = mine(world, call)?;
    let before = files.get(name);
    if name.split('/').any(|part| part.is_empty() || part == "." || part == "..") || name.len() > 255 {
        return Err(Reply::bad_input("This is no name for a file"));
    }
    if content.len() > MAX_FILE {
        return Err(Reply::error(400, "LIMIT_EXCEEDED", "A file holds at most 1 MB"));
    }
    if used(files) - before.map_or(0, |file| file.content.len()) + content.len() > QUOTA {
        return Err(Reply::error(400, "QUOTA_EXCEEDED", "The vault is full"));
    }
    let created = before.map_or(now, |file| file.created);
    let file = File { content, created, updated: now };
    let reply = Reply::ok(&row(name, &file)).with_header("etag", file.etag());
    files.insert(name.to_owned(), file);
    Ok(reply)
}

fn write(world: &mut World, call: &Call<'_>) -> Answer {
    let (name, content) = (call.param("filename"), call.text("content", 0, 1_100_000)?);
    conditions(call, mine(world, call)?.get(name))?;
    store(world, call, name, content)
}

fn append(world: &mut World, call: &Call<'_>) -> Answer {
    let (name, more) = (call.param("filename"), call.text("content", 0, 1_100_000)?);
    let before = mine(world, call)?.get(name).map_or(String::new(), |file| file.content.clone());
    store(world, call, name, before + &more)
}

/// Writes a file under a second name.
fn copy(world: &mut World, call: &Call<'_>) -> Answer {
    let (name, destination) = (call.param("filename"), call.text("destination", 1, 255)?);
    let overwrite = call.flag("overwrite")?.unwrap_or(false);
    let files = mine(world, call)?;
    let content = files.get(name).ok_or_else(no_file)?.content.clone();
    if name == destination {
        return Err(Reply::bad_input("The destination is the file itself"));
    }
    if !overwrite && files.contains_key(&destination) {
        return Err(Reply::conflict("There is a file of this name"));
    }
    store(world, call, &destination, content)
}

fn rename(world: &mut World, call: &Call<'_>) -> Answer {
    let reply = copy(world, call)?;
    mine(world, call)?.remove(call.param("filename"));
    Ok(reply)
}

fn remove(world: &mut World, call: &Call<'_>) -> Answer {
    mine(world, call)?.remove(call.param("filename")).ok_or_else(no_file)?;
    Ok(Reply::no_content())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksum_of_the_usual_example() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn an_archive_has_its_files() {
        let file = File {
            content: "one\n".to_owned(),
            created: Timestamp::UNIX_EPOCH,
            updated: Timestamp::UNIX_EPOCH,
        };
        let name = "a/b.md".to_owned();
        let archive = zip(&[(&name, &file)]);
        // Header and name, content, directory entry and name, end.
        assert_eq!(archive.len(), 30 + 6 + 4 + 46 + 6 + 22);
        assert_eq!(&archive[36..40], b"one\n");
    }
}
