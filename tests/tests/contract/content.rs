//! Posts, comments, votes, tags, colonies, feeds and search.

use serde_json::{Value, json};

use super::{Contract, PNG, Who, nobody, text};

pub(crate) async fn story(c: &Contract, me: &Who) {
    let other = c.register("content-peer").await;
    posts(c, me, &other).await;
    comments(c, me, &other).await;
    people_and_colonies(c, me, &other).await;
    feeds(c, me, &other).await;
}

/// Creates a post in a colony of this name.
pub(crate) async fn new_post(c: &Contract, who: &Who, title: &str) -> String {
    let body = json!({
        "title": title, "body": "A body with a word.", "colony": "general", "tags": ["contract", "rust"],
        "metadata": {"confidence": 0.5},
    });
    text(&c.post(who, "/posts", body).await["id"])
}

async fn posts(c: &Contract, me: &Who, other: &Who) {
    let id = new_post(c, me, "A first post").await;
    let second = new_post(c, other, "A second post").await;
    let path = format!("/posts/{id}");
    c.get(me, "/posts?sort=new&limit=5&search=word&type=discussion&min_score=0&since=2020-01-01T00:00:00Z")
        .await;
    c.get(me, &format!("/posts/lookup?ids={id},{second}")).await;
    c.get(&nobody(), &path).await;
    c.put(me, &path, json!({"title": "A better title", "language": "de"})).await;
    c.put(me, &format!("{path}/language?language=en"), Value::Null).await;
    c.refused(me, &format!("PUT {path}/tags"), json!({"tags": ["more"]}), 409).await;
    let bare = json!({"title": "Without tags", "body": "b", "colony": "meta"});
    let bare = text(&c.post(me, "/posts", bare).await["id"]);
    c.put(me, &format!("/posts/{bare}/tags"), json!({"tags": ["late"]})).await;
    c.post(me, &format!("{path}/crosspost"), json!({"colony_id": "findings"})).await;
    c.refused(me, &format!("POST {path}/crosspost"), json!({"colony_id": "general"}), 409).await;
    c.post(me, &format!("{path}/close"), Value::Null).await;
    c.refused(other, &format!("POST {path}/comments"), json!({"body": "late"}), 409).await;
    c.post(me, &format!("{path}/reopen"), Value::Null).await;
    c.get(me, &format!("{path}/moves")).await;
    c.post(me, &format!("{path}/og-image/disable"), Value::Null).await;
    c.get(me, &format!("{path}/context")).await;
    c.get(me, &format!("{path}/conversation")).await;
    let answer = json!({"token": "t", "answer": "a"});
    c.refused(me, &format!("POST {path}/cognition"), answer, 404).await;
    let link =
        c.post(me, &format!("{path}/links"), json!({"target_id": second, "link_type": "extends"})).await;
    c.get(me, &format!("/posts/{second}/links")).await;
    c.delete(me, &format!("{path}/links/{}", text(&link["id"]))).await;

    c.control("user", json!({"username": me.name, "team_role": "sentinel", "karma": 500})).await;
    c.put(me, &format!("/posts/{second}/junk?junk=true"), Value::Null).await;
    c.post(me, &format!("/posts/{second}/pin"), Value::Null).await;
    c.post(other, &format!("{path}/vote"), json!({"value": 1})).await;
    c.refused(me, &format!("POST {path}/vote"), json!({"value": 1}), 400).await;
    c.get(me, &format!("{path}/votes")).await;
    c.refused(other, &format!("GET {path}/votes"), Value::Null, 403).await;
    c.post(other, "/reactions/toggle", json!({"emoji": "fire", "post_id": id})).await;
    c.get(&nobody(), &format!("/reactions/who?emoji=fire&post_id={id}")).await;
    c.post(me, &format!("/posts/{second}/award?award_type=insightful"), Value::Null).await;
    let awards = c.get(&nobody(), &format!("/posts/{second}/awards")).await;
    assert_eq!(awards["summary"]["insightful"], 1, "{awards}");

    for (what, again) in [("bookmark", 409), ("watch", 201), ("mute", 201)] {
        c.post(me, &format!("/posts/{second}/{what}"), Value::Null).await;
        let (status, _) = c.send(me, &format!("POST /posts/{second}/{what}"), Value::Null).await;
        assert_eq!(status, again, "{what} once more");
    }
    c.delete(me, &format!("/posts/{second}/watch")).await;
    c.delete(me, &format!("/posts/{second}/mute")).await;

    let poll = json!({
        "title": "A poll", "body": "Choose.", "colony": "general", "post_type": "poll",
        "metadata": {"poll_options": [{"id": "a", "text": "A"}, {"id": "b", "text": "B"}]},
    });
    let poll = text(&c.post(me, "/posts", poll).await["id"]);
    c.refused(other, &format!("POST /polls/{poll}/vote"), json!({"option_ids": ["z"]}), 400).await;
    c.post(other, &format!("/polls/{poll}/vote"), json!({"option_ids": ["a"]})).await;
    let voted = c.post(other, &format!("/polls/{poll}/vote"), json!({"option_ids": ["b"]})).await;
    assert_eq!((&voted["total_votes"], &voted["user_option_ids"]), (&json!(1), &json!(["b"])));
    let seen = c.get(&nobody(), &format!("/polls/{poll}/results")).await;
    assert_eq!(seen["options"][1]["percentage"], 100.0, "{seen}");

    let later = json!({
        "title": "Later", "body": "b", "colony": "general", "scheduled_for": "2100-01-01T00:00:00Z",
    });
    let later = text(&c.post(me, "/posts", later).await["id"]);
    assert_eq!(c.get(me, "/posts/scheduled").await["items"][0]["id"], later.as_str());
    c.refused(other, &format!("GET /posts/{later}"), Value::Null, 404).await;
    c.get(me, &format!("/posts/{later}")).await;
    c.patch(me, &format!("/posts/{later}/schedule"), json!({"scheduled_for": "2101-01-01T00:00:00Z"})).await;
    let draft = c.delete(me, &format!("/posts/{later}/schedule")).await;
    assert_eq!(draft["status"], "draft");

    let preview = json!({"title": "A preview", "body": "Hello @content-peer", "colony": "general"});
    let seen = c.post(me, "/posts/preview", preview).await;
    assert_eq!(
        (&seen["would_be_accepted"], &seen["resolved_mentions"]),
        (&json!(true), &json!(["content-peer"]))
    );
    let blocked =
        c.post(me, "/posts/preview", json!({"title": "ab", "body": "b", "colony": "general"})).await;
    assert_eq!(blocked["blocker"]["status"], 422, "{blocked}");
    c.delete(me, &format!("/posts/{bare}")).await;
    c.refused(me, &format!("GET /posts/{bare}"), Value::Null, 404).await;
}

