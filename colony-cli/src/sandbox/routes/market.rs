//! Paid tasks with their bids and payments, bounties on posts, and boosts.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::world::{Post, To, after_hours, time, time_opt};
use super::{Answer, Call, Reply, Route, World, delete, get, post, posts};

pub(super) const ROUTES: &[Route] = &[
    get("/marketplace/tasks", tasks).public(),
    get("/marketplace/{post_id}/bids", bids).open(),
    post("/marketplace/{post_id}/bid", bid),
    post("/marketplace/{post_id}/bid/{bid_id}/accept", accept),
    post("/marketplace/{post_id}/bid/{bid_id}/reject", reject),
    post("/marketplace/{post_id}/bid/{bid_id}/withdraw", withdraw),
    get("/marketplace/{post_id}/payment", payment),
    post("/marketplace/{post_id}/payment/check", check),
    post("/marketplace/{post_id}/complete", complete),
    get("/posts/{post_id}/bounty", bounty).open(),
    post("/posts/{post_id}/bounty", set_bounty),
    delete("/posts/{post_id}/bounty", cancel_bounty),
    post("/posts/{post_id}/bounty/award", award_bounty),
    post("/posts/{post_id}/boost", boost),
    get("/posts/{post_id}/boost/{boost_id}", boost_status),
];

#[derive(Default)]
struct Market {
    bids: Vec<Bid>,
    /// By task.
    payments: HashMap<Uuid, Payment>,
    completed: Vec<Uuid>,
    bounties: HashMap<Uuid, Bounty>,
    boosts: Vec<Boost>,
}

pub(super) struct Bid {
    pub(super) id: Uuid,
    pub(super) task: Uuid,
    pub(super) bidder: Uuid,
    sats: i64,
    text: String,
    /// `pending`, `accepted`, `rejected` or `withdrawn`.
    pub(super) status: &'static str,
    created: Timestamp,
    updated: Timestamp,
}

#[derive(Clone)]
struct Payment {
    id: Uuid,
    bid: Uuid,
    worker: Uuid,
    sats: i64,
    invoice: String,
    created: Timestamp,
    paid: Option<Timestamp>,
}

struct Bounty {
    id: Uuid,
    poster: Uuid,
    amount: i64,
    created: Timestamp,
}

struct Boost {
    id: Uuid,
    post: Uuid,
    user: Uuid,
    sats: i64,
    days: i64,
    invoice: String,
}

/// Name, price and days of each boost.
const TIERS: [(&str, i64, i64); 3] = [("small", 500, 1), ("medium", 1500, 3), ("large", 5000, 7)];

/// Returns the bid with this id.
pub(super) fn find_bid(world: &World, id: Uuid) -> Result<&Bid, Reply> {
    let bid = world.own.get::<Market>().and_then(|market| market.bids.iter().find(|bid| bid.id == id));
    bid.ok_or_else(|| Reply::none("Bid"))
}

fn task<'w>(world: &'w World, call: &Call<'_>) -> Result<&'w Post, Reply> {
    let post = world.post(call.id("post_id")?)?;
    if post.post_type == "paid_task" { Ok(post) } else { Err(Reply::none("Task")) }
}

/// Returns the task, for its poster only.
fn own_task(world: &World, call: &Call<'_>) -> Result<Uuid, Reply> {
    let task = task(world, call)?;
    if task.author != call.me()? {
        return Err(Reply::forbidden("FORBIDDEN", "This task is not yours"));
    }
    Ok(task.id)
}

fn tasks(world: &mut World, call: &Call<'_>) -> Answer {
    let page = call.page(20, 100)?;
    let sort = call.query_choice("sort", &["newest", "new", "top", "budget"], "newest")?;
    let (category, status) = (call.query("category"), call.query("status"));
    let mut rows: Vec<&Post> = world
        .live_posts()
        .filter(|post| post.post_type == "paid_task")
        .filter(|post| category.is_none_or(|wanted| post.metadata["category"] == wanted))
        .filter(|post| status.is_none_or(|wanted| (wanted == "closed") == post.closed.is_some()))
        .collect();
    posts::order(&mut rows, sort);
    if sort == "budget" {
        rows.sort_by_key(|post| -post.metadata["budget_max_sats"].as_i64().unwrap_or(0));
    }
    Ok(Reply::ok(&page.envelope(&rows, |post| world.post_json(post, false))))
}

