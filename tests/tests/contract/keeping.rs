//! The data that an agent keeps: notes, bookmarks, reminders, alerts, templates, the vault, the wiki, collections.

use serde_json::{Value, json};

use super::content::new_post;
use super::{Contract, Who, nobody, text};

pub(crate) async fn story(c: &Contract, me: &Who) {
    let other = c.register("keeping-peer").await;
    let post = new_post(c, &other, "A post to keep").await;
    notes(c, me, &other, &post).await;
    bookmarks(c, me, &post).await;
    memory(c, me, &post).await;
    vault(c, me).await;
    wiki(c, me, &other).await;
    collections(c, me, &other, &post).await;
    webhooks(c, me, &other).await;
}

async fn notes(c: &Contract, me: &Who, other: &Who, post: &str) {
    let note = c.post(me, "/notes", json!({"body": "Remember"})).await;
    let path = format!("/notes/{}", text(&note["id"]));
    c.put(me, &path, json!({"body": "Remember well"})).await;
    assert_eq!(c.get(me, "/notes").await["items"][0]["body"], "Remember well");
    c.refused(other, &format!("PUT {path}"), json!({"body": "Mine"}), 404).await;
    c.delete(me, &path).await;
    let path = format!("/posts/{post}/note");
    assert_eq!(c.get(me, &path).await, Value::Null);
    c.put(me, &path, json!({"body": "Useful"})).await;
    c.put(me, &path, json!({"body": "Very useful"})).await;
    assert_eq!(c.get(me, "/post-notes").await["items"][0]["body"], "Very useful");
    c.delete(me, &path).await;
    let path = format!("/users/me/notes/{}", other.name);
    c.get(me, &path).await;
    c.put(me, &path, json!({"body": "Friendly"})).await;
    c.get(me, &path).await;
    c.delete(me, &path).await;
    c.refused(me, &format!("DELETE {path}"), Value::Null, 404).await;
}

async fn bookmarks(c: &Contract, me: &Who, post: &str) {
    c.post(me, &format!("/posts/{post}/bookmark"), Value::Null).await;
    c.get(me, "/posts/bookmarks/list").await;
    let folder = text(&c.post(me, "/bookmarks/folders", json!({"name": "Later"})).await["id"]);
    let path = format!("/bookmarks/folders/{folder}");
    c.put(me, &path, json!({"name": "Soon"})).await;
    c.get(me, "/bookmarks/folders").await;
    let moved = c.post(me, &format!("{path}/move/{post}"), Value::Null).await;
    assert_eq!(moved["folder_id"], folder.as_str());
    let bookmark = text(&moved["bookmark_id"]);
    c.post(me, &format!("/bookmarks/folders/unsort/{bookmark}"), Value::Null).await;
    c.delete(me, &path).await;
    c.delete(me, &format!("/posts/{post}/bookmark")).await;
    c.refused(me, &format!("DELETE /posts/{post}/bookmark"), Value::Null, 404).await;
}

async fn memory(c: &Contract, me: &Who, post: &str) {
    let body = json!({"name": "Weekly", "title_template": "Week {n}", "default_tags": ["weekly"]});
    let template = text(&c.post(me, "/post-templates", body).await["id"]);
    let path = format!("/post-templates/{template}");
    c.get(me, "/post-templates").await;
    c.get(me, &path).await;
    c.put(me, &path, json!({"post_type": "finding"})).await;
    assert_eq!(c.post(me, &format!("{path}/use"), Value::Null).await["usage_count"], 1);
    c.delete(me, &path).await;
    let reminder = c.post(me, &format!("/posts/{post}/remind"), json!({"duration": "3d"})).await;
    c.refused(me, &format!("POST /posts/{post}/remind"), json!({"duration": "soon"}), 400).await;
    c.get(me, "/reminders").await;
    c.delete(me, &format!("/reminders/{}", text(&reminder["id"]))).await;
    let body = json!({"name": "Rust", "query": "rust", "filters": {"tag": "rust"}});
    let alert = text(&c.post(me, "/search-alerts", body.clone()).await["id"]);
    c.refused(me, "POST /search-alerts", body, 409).await;
    c.get(me, "/search-alerts").await;
    c.patch(me, &format!("/search-alerts/{alert}"), json!({"notify": false})).await;
    c.delete(me, &format!("/search-alerts/{alert}")).await;
}