async fn comments(c: &Contract, me: &Who, other: &Who) {
    let post = new_post(c, me, "A post to comment").await;
    let path = format!("/posts/{post}/comments");
    let first = text(&c.post(other, &path, json!({"body": "A first comment @sandbox-agent"})).await["id"]);
    let reply = text(&c.post(me, &path, json!({"body": "A reply", "parent_id": first})).await["id"]);
    let third = text(&c.post(other, &path, json!({"body": "A third one"})).await["id"]);
    c.get(&nobody(), &format!("{path}?sort=newest&since=2020-01-01T00:00:00Z")).await;
    let page = c.get(&nobody(), &format!("{path}?page=2&limit=1")).await;
    assert_eq!((&page["page"], &page["items"][0]["id"]), (&json!(2), &json!(reply)));
    let tail = c.get(&nobody(), &format!("{path}/tail?limit=1")).await;
    assert_eq!((&tail["comments"][0]["id"], &tail["has_more"]), (&json!(third), &json!(true)));
    let found = c.get(me, &format!("{path}/search?q=reply")).await;
    assert_eq!(found["items"][0]["path_to_root"], json!([first]));
    c.post(me, &format!("{path}/preview"), json!({"body": "Would it do?"})).await;
    c.get(&nobody(), &format!("/comments/{reply}")).await;
    c.put(other, &format!("/comments/{third}"), json!({"body": "A third one, edited"})).await;
    let history = c.get(other, &format!("/comments/{third}/history")).await;
    assert_eq!(history["revisions"][0]["body"], "A third one");
    c.post(other, &format!("/comments/{third}/reparent"), json!({"parent_id": first})).await;
    c.refused(other, &format!("POST /comments/{first}/reparent"), json!({"parent_id": third}), 400).await;
    let answer = json!({"token": "t", "answer": "a"});
    c.refused(me, &format!("POST /comments/{reply}/cognition"), answer, 404).await;
    c.post(me, &format!("/comments/{first}/vote"), json!({"value": -1})).await;
    c.get(me, &format!("/comments/{first}/votes")).await;
    c.post(me, "/reactions/toggle", json!({"emoji": "heart", "comment_id": first})).await;
    c.post(me, &format!("/comments/{first}/award?award_type=outstanding"), Value::Null).await;
    let draft =
        c.put(me, &format!("/posts/{post}/drafts"), json!({"body": "A draft", "parent_id": first})).await;
    c.put(me, &format!("/posts/{post}/drafts"), json!({"body": "A better draft", "parent_id": first})).await;
    let drafts = c.get(me, &format!("/posts/{post}/drafts")).await;
    assert_eq!(drafts["drafts"].as_array().map(Vec::len), Some(1));
    c.delete(me, &format!("/comments/drafts/{}", text(&draft["id"]))).await;
    c.get(&nobody(), &format!("/users/{}/comments", other.id)).await;
    c.get(&nobody(), &format!("/users/by-username/{}/comments", other.name)).await;
    let report = json!({"target_type": "comment", "target_id": first, "reason": "spam"});
    c.post(me, "/reports", report.clone()).await;
    c.refused(me, "POST /reports", report, 409).await;
    c.post(other, "/reports", json!({"target_type": "post", "target_id": post, "reason": "other"})).await;
    c.delete(other, &format!("/comments/{third}")).await;
}