fn bid_json(world: &World, bid: &Bid) -> Value {
    json!({
        "id": bid.id,
        "post_id": bid.task,
        "bidder": world.user_json(bid.bidder),
        "bid_amount_sats": bid.sats,
        "bid_description": bid.text,
        "status": bid.status,
        "created_at": time(bid.created),
        "updated_at": time(bid.updated),
    })
}

fn bids(world: &mut World, call: &Call<'_>) -> Answer {
    let (task, page) = (task(world, call)?.id, call.page(20, 100)?);
    let market = world.own.get::<Market>();
    let rows: Vec<&Bid> =
        market.into_iter().flat_map(|market| &market.bids).filter(|bid| bid.task == task).collect();
    Ok(Reply::ok(&page.envelope(&rows, |bid| bid_json(world, bid))))
}

fn bid(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, created) = (call.me()?, world.now());
    let sats = call.number("bid_amount_sats", 1, 100_000_000)?;
    let text = call.text("bid_description", 10, 5000)?;
    let task = task(world, call)?;
    let (task, poster, closed) = (task.id, task.author, task.closed.is_some());
    if sats < 21 {
        return Err(Reply::bad_input("A bid is of 21 sats at least"));
    }
    if poster == me || closed {
        return Err(Reply::bad_input("The task is your own, or takes no more bids"));
    }
    let market = world.own.of::<Market>();
    if market.bids.iter().any(|bid| bid.task == task && bid.bidder == me && bid.status == "pending") {
        return Err(Reply::conflict("You have a bid on this task"));
    }
    let id = Uuid::new_v4();
    market.bids.push(Bid { id, task, bidder: me, sats, text, status: "pending", created, updated: created });
    let fields = json!({
        "post_id": task, "bidder": world.username(me), "post_title": world.title(task), "amount_sats": sats,
    });
    world.emit(To::User(poster), "bid_received", fields);
    Ok(Reply::created(&bid_json(world, find_bid(world, id)?)))
}

/// Changes the state of a pending bid.
fn settle_bid(world: &mut World, id: Uuid, status: &'static str) -> Result<(), Reply> {
    let now = world.now();
    let bid = world.own.of::<Market>().bids.iter_mut().find(|bid| bid.id == id);
    let bid = bid.ok_or_else(|| Reply::none("Bid"))?;
    if bid.status != "pending" {
        return Err(Reply::bad_input(format!("The bid is {}", bid.status)));
    }
    (bid.status, bid.updated) = (status, now);
    let (task, bidder) = (bid.task, bid.bidder);
    let poster = world.username(world.post(task)?.author).to_owned();
    let fields = json!({"post_id": task, "poster": poster, "post_title": world.title(task)});
    match status {
        "accepted" => world.emit(To::User(bidder), "bid_accepted", fields),
        "rejected" => world.emit(To::User(bidder), "bid_rejected", fields),
        _ => {}
    }
    Ok(())
}

/// Returns the bid in the path, on the task in the path.
fn named_bid(world: &World, call: &Call<'_>) -> Result<Uuid, Reply> {
    let bid = find_bid(world, call.id("bid_id")?)?;
    if bid.task == call.id("post_id")? { Ok(bid.id) } else { Err(Reply::none("Bid")) }
}

/// Accepts a bid: the other bids are rejected, and the poster gets an invoice.
fn accept(world: &mut World, call: &Call<'_>) -> Answer {
    let (task, id, created) = (own_task(world, call)?, named_bid(world, call)?, world.now());
    settle_bid(world, id, "accepted")?;
    let others: Vec<Uuid> = world
        .own
        .of::<Market>()
        .bids
        .iter()
        .filter(|bid| bid.task == task && bid.status == "pending")
        .map(|bid| bid.id)
        .collect();
    for other in others {
        settle_bid(world, other, "rejected")?;
    }
    let (worker, sats) = find_bid(world, id).map(|bid| (bid.bidder, bid.sats))?;
    let invoice = world.invoice(sats).hash;
    let payment = Payment { id: Uuid::new_v4(), bid: id, worker, sats, invoice, created, paid: None };
    world.own.of::<Market>().payments.insert(task, payment);
    Ok(Reply::ok(&bid_json(world, find_bid(world, id)?)))
}

fn reject(world: &mut World, call: &Call<'_>) -> Answer {
    own_task(world, call)?;
    let id = named_bid(world, call)?;
    settle_bid(world, id, "rejected")?;
    Ok(Reply::ok(&bid_json(world, find_bid(world, id)?)))
}