async fn vault(c: &Contract, me: &Who) {
    assert_eq!(c.get(me, "/vault/status").await["quota_bytes"], 0);
    c.put(me, "/vault/files/notes%2Fa.md", json!({"content": "one\n"})).await;
    c.post(me, "/vault/files/notes%2Fa.md/append", json!({"content": "two\n"})).await;
    let file = c.get(me, "/vault/files/notes%2Fa.md").await;
    assert_eq!(file["content"], "one\ntwo\n");
    c.get(me, "/vault/files?prefix=notes/").await;
    c.get(me, "/vault/search?q=two").await;
    c.get(me, "/vault/folders").await;
    c.get(me, "/vault/activity").await;
    c.get(me, "/vault/export").await;
    c.post(me, "/vault/files/notes%2Fa.md/copy", json!({"destination": "b.md"})).await;
    c.refused(me, "POST /vault/files/notes%2Fa.md/move", json!({"destination": "b.md"}), 409).await;
    c.post(me, "/vault/files/notes%2Fa.md/move", json!({"destination": "b.md", "overwrite": true})).await;
    c.refused(me, "GET /vault/files/notes%2Fa.md", Value::Null, 404).await;
    c.refused(me, "PUT /vault/files/a%2F%2Fb", json!({"content": "x"}), 400).await;
    c.delete(me, "/vault/files/b.md").await;
}

async fn wiki(c: &Contract, me: &Who, other: &Who) {
    let body = json!({"title": "How to test", "slug": "how-to-test", "content": "Slowly.", "colony": "meta"});
    c.post(me, "/wiki", body.clone()).await;
    c.refused(me, "POST /wiki", json!({"title": "t", "slug": "How to test"}), 422).await;
    c.refused(me, "POST /wiki", body, 409).await;
    c.get(&nobody(), "/wiki?search=slowly&colony=meta").await;
    let path = "/wiki/how-to-test";
    c.put(
        other,
        &format!("{path}?colony=meta"),
        json!({"content": "Quickly.", "summary": "Faster", "base_revision": 1}),
    )
    .await;
    c.refused(me, &format!("PUT {path}?colony=meta"), json!({"content": "?", "base_revision": 1}), 409).await;
    c.get(&nobody(), &format!("{path}?colony=meta")).await;
    let history = c.get(&nobody(), &format!("{path}/history?colony=meta")).await;
    let revision = text(&history[1]["id"]);
    let first = c.get(&nobody(), &format!("{path}/revision/{revision}?colony=meta")).await;
    assert_eq!(first["content"], "Slowly.");
    c.refused(other, &format!("DELETE {path}?colony=meta"), Value::Null, 403).await;
    c.delete(me, &format!("{path}?colony=meta")).await;
}

async fn collections(c: &Contract, me: &Who, other: &Who, post: &str) {
    let body = json!({"title": "Good ones", "description": "d", "is_public": false});
    let path = format!("/collections/{}", text(&c.post(me, "/collections", body).await["id"]));
    c.refused(other, &format!("GET {path}"), Value::Null, 404).await;
    c.put(me, &path, json!({"is_public": true})).await;
    c.get(&nobody(), &format!("/collections?user_id={}", me.name)).await;
    c.post(me, &format!("{path}/items"), json!({"post_id": post, "note": "Read this"})).await;
    c.refused(me, &format!("POST {path}/items"), json!({"post_id": post}), 409).await;
    assert_eq!(c.get(&nobody(), &path).await["items"][0]["note"], "Read this");
    c.refused(other, &format!("DELETE {path}"), Value::Null, 403).await;
    c.delete(me, &format!("{path}/items/{post}")).await;
    c.delete(me, &path).await;
}

async fn webhooks(c: &Contract, me: &Who, other: &Who) {
    c.get(&nobody(), "/webhooks/events").await;
    // No receiver listens there: the attempts fail, and are recorded too.
    let body = json!({
        "url": "http://127.0.0.1:9/hook", "secret": "0123456789abcdef", "events": ["direct_message"],
    });
    let hook = text(&c.post(me, "/webhooks", body).await["id"]);
    let path = format!("/webhooks/{hook}");
    c.get(me, "/webhooks").await;
    c.get(me, &path).await;
    c.put(me, &path, json!({"events": ["direct_message", "mention"]})).await;
    c.post(me, &format!("{path}/rotate-secret"), Value::Null).await;
    let tested = c.post(me, &format!("{path}/test"), Value::Null).await;
    assert_eq!((&tested["success"], &tested["response_status"]), (&json!(false), &Value::Null));
    c.post(other, &format!("/messages/send/{}", me.name), json!({"body": "Ring"})).await;
    let delivered = loop {
        let rows = c.get(me, &format!("{path}/deliveries")).await;
        if rows[0]["event"] == "direct_message" {
            break text(&rows[0]["id"]);
        }
        tokio::task::yield_now().await;
    };
    c.post(me, &format!("{path}/deliveries/{delivered}/replay"), Value::Null).await;
    c.refused(other, &format!("DELETE {path}"), Value::Null, 404).await;
    c.delete(me, &path).await;
}
