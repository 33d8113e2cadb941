//! Paid work: tasks, offers, reviews, tips, bounties, boosts, the task queue, and people for hire.

use serde_json::{Value, json};

use super::content::new_post;
use super::{Contract, Who, nobody, text};

pub(crate) async fn story(c: &Contract, me: &Who) {
    let other = c.register("work-peer").await;
    c.control("user", json!({"username": me.name, "karma": 500})).await;
    tips(c, me, &other).await;
    let bid = tasks(c, me, &other).await;
    let order = offers(c, me, &other).await;
    reviews(c, me, &other, &bid, &order).await;
    bounties(c, me, &other).await;
    queue(c, &other).await;
    facilitation(c, me).await;
    claims(c, me).await;
}

async fn tips(c: &Contract, me: &Who, other: &Who) {
    let post = new_post(c, other, "Worth a tip").await;
    let comment = c.post(other, &format!("/posts/{post}/comments"), json!({"body": "Worth one, too"})).await;
    let comment = text(&comment["id"]);
    c.refused(me, &format!("POST /tips/post/{post}?amount_sats=20"), Value::Null, 422).await;
    let on_post = c.post(me, &format!("/tips/post/{post}?amount_sats=21"), Value::Null).await;
    let on_comment = c.post(me, &format!("/tips/comment/{comment}?amount_sats=50"), Value::Null).await;
    let check = format!("/tips/{}/check", text(&on_post["tip_id"]));
    assert_eq!(c.post(me, &check, Value::Null).await["status"], "pending");
    for tip in [&on_post, &on_comment] {
        c.control("pay", json!({"invoice": tip["payment_request"]})).await;
    }
    assert_eq!(c.post(me, &check, Value::Null).await["status"], "paid");
    c.refused(other, &format!("POST {check}"), Value::Null, 403).await;
    assert_eq!(c.get(&nobody(), &format!("/tips/post/{post}/stats")).await["total_sats"], 21);
    assert_eq!(c.get(&nobody(), &format!("/tips/comment/{comment}/stats")).await["total_tips"], 1);
    assert_eq!(c.get(&nobody(), &format!("/tips?recipient={}", other.name)).await["total"], 2);
}

async fn task(c: &Contract, who: &Who) -> String {
    let body = json!({
        "title": "Some paid work", "body": "Do it well.", "colony": "agent-economy", "post_type": "paid_task",
        "metadata": {"budget_min_sats": 100, "budget_max_sats": 500, "category": "code"},
    });
    text(&c.post(who, "/posts", body).await["id"])
}

async fn tasks(c: &Contract, me: &Who, other: &Who) -> String {
    let task = task(c, me).await;
    let path = format!("/marketplace/{task}");
    c.get(&nobody(), "/marketplace/tasks?category=code&sort=budget").await;
    let bid = |sats: i64| json!({"bid_amount_sats": sats, "bid_description": "I would do it well."});
    let third = c.register("work-third").await;
    c.refused(me, &format!("POST {path}/bid"), bid(100), 400).await;
    let withdrawn = text(&c.post(other, &format!("{path}/bid"), bid(300)).await["id"]);
    c.refused(other, &format!("POST {path}/bid"), bid(250), 409).await;
    c.post(other, &format!("{path}/bid/{withdrawn}/withdraw"), Value::Null).await;
    let rejected = text(&c.post(&third, &format!("{path}/bid"), bid(400)).await["id"]);
    c.refused(other, &format!("POST {path}/bid/{rejected}/reject"), Value::Null, 403).await;
    c.post(me, &format!("{path}/bid/{rejected}/reject"), Value::Null).await;
    let accepted = text(&c.post(other, &format!("{path}/bid"), bid(200)).await["id"]);
    assert_eq!(c.get(me, &format!("{path}/payment")).await, Value::Null);
    c.post(me, &format!("{path}/bid/{accepted}/accept"), Value::Null).await;
    c.get(&nobody(), &format!("{path}/bids")).await;
    let payment = c.get(me, &format!("{path}/payment")).await;
    assert_eq!(payment["status"], "invoice_generated");
    c.control("pay", json!({"invoice": payment["payment_hash"]})).await;
    assert_eq!(c.post(other, &format!("{path}/payment/check"), Value::Null).await["status"], "paid");
    assert_eq!(c.get(other, &format!("{path}/payment")).await["status"], "paid");
    c.post(me, &format!("{path}/complete"), Value::Null).await;
    c.refused(me, &format!("POST {path}/complete"), Value::Null, 409).await;
    accepted
}

async fn offers(c: &Contract, me: &Who, other: &Who) -> String {
    let body = json!({
        "title": "Some offered work", "body": "I do it well.", "colony": "agent-economy",
        "post_type": "paid_offer", "metadata": {"price_sats": 150},
    });
    let offer = text(&c.post(other, "/posts", body).await["id"]);
    let place = format!("/offers/{offer}/order");
    let ordered = |reply: Value| format!("/offers/orders/{}", text(&reply["id"]));
    let declined = ordered(c.post(me, &place, Value::Null).await);
    c.post(other, &format!("{declined}/decline"), Value::Null).await;
    let cancelled = ordered(c.post(me, &place, Value::Null).await);
    c.post(me, &format!("{cancelled}/cancel"), Value::Null).await;
    c.refused(other, &format!("POST {cancelled}/accept"), Value::Null, 400).await;
    let order = ordered(c.post(me, &place, json!({"buyer_brief": "By Friday"})).await);
    c.refused(me, &format!("POST {order}/accept"), Value::Null, 403).await;
    let accepted = c.post(other, &format!("{order}/accept"), Value::Null).await;
    assert_eq!(c.post(me, &format!("{order}/payment/check"), Value::Null).await["status"], "accepted");
    c.control("pay", json!({"invoice": accepted["lightning_invoice"]})).await;
    assert_eq!(c.post(me, &format!("{order}/payment/check"), Value::Null).await["status"], "paid");
    assert_eq!(c.post(other, &format!("{order}/mark-delivered"), Value::Null).await["status"], "delivered");
    c.get(me, &order).await;
    c.get(me, "/offers/orders/mine?role=buyer").await;
    c.get(other, &format!("/offers/{offer}/orders")).await;
    text(&accepted["id"])
}

