//! Messages, groups and notifications.

use serde_json::{Value, json};

use super::{Contract, PNG, Who, text};

pub(crate) async fn story(c: &Contract, me: &Who) {
    let other = c.register("talk-peer").await;
    direct(c, me, &other).await;
    one_message(c, me, &other).await;
    groups(c, me, &other).await;
    notifications(c, me, &other).await;
}

async fn direct(c: &Contract, me: &Who, other: &Who) {
    let with = format!("/messages/conversations/{}", other.name);
    let none = c.get(me, &with).await;
    assert_eq!((&none["id"], &none["messages"]), (&Value::Null, &json!([])));
    assert_eq!(c.get(me, &format!("{with}/draft")).await, Value::Null);
    c.put(me, &format!("{with}/draft"), json!({"body": "Not yet"})).await;
    assert_eq!(c.get(me, &format!("{with}/draft")).await["body"], "Not yet");
    c.delete(me, &format!("{with}/draft")).await;
    let send = |who: &Who, to: &Who| (who.clone(), format!("/messages/send/{}", to.name));
    let (who, path) = send(me, other);
    let first = c.post(&who, &path, json!({"body": "Hello"})).await;
    let upload = c.upload(me, "/messages/attachments/upload", PNG).await;
    assert_eq!((&upload["width"], &upload["deduped"]), (&json!(1), &json!(false)));
    assert_eq!(c.upload(me, "/messages/attachments/upload", PNG).await["deduped"], true);
    let attachment = text(&upload["attachment_id"]);
    let body = json!({
        "body": "", "reply_to_message_id": first["id"], "attachment_ids": [attachment],
    });
    let second = c.post(&who, &path, body).await;
    assert_eq!(second["reply_to"]["body_preview"], "Hello");
    assert_eq!(second["attachments"][0]["id"], attachment.as_str());
    c.refused(&who, &format!("POST {path}"), json!({"body": " "}), 422).await;
    c.get(other, &format!("/messages/attachments/{attachment}/full")).await;
    c.refused(other, &format!("DELETE /messages/attachments/{attachment}"), Value::Null, 404).await;

    c.get(other, "/messages/unread-count").await;
    let rows = c.get(other, "/messages/conversations").await;
    assert_eq!(rows[0]["unread_count"], 2, "{rows}");
    let back = format!("/messages/conversations/{}", me.name);
    let read = c.get(other, &back).await;
    assert_eq!(read["messages"][0]["is_read"], false, "rendered before it marks as read");
    assert_eq!(c.get(other, &back).await["messages"][0]["is_read"], true);
    let id = text(&first["id"]);
    let tail = c.get(me, &format!("{with}/tail?since_id={id}")).await;
    assert_eq!(tail["messages"][0]["id"], second["id"]);
    let history = c.get(me, &format!("{with}/history?before={}", text(&second["id"]))).await;
    assert_eq!((&history["messages"][0]["id"], &history["cursor_found"]), (&first["id"], &json!(true)));
    c.post(other, &format!("{back}/read"), Value::Null).await;
    c.post(me, &format!("{with}/typing"), Value::Null).await;
    let conversation = text(&read["id"]);
    c.post(me, &format!("/messages/conversations/by-id/{conversation}/typing"), Value::Null).await;
    let archived = |state: bool| json!({ "archived": state });
    assert_eq!(c.post(me, &format!("{with}/archive"), Value::Null).await, archived(true));
    assert_eq!(c.get(me, "/messages/conversations").await, json!([]));
    assert_eq!(c.get(me, "/messages/conversations?include_archived=true").await[0]["is_archived"], true);
    assert_eq!(c.post(me, &format!("{with}/unarchive"), Value::Null).await, archived(false));
    c.post(me, &format!("{with}/mute?duration=8h"), Value::Null).await;
    c.refused(me, &format!("POST {with}/mute?duration=2y"), Value::Null, 422).await;
    c.post(me, &format!("{with}/unmute"), Value::Null).await;
    c.post(me, &format!("{with}/snooze?duration=until_morning"), Value::Null).await;
    c.refused(me, &format!("POST {with}/snooze?duration=never"), Value::Null, 400).await;
    c.get(me, "/messages/conversations/inbox/history?before=2100-01-01T00:00:00Z&show=snoozed").await;
    c.post(me, &format!("{with}/unsnooze"), Value::Null).await;
    c.get(me, "/messages/conversations/inbox/history?before=2100-01-01T00:00:00Z").await;
    c.patch(me, &format!("{with}/receipts?show=false"), Value::Null).await;
    c.post(other, &format!("{back}/spam"), json!({"reason": "harassment"})).await;
    let (status, again) = c.send(other, &format!("POST {back}/spam"), json!({})).await;
    assert_eq!((status, &again["spam_reason_code"]), (200, &json!("harassment")));
    c.delete(other, &format!("{back}/spam")).await;
    c.get(me, "/messages/search?q=Hello").await;
    c.get(me, "/me/cold-budget").await;
    c.get(me, "/me/cold-budget/peers").await;
    c.patch(me, "/me/inbox", json!({"inbox_mode": "quiet"})).await;
    c.patch(me, "/me/inbox", json!({"inbox_mode": "open"})).await;
    c.delete(me, &format!("/messages/attachments/{attachment}")).await;
}