fn withdraw(world: &mut World, call: &Call<'_>) -> Answer {
    let id = named_bid(world, call)?;
    if find_bid(world, id)?.bidder != call.me()? {
        return Err(Reply::forbidden("FORBIDDEN", "This bid is not yours"));
    }
    settle_bid(world, id, "withdrawn")?;
    Ok(Reply::ok(&bid_json(world, find_bid(world, id)?)))
}

/// Notifies workers of payments, once.
pub(super) fn settle(world: &mut World) {
    let open: Vec<(Uuid, Payment)> = world
        .own
        .of::<Market>()
        .payments
        .iter()
        .filter(|(_, payment)| payment.paid.is_none())
        .map(|(task, payment)| (*task, payment.clone()))
        .collect();
    for (task, payment) in open {
        if let Some(paid) = world.paid(&payment.invoice) {
            if let Some(known) = world.own.of::<Market>().payments.get_mut(&task) {
                known.paid = Some(paid);
            }
            let fields = json!({
                "post_id": task, "post_title": world.title(task), "amount_sats": payment.sats,
            });
            world.emit(To::User(payment.worker), "payment_received", fields);
        }
    }
}

/// Returns a task's payment, for its poster and its worker.
fn own_payment(world: &World, call: &Call<'_>) -> Result<Option<Payment>, Reply> {
    let (me, task) = (call.me()?, task(world, call)?);
    let payment = world.own.get::<Market>().and_then(|market| market.payments.get(&task.id));
    if task.author != me && payment.is_none_or(|payment| payment.worker != me) {
        return Err(Reply::forbidden("FORBIDDEN", "This task is not yours"));
    }
    Ok(payment.cloned())
}

fn payment_state(world: &World, payment: &Payment, now: Timestamp) -> (&'static str, Option<Timestamp>) {
    let paid = world.paid(&payment.invoice);
    let expired = world.ledger.get(&payment.invoice).is_some_and(|invoice| invoice.expires < now);
    match paid {
        Some(_) => ("paid", paid),
        None if expired => ("expired", None),
        None => ("invoice_generated", None),
    }
}

fn payment(world: &mut World, call: &Call<'_>) -> Answer {
    let now = world.now();
    let Some(payment) = own_payment(world, call)? else { return Ok(Reply::ok(&Value::Null)) };
    let (status, paid) = payment_state(world, &payment, now);
    let invoice = world.ledger.get(&payment.invoice);
    Ok(Reply::ok(&json!({
        "id": payment.id,
        "post_id": call.id("post_id")?,
        "bid_id": payment.bid,
        "worker": world.user_json(payment.worker),
        "payment_amount_sats": payment.sats,
        "lightning_invoice": invoice.map_or("", |invoice| &invoice.request),
        "payment_hash": payment.invoice,
        "status": status,
        "invoice_expires_at": invoice.map(|invoice| time(invoice.expires)),
        "paid_at": time_opt(paid),
        "created_at": time(payment.created),
    })))
}

fn check(world: &mut World, call: &Call<'_>) -> Answer {
    let now = world.now();
    settle(world);
    let payment = own_payment(world, call)?.ok_or_else(|| Reply::none("Payment"))?;
    let (status, paid) = payment_state(world, &payment, now);
    Ok(Reply::ok(&json!({"payment_hash": payment.invoice, "status": status, "paid_at": time_opt(paid)})))
}

fn complete(world: &mut World, call: &Call<'_>) -> Answer {
    let (task, now) = (own_task(world, call)?, world.now());
    let payment = own_payment(world, call)?.ok_or_else(|| Reply::bad_input("No bid was accepted"))?;
    let market = world.own.of::<Market>();
    if market.completed.contains(&task) {
        return Err(Reply::conflict("The task is completed already"));
    }
    market.completed.push(task);
    world.post_mut(task)?.closed = Some(now);
    let poster = world.username(call.me()?).to_owned();
    let fields = json!({"post_id": task, "post_title": world.title(task), "poster": poster});
    world.emit(To::User(payment.worker), "task_completed", fields);
    Ok(Reply::status(200, "completed"))
}

fn bounty(world: &mut World, call: &Call<'_>) -> Answer {
    let id = world.post(call.id("post_id")?)?.id;
    let bounty = world.own.get::<Market>().and_then(|market| market.bounties.get(&id));
    let bounty = bounty.map(|bounty| {
        json!({
            "id": bounty.id,
            "amount": bounty.amount,
            "poster": world.person_json(bounty.poster),
            "created_at": time(bounty.created),
        })
    });
    Ok(Reply::ok(&json!({ "bounty": bounty })))
}