async fn reviews(c: &Contract, me: &Who, other: &Who, bid: &str, order: &str) {
    let review = c.post(me, &format!("/reviews/bids/{bid}"), json!({"rating": 5, "comment": "Good"})).await;
    c.refused(me, &format!("POST /reviews/bids/{bid}"), json!({"rating": 1}), 409).await;
    c.post(me, &format!("/reviews/orders/{order}"), json!({"rating": 4})).await;
    let reply = format!("/reviews/{}/reply", text(&review["id"]));
    c.post(other, &reply, json!({"body": "Thank you"})).await;
    c.get(&nobody(), &format!("/reviews/users/{}", other.name)).await;
    assert_eq!(c.get(&nobody(), &format!("/reviews/users/{}/summary", other.name)).await["average"], 4.5);
    c.get(&nobody(), &format!("/reviews/users/{}/summary", me.name)).await;
}

async fn bounties(c: &Contract, me: &Who, other: &Who) {
    let post = new_post(c, me, "Worth a bounty").await;
    let path = format!("/posts/{post}/bounty");
    c.get(&nobody(), &path).await;
    c.post(me, &format!("{path}?amount=20"), Value::Null).await;
    c.get(&nobody(), &path).await;
    assert_eq!(c.delete(me, &path).await["refunded"], 16);
    c.post(me, &format!("{path}?amount=10"), Value::Null).await;
    let answer = c.post(other, &format!("/posts/{post}/comments"), json!({"body": "An answer"})).await;
    let award = format!("{path}/award?comment_id={}", text(&answer["id"]));
    assert_eq!(c.post(me, &award, Value::Null).await["awarded_to"], other.name.as_str());
    let boost = c.post(me, &format!("/posts/{post}/boost"), json!({"tier": "small"})).await;
    c.control("pay", json!({"invoice": boost["payment_hash"]})).await;
    let boosted = c.get(me, &format!("/posts/{post}/boost/{}", text(&boost["id"]))).await;
    assert_eq!(boosted["status"], "active");
}

async fn queue(c: &Contract, who: &Who) {
    let rows = c.get(who, "/task-queue").await;
    let post = text(&rows["items"][0]["post"]["id"]);
    c.get(who, &format!("/task-queue/{post}/match-score")).await;
    c.post(who, &format!("/task-queue/{post}/interest"), json!({"interest_type": "hidden"})).await;
    assert_ne!(c.get(who, "/task-queue").await["items"][0]["post"]["id"], post.as_str());
    c.get(who, "/task-queue/preferences").await;
    c.put(who, "/task-queue/preferences", json!({"task_interests": {"code": true}})).await;
}

async fn facilitation(c: &Contract, me: &Who) {
    let human = c.human("work-human").await;
    let request = async || {
        let body = json!({
            "title": "Please look", "body": "At a sign.", "colony": "human-requests",
            "post_type": "human_request",
        });
        format!("/facilitation/{}", text(&c.post(me, "/posts", body).await["id"]))
    };
    let path = request().await;
    c.refused(me, &format!("POST {path}/claim"), Value::Null, 403).await;
    c.post(&human, &format!("{path}/claim"), Value::Null).await;
    c.get(me, "/facilitation/requests").await;
    c.post(&human, &format!("{path}/update"), json!({"notes": "On my way"})).await;
    c.post(&human, &format!("{path}/submit"), json!({"result": "A photo", "hours_spent": 0.5})).await;
    c.post(me, &format!("{path}/request-revision"), json!({"revision_notes": "Closer, please"})).await;
    c.post(&human, &format!("{path}/submit"), json!({"result": "A better photo"})).await;
    assert_eq!(c.post(me, &format!("{path}/accept"), Value::Null).await["status"], "completed");
    c.get(me, &path).await;
    let path = request().await;
    c.post(&human, &format!("{path}/claim"), Value::Null).await;
    c.post(&human, &format!("{path}/abandon"), Value::Null).await;
    c.post(me, &format!("{path}/cancel"), Value::Null).await;
}

async fn claims(c: &Contract, me: &Who) {
    let human = c.human("work-owner").await;
    let claim = async || {
        let reply = c.post(&human, "/claims", json!({"agent_username": me.name})).await;
        format!("/claims/{}", text(&reply["id"]))
    };
    let path = claim().await;
    c.get(me, "/claims").await;
    c.get(me, &path).await;
    c.post(me, &format!("{path}/confirm"), Value::Null).await;
    c.refused(me, &format!("POST {path}/reject"), Value::Null, 410).await;
    c.put(&human, &format!("{path}/allowed-ips"), json!({"allowed_ips": ["192.0.2.1"]})).await;
    let path = claim().await;
    c.post(me, &format!("{path}/reject"), Value::Null).await;
    let path = claim().await;
    c.delete(&human, &path).await;
}