async fn one_message(c: &Contract, me: &Who, other: &Who) {
    let sent = c.post(me, &format!("/messages/send/{}", other.name), json!({"body": "A message"})).await;
    let path = format!("/messages/{}", text(&sent["id"]));
    c.patch(me, &path, json!({"body": "A better message"})).await;
    assert_eq!(c.get(me, &format!("{path}/edits")).await["versions"].as_array().map(Vec::len), Some(2));
    assert_eq!(c.post(other, &format!("{path}/read"), Value::Null).await["already"], false);
    assert_eq!(c.get(me, &format!("{path}/reads")).await["seen_count"], 1);
    c.post(other, &format!("{path}/reactions"), json!({"emoji": "fire"})).await;
    assert_eq!(c.delete(other, &format!("{path}/reactions/fire")).await["removed"], true);
    c.post(me, &format!("{path}/star"), Value::Null).await;
    assert_eq!(c.get(me, "/messages/saved").await["messages"][0]["message"]["id"], sent["id"]);
    let third = c.register("talk-third").await;
    let path_forward = format!("{path}/forward?recipient_username={}&comment=Look", third.name);
    let forwarded = c.post(other, &path_forward, Value::Null).await;
    assert_eq!(forwarded["body"], "Look\n\n> A better message\n");
    c.refused(other, &format!("DELETE {path}"), Value::Null, 403).await;
    assert_eq!(c.delete(me, &path).await["deleted"], true);
}

async fn groups(c: &Contract, me: &Who, other: &Who) {
    c.get(me, "/messages/groups/templates").await;
    let from = format!("/messages/groups/from-template?template=review&members={}", other.name);
    let from = c.post(me, &from, Value::Null).await;
    assert!(from["starter_message_id"].is_string(), "{from}");
    let group = c.post(me, &format!("/messages/groups?title=Team&members={}", other.name), Value::Null).await;
    let path = format!("/messages/groups/{}", text(&group["id"]));
    c.refused(other, &format!("GET {path}"), Value::Null, 403).await;
    assert_eq!(
        c.post(other, &format!("{path}/invite/respond?accept=true"), Value::Null).await["invite_status"],
        "accepted"
    );
    let again = c.post(me, &format!("{path}/members?username={}", other.name), Value::Null).await;
    assert_eq!(again["already_member"], true);
    let third = c.register("talk-guest").await;
    c.post(me, &format!("{path}/members?username={}", third.name), Value::Null).await;
    c.post(&third, &format!("{path}/invite/respond?accept=false"), Value::Null).await;
    c.get(me, &format!("{path}/members")).await;
    c.patch(me, &format!("{path}?title=Better&description=About"), Value::Null).await;
    let first = c.post(me, &format!("{path}/send"), json!({"body": "Hello all, @talk-peer"})).await;
    let second = c
        .post(
            other,
            &format!("{path}/send"),
            json!({"body": "Hello you", "reply_to_message_id": first["id"]}),
        )
        .await;
    let (first, second) = (text(&first["id"]), text(&second["id"]));
    c.get(me, &format!("{path}/tail?since_id={first}")).await;
    c.get(me, &format!("{path}/history?before={second}")).await;
    c.post(me, &format!("{path}/messages/{first}/pin"), Value::Null).await;
    let seen = c.get(other, &path).await;
    assert_eq!((&seen["pinned"][0]["id"], &seen["member_count"]), (&json!(first), &json!(2)));
    assert_eq!(c.delete(me, &format!("{path}/messages/{first}/pin")).await["already"], false);
    let found = c.get(me, &format!("{path}/search?q=hello")).await;
    assert_eq!(found["results"][0]["body_highlight"], "[[hl]]Hello[[/hl]] you");
    c.post(me, &format!("{path}/read-all"), Value::Null).await;
    c.put(me, &format!("{path}/members/{}/admin?is_admin=true", other.id), Value::Null).await;
    c.upload(me, &format!("{path}/avatar"), PNG).await;
    c.get(me, &format!("{path}/avatar")).await;
    c.post(me, &format!("{path}/mute"), Value::Null).await;
    c.post(me, &format!("{path}/unmute"), Value::Null).await;
    c.post(me, &format!("{path}/snooze?duration=1h"), Value::Null).await;
    c.post(me, &format!("{path}/unsnooze"), Value::Null).await;
    c.patch(me, &format!("{path}/receipts?show=true"), Value::Null).await;
    c.put(me, &format!("{path}/draft"), json!({"body": "A draft"})).await;
    c.get(me, &format!("{path}/draft")).await;
    c.delete(me, &format!("{path}/draft")).await;
    c.get(me, "/messages/conversations/inbox/history?before=2100-01-01T00:00:00Z&limit=1").await;
    c.post(me, &format!("{path}/transfer-creator?new_creator_username={}", other.name), Value::Null).await;
    c.refused(me, &format!("DELETE {path}/members/{}", other.id), Value::Null, 400).await;
    assert_eq!(c.delete(other, &format!("{path}/members/{}", me.id)).await["removed"], true);
}

async fn notifications(c: &Contract, me: &Who, other: &Who) {
    for _ in 0..4 {
        c.post(other, &format!("/messages/send/{}", me.name), json!({"body": "Ping"})).await;
    }
    let rows = c.get(me, "/notifications?unread_only=true").await;
    let ids: Vec<String> = rows.as_array().unwrap().iter().take(3).map(|row| text(&row["id"])).collect();
    c.get(me, "/notifications/count").await;
    c.refused(me, "GET /notifications?unread_only=true&is_read=true", Value::Null, 400).await;
    c.post(me, &format!("/notifications/{}/read", ids[0]), Value::Null).await;
    c.post(me, "/notifications/read", json!({"ids": [ids[1]]})).await;
    c.post(me, "/notifications/delete", json!({"ids": [ids[1]]})).await;
    assert_eq!(c.post(me, "/notifications/delete-read", Value::Null).await["deleted"], 1);
    c.delete(me, &format!("/notifications/{}", ids[2])).await;
    c.post(me, "/notifications/read-all", Value::Null).await;
    c.get(me, "/me/unread").await;
}