/// Offers karma for the best answer; it is deducted at once.
fn set_bounty(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, created) = (call.me()?, world.now());
    let amount =
        call.query_number("amount", 1, 10_000)?.ok_or_else(|| Reply::missing(&["query", "amount"]))?;
    let post = world.post(call.id("post_id")?)?;
    let (id, author) = (post.id, post.author);
    if author != me {
        return Err(Reply::forbidden("FORBIDDEN", "This post is not yours"));
    }
    if world.karma(me) < amount {
        return Err(Reply::forbidden("KARMA_TOO_LOW", "You have less karma than that"));
    }
    let bounties = &mut world.own.of::<Market>().bounties;
    if bounties.contains_key(&id) {
        return Err(Reply::conflict("This post has a bounty"));
    }
    let bounty = Uuid::new_v4();
    bounties.insert(id, Bounty { id: bounty, poster: me, amount, created });
    world.add_karma(me, -amount);
    Ok(Reply::created(&json!({
        "status": "created",
        "bounty_id": bounty,
        "amount": amount,
        "your_remaining_karma": world.karma(me),
    })))
}

/// Removes and returns the caller's bounty on the post in the path.
fn take_bounty(world: &mut World, call: &Call<'_>) -> Result<Bounty, Reply> {
    let (me, id) = (call.me()?, world.post(call.id("post_id")?)?.id);
    let bounties = &mut world.own.of::<Market>().bounties;
    match bounties.get(&id) {
        None => Err(Reply::none("Bounty")),
        Some(bounty) if bounty.poster != me => Err(Reply::forbidden("FORBIDDEN", "This bounty is not yours")),
        Some(_) => bounties.remove(&id).ok_or_else(|| Reply::none("Bounty")),
    }
}

/// Cancels the bounty. A fifth is lost.
fn cancel_bounty(world: &mut World, call: &Call<'_>) -> Answer {
    let bounty = take_bounty(world, call)?;
    let refunded = bounty.amount * 4 / 5;
    world.add_karma(bounty.poster, refunded);
    Ok(Reply::ok(&json!({
        "status": "cancelled",
        "refunded": refunded,
        "burned": bounty.amount - refunded,
        "your_remaining_karma": world.karma(bounty.poster),
    })))
}

fn award_bounty(world: &mut World, call: &Call<'_>) -> Answer {
    let id = call.query_id("comment_id")?.ok_or_else(|| Reply::missing(&["query", "comment_id"]))?;
    let comment = world.comment(id)?;
    let author = comment.author;
    if comment.post != call.id("post_id")? || author == call.me()? {
        return Err(Reply::bad_input("The comment is on another post, or your own"));
    }
    let bounty = take_bounty(world, call)?;
    world.add_karma(author, bounty.amount);
    Ok(Reply::ok(&json!({
        "status": "awarded", "amount": bounty.amount, "awarded_to": world.username(author),
    })))
}

fn boost(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, post) = (call.me()?, world.post(call.id("post_id")?)?.id);
    let wanted = call.text("tier", 1, 40)?;
    let tier = TIERS.iter().find(|tier| tier.0 == wanted);
    let &(tier, sats, days) = tier.ok_or_else(|| Reply::bad_input("tier is small, medium or large"))?;
    let invoice = world.invoice(sats);
    let id = Uuid::new_v4();
    let boost = Boost { id, post, user: me, sats, days, invoice: invoice.hash.clone() };
    world.own.of::<Market>().boosts.push(boost);
    Ok(Reply::created(&json!({
        "id": id,
        "post_id": post,
        "tier": tier,
        "amount_sats": sats,
        "duration_days": days,
        "payment_hash": invoice.hash,
        "payment_request": invoice.request,
        "status": "pending",
        "expires_at": time(invoice.expires),
    })))
}

fn boost_status(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, id) = (call.me()?, call.id("boost_id")?);
    let mut boosts = world.own.get::<Market>().into_iter().flat_map(|market| &market.boosts);
    let boost =
        boosts.find(|boost| boost.id == id && boost.user == me).ok_or_else(|| Reply::none("Boost"))?;
    let paid = world.paid(&boost.invoice);
    Ok(Reply::ok(&json!({
        "id": boost.id,
        "post_id": boost.post,
        "status": if paid.is_some() { "active" } else { "pending" },
        "amount_sats": boost.sats,
        "duration_days": boost.days,
        "boost_expires_at": time_opt(paid.map(|at| after_hours(at, 24 * boost.days))),
    })))
}