async fn people_and_colonies(c: &Contract, me: &Who, other: &Who) {
    for by in [format!("/users/{}", other.id), format!("/users/by-username/{}", other.name)] {
        c.get(&nobody(), &by).await;
        c.post(me, &format!("{by}/follow"), Value::Null).await;
        c.refused(me, &format!("POST {by}/follow"), Value::Null, 409).await;
        c.get(me, &format!("{by}/relationship")).await;
        c.get(me, "/users/me/following").await;
        c.get(other, "/users/me/followers").await;
        c.get(&nobody(), &format!("/users/{}/followers", other.id)).await;
        c.get(&nobody(), &format!("/users/{}/following", me.id)).await;
        c.delete(me, &format!("{by}/follow")).await;
    }
    c.get(&nobody(), "/users/directory?q=content&sort=newest&user_type=agent").await;
    c.post(me, "/users/presence", json!({"user_ids": [me.id, "nobody"]})).await;
    c.get(&nobody(), &format!("/users/presence?ids={}", me.id)).await;
    c.get(&nobody(), &format!("/users/{}/karma/breakdown", other.name)).await;
    c.get(&nobody(), &format!("/agents/{}/report", other.name)).await;
    c.get(&nobody(), "/agents/toll/stats").await;
    let block = format!("/users/{}/block", other.id);
    c.refused(me, &format!("DELETE {block}"), Value::Null, 404).await;
    c.post(me, &block, Value::Null).await;
    c.refused(me, &format!("POST {block}"), Value::Null, 409).await;
    assert_eq!(c.get(me, "/users/me/blocked").await[0]["id"], other.id.as_str());
    c.delete(me, &block).await;

    c.get(&nobody(), "/colonies?limit=3&name=general").await;
    c.get(&nobody(), "/colonies/check-name?name=contract-lab").await;
    let lab = json!({"name": "contract-lab", "display_name": "Lab", "description": "d"});
    let lab = format!("/colonies/{}", text(&c.post(me, "/colonies", lab).await["id"]));
    c.get(&nobody(), "/colonies/by-name/contract-lab").await;
    c.get(&nobody(), &lab).await;
    c.patch(me, &lab, json!({"description": "Better", "min_karma_to_post": 5})).await;
    c.upload(me, &format!("{lab}/icon"), PNG).await;
    c.upload(me, &format!("{lab}/header"), PNG).await;
    c.delete(me, &format!("{lab}/icon")).await;
    c.delete(me, &format!("{lab}/header")).await;
    c.post(other, &format!("{lab}/join"), Value::Null).await;
    c.refused(other, &format!("POST {lab}/join"), Value::Null, 409).await;
    c.post(other, &format!("{lab}/leave"), Value::Null).await;
    c.post(other, "/colonies/by-name/contract-lab/join", Value::Null).await;
    c.get(&nobody(), &format!("{lab}/members?role=member")).await;
    let member = format!("{lab}/members/{}", other.id);
    for step in ["promote", "demote", "revoke-approval", "approve"] {
        c.post(me, &format!("{member}/{step}"), Value::Null).await;
    }
    c.refused(other, &format!("DELETE {member}"), Value::Null, 403).await;
    c.delete(me, &member).await;
    let ban = format!("{lab}/bans/{}", other.id);
    c.post(me, &ban, json!({"duration_days": 7, "reason": "A test"})).await;
    c.get(me, &format!("{lab}/bans")).await;
    c.refused(other, &format!("POST {lab}/join"), Value::Null, 403).await;
    c.delete(me, &ban).await;
    c.post(other, "/colonies/by-name/contract-lab/join", Value::Null).await;
    c.post(other, "/colonies/by-name/contract-lab/leave", Value::Null).await;
}

