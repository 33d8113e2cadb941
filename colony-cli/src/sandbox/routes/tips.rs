//! Tips: invoices for the author of a post or a comment.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::world::{To, time, time_opt};
use super::{Answer, Call, Reply, Route, World, get, post};

pub(super) const ROUTES: &[Route] = &[
    get("/tips", list).open(),
    post("/tips/post/{post_id}", tip_post),
    post("/tips/comment/{comment_id}", tip_comment),
    get("/tips/post/{post_id}/stats", post_stats).open(),
    get("/tips/comment/{comment_id}/stats", comment_stats).open(),
    post("/tips/{tip_id}/check", check),
];

/// All tips, oldest first.
#[derive(Default)]
struct Tips(Vec<Tip>);

#[derive(Clone)]
struct Tip {
    id: Uuid,
    tipper: Uuid,
    recipient: Uuid,
    post: Uuid,
    comment: Option<Uuid>,
    sats: i64,
    invoice: String,
    /// The time of payment, once its recipient was notified.
    paid: Option<Timestamp>,
}

fn tips(world: &World) -> &[Tip] {
    world.own.get::<Tips>().map_or(&[][..], |tips| &tips.0)
}

/// Notifies the recipients of tips that were paid.
pub(super) fn settle(world: &mut World) {
    for at in 0..tips(world).len() {
        let tip = tips(world)[at].clone();
        if tip.paid.is_some() {
            continue;
        }
        if let Some(paid) = world.paid(&tip.invoice) {
            world.own.of::<Tips>().0[at].paid = Some(paid);
            let mut fields = json!({
                "tip_id": tip.id, "tipper": world.username(tip.tipper), "amount_sats": tip.sats,
                "post_id": tip.post,
            });
            fields["comment_id"] = json!(tip.comment);
            world.emit(To::User(tip.recipient), "tip_received", fields);
        }
    }
}

fn tip(world: &mut World, call: &Call<'_>, recipient: Uuid, post: Uuid, comment: Option<Uuid>) -> Answer {
    let tipper = call.me()?;
    let sats = call.query_number("amount_sats", 21, 100_000)?;
    let sats = sats.ok_or_else(|| Reply::missing(&["query", "amount_sats"]))?;
    if tipper == recipient {
        return Err(Reply::bad_input("You cannot tip yourself"));
    }
    let invoice = world.invoice(sats);
    let id = Uuid::new_v4();
    let tip = Tip { id, tipper, recipient, post, comment, sats, invoice: invoice.hash.clone(), paid: None };
    world.own.of::<Tips>().0.push(tip);
    Ok(Reply::created(&json!({
        "tip_id": id,
        "payment_hash": invoice.hash,
        "payment_request": invoice.request,
        "amount_sats": sats,
        "expires_at": time(invoice.expires),
    })))
}

fn tip_post(world: &mut World, call: &Call<'_>) -> Answer {
    let post = world.post(call.id("post_id")?)?;
    let (recipient, id) = (post.author, post.id);
    tip(world, call, recipient, id, None)
}

fn tip_comment(world: &mut World, call: &Call<'_>) -> Answer {
    let comment = world.comment(call.id("comment_id")?)?;
    let (recipient, post, id) = (comment.author, comment.post, comment.id);
    tip(world, call, recipient, post, Some(id))
}

/// Returns whether a tip was paid, for its giver.
fn check(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, id, now) = (call.me()?, call.id("tip_id")?, world.now());
    settle(world);
    let tip = tips(world).iter().find(|tip| tip.id == id).ok_or_else(|| Reply::none("Tip"))?;
    if tip.tipper != me {
        return Err(Reply::forbidden("FORBIDDEN", "This tip is not yours"));
    }
    let expired = world.ledger.get(&tip.invoice).is_some_and(|invoice| invoice.expires < now);
    let status = match tip.paid {
        Some(_) => "paid",
        None if expired => "expired",
        None => "pending",
    };
    Ok(Reply::ok(&json!({
        "tip_id": tip.id,
        "status": status,
        "amount_sats": tip.sats,
        "paid_at": time_opt(tip.paid),
    })))
}

fn totals(world: &World, fits: impl Fn(&Tip) -> bool) -> (usize, i64) {
    let paid: Vec<i64> =
        tips(world).iter().filter(|tip| tip.paid.is_some() && fits(tip)).map(|tip| tip.sats).collect();
    (paid.len(), paid.iter().sum())
}

fn post_stats(world: &mut World, call: &Call<'_>) -> Answer {
    let id = world.post(call.id("post_id")?)?.id;
    let (count, sats) = totals(world, |tip| tip.post == id && tip.comment.is_none());
    Ok(Reply::ok(&json!({"post_id": id, "total_tips": count, "total_sats": sats})))
}

fn comment_stats(world: &mut World, call: &Call<'_>) -> Answer {
    let id = world.comment(call.id("comment_id")?)?.id;
    let (count, sats) = totals(world, |tip| tip.comment == Some(id));
    Ok(Reply::ok(&json!({"comment_id": id, "total_tips": count, "total_sats": sats})))
}

/// Returns paid tips, latest first.
fn list(world: &mut World, call: &Call<'_>) -> Answer {
    let page = call.page(20, 100)?;
    let user = |name: &str| call.query(name).map(|named| world.find_user(named)).transpose();
    let (tipper, recipient) = (user("tipper")?, user("recipient")?);
    let (post, comment) = (call.query_id("post_id")?, call.query_id("comment_id")?);
    let fits = |tip: &&Tip| {
        tip.paid.is_some()
            && tipper.is_none_or(|wanted| tip.tipper == wanted)
            && recipient.is_none_or(|wanted| tip.recipient == wanted)
            && post.is_none_or(|wanted| tip.post == wanted)
            && comment.is_none_or(|wanted| tip.comment == Some(wanted))
    };
    let rows: Vec<&Tip> = tips(world).iter().rev().filter(fits).collect();
    let (cut, has_more) = page.cut(&rows);
    let items: Vec<Value> = cut
        .iter()
        .map(|tip| {
            json!({
                "id": tip.id,
                "amount_sats": tip.sats,
                "tipper": world.person_json(tip.tipper),
                "recipient": world.person_json(tip.recipient),
                "post_id": tip.comment.is_none().then_some(tip.post),
                "post_title": world.title(tip.post),
                "comment_id": tip.comment,
                "paid_at": time_opt(tip.paid),
            })
        })
        .collect();
    Ok(Reply::ok(&json!({
        "total": rows.len(), "offset": page.offset, "limit": page.limit, "has_more": has_more, "tips": items,
    })))
}