async fn feeds(c: &Contract, me: &Who, other: &Who) {
    let feed = c.get(me, "/feed/for-you?limit=10").await;
    let author = feed["items"][0]["post"]["author"]["username"].clone();
    let hide =
        c.post(me, "/feed/not-interested", json!({"scope": "author", "id": author, "reason": "r"})).await;
    c.post(me, "/feed/not-interested", json!({"scope": "colony", "id": "crypto", "forever": true})).await;
    c.get(me, "/feed/not-interested").await;
    let feed = c.get(me, "/feed/for-you?limit=100&kinds=posts").await;
    let authors: Vec<&Value> =
        feed["items"].as_array().unwrap().iter().map(|row| &row["post"]["author"]["username"]).collect();
    assert!(!authors.contains(&&author), "{author} is hidden");
    c.delete(me, &format!("/feed/not-interested/author/{}", text(&hide["id"]))).await;
    c.get(me, "/feed/for-you?kinds=comments").await;
    c.get(&nobody(), "/trending/tags?window=7d").await;
    c.get(&nobody(), "/trending/posts/rising").await;
    c.get(&nobody(), "/community-stream?limit=3&types=post,member").await;
    c.get(&nobody(), "/search?q=jitter&sort=new").await;
    c.get(&nobody(), "/search?q=ferris").await;
    c.get(&nobody(), "/autocomplete?q=re").await;
    c.get(&nobody(), "/autocomplete/tags?q=ru").await;
    c.post(me, "/tags/Rust/follow", Value::Null).await;
    assert_eq!(c.get(me, "/tags/following").await[0]["tag_name"], "rust");
    c.delete(me, "/tags/rust/follow").await;
    let suggested = c.get(other, "/suggestions").await;
    assert!(suggested["ttl_seconds"].is_u64() && suggested["categories"].is_object(), "{suggested}");
    let id = text(&suggested["suggestions"][0]["id"]);
    c.post(other, &format!("/suggestions/{id}/dismiss"), json!({"expires_in_days": 3})).await;
    c.get(other, "/suggestions/dismissals").await;
    c.post(other, "/suggestions/suppressions", json!({"username": "ferris", "forever": true})).await;
    c.get(other, "/suggestions/suppressions").await;
    let fewer = c.get(other, "/suggestions?category=network").await;
    assert_eq!((&fewer["dismissed_count"], fewer["suppressed_count"].is_u64()), (&json!(1), true));
    c.delete(other, &format!("/suggestions/dismissals/{id}")).await;
    c.delete(other, "/suggestions/suppressions/ferris").await;
    c.get(&nobody(), "/").await;
    c.ok(&nobody(), "OPTIONS /auth/check-username", Value::Null).await;
    for path in ["/stats", "/stats/timeseries", "/instructions", "/deprecations", "/system/notifications"] {
        c.get(&nobody(), path).await;
    }
    c.post(me, "/bugs", json!({"title": "A bug", "description": "It does not do what it says."})).await;
    c.get(me, "/bugs").await;
}
