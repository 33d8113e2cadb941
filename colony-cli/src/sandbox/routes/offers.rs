//! Orders of paid offers: requested, accepted, paid, delivered.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::world::{Post, To, time, time_opt};
use super::{Answer, Call, Reply, Route, World, get, post};

pub(super) const ROUTES: &[Route] = &[
    post("/offers/{post_id}/order", order),
    get("/offers/{post_id}/orders", on_offer),
    get("/offers/orders/mine", mine),
    get("/offers/orders/{order_id}", read),
    post("/offers/orders/{order_id}/accept", accept),
    post("/offers/orders/{order_id}/decline", decline),
    post("/offers/orders/{order_id}/cancel", cancel),
    post("/offers/orders/{order_id}/payment/check", check),
    post("/offers/orders/{order_id}/mark-delivered", deliver),
];

/// All orders, oldest first.
#[derive(Default)]
struct Orders(Vec<Order>);

pub(super) struct Order {
    pub(super) id: Uuid,
    pub(super) offer: Uuid,
    pub(super) buyer: Uuid,
    pub(super) seller: Uuid,
    sats: i64,
    brief: Option<String>,
    pub(super) status: &'static str,
    invoice: Option<String>,
    created: Timestamp,
    updated: Timestamp,
    /// The time of each state change.
    times: Vec<(&'static str, Timestamp)>,
}

fn orders(world: &World) -> &[Order] {
    world.own.get::<Orders>().map_or(&[][..], |orders| &orders.0)
}

/// Returns the order with this id.
pub(super) fn find(world: &World, id: Uuid) -> Result<&Order, Reply> {
    orders(world).iter().find(|order| order.id == id).ok_or_else(|| Reply::none("Order"))
}

fn order_json(world: &World, order: &Order) -> Value {
    let invoice = order.invoice.as_ref().and_then(|hash| world.ledger.get(hash));
    let at = |state: &str| time_opt(order.times.iter().find(|row| row.0 == state).map(|row| row.1));
    json!({
        "id": order.id,
        "post_id": order.offer,
        "buyer": world.user_json(order.buyer),
        "seller": world.user_json(order.seller),
        "agreed_amount_sats": order.sats,
        "buyer_brief": order.brief,
        "status": order.status,
        "lightning_invoice": invoice.map(|invoice| &invoice.request),
        "payment_hash": order.invoice,
        "invoice_expires_at": invoice.map(|invoice| time(invoice.expires)),
        "accepted_at": at("accepted"),
        "declined_at": at("declined"),
        "cancelled_at": at("cancelled"),
        "paid_at": at("paid"),
        "delivered_at": at("delivered"),
        "created_at": time(order.created),
        "updated_at": time(order.updated),
    })
}

fn offer<'w>(world: &'w World, call: &Call<'_>) -> Result<&'w Post, Reply> {
    let post = world.post(call.id("post_id")?)?;
    if post.post_type == "paid_offer" { Ok(post) } else { Err(Reply::none("Offer")) }
}

fn order(world: &mut World, call: &Call<'_>) -> Answer {
    let (buyer, created) = (call.me()?, world.now());
    let brief = call.text_opt("buyer_brief", 0, 2000)?;
    let offer = offer(world, call)?;
    if offer.author == buyer || offer.closed.is_some() {
        return Err(Reply::bad_input("The offer is your own, or closed"));
    }
    let order = Order {
        id: Uuid::new_v4(),
        offer: offer.id,
        buyer,
        seller: offer.author,
        sats: offer.metadata["price_sats"].as_i64().unwrap_or(1000),
        brief,
        status: "requested",
        invoice: None,
        created,
        updated: created,
        times: Vec::new(),
    };
    let (id, reply) = (order.id, Reply::created(&order_json(world, &order)));
    world.own.of::<Orders>().0.push(order);
    tell(world, id, "order_received");
    Ok(reply)
}

/// Notifies the other party of an order's new state.
fn tell(world: &mut World, id: Uuid, name: &'static str) {
    let Ok(order) = find(world, id) else { return };
    let by_buyer = matches!(name, "order_received" | "order_paid");
    let (to, role, who) = match by_buyer {
        true => (order.seller, "buyer", order.buyer),
        false => (order.buyer, "seller", order.seller),
    };
    let mut fields = json!({
        "order_id": order.id, "post_id": order.offer, "post_title": world.title(order.offer),
        role: world.username(who),
    });
    if matches!(name, "order_accepted" | "order_paid") {
        fields["amount_sats"] = order.sats.into();
    }
    world.emit(To::User(to), name, fields);
}

fn list(world: &World, call: &Call<'_>, fits: impl Fn(&Order) -> bool) -> Answer {
    let page = call.page(50, 200)?;
    let rows: Vec<&Order> = orders(world).iter().rev().filter(|order| fits(order)).collect();
    let items = page.array(&rows, |order| order_json(world, order));
    Ok(Reply::ok(&json!({"items": items, "total": rows.len()})))
}

/// Returns the orders, for the maker of the offer.
fn on_offer(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, offer) = (call.me()?, offer(world, call)?);
    if offer.author != me {
        return Err(Reply::none("Offer"));
    }
    list(world, call, |order| order.offer == offer.id)
}

fn mine(world: &mut World, call: &Call<'_>) -> Answer {
    let me = call.me()?;
    let role = call.query_choice("role", &["all", "buyer", "seller"], "all")?;
    list(world, call, |order| role != "seller" && order.buyer == me || role != "buyer" && order.seller == me)
}

/// Returns an order in which the caller is a party.
fn own<'w>(world: &'w World, call: &Call<'_>) -> Result<&'w Order, Reply> {
    let (me, id) = (call.me()?, call.id("order_id")?);
    let order = find(world, id)?;
    if order.buyer == me || order.seller == me { Ok(order) } else { Err(Reply::none("Order")) }
}

fn read(world: &mut World, call: &Call<'_>) -> Answer {
    Ok(Reply::ok(&order_json(world, own(world, call)?)))
}

/// Moves an order from one of these states to the next.
fn advance(world: &mut World, id: Uuid, from: &[&str], to: &'static str) -> Result<(), Reply> {
    let now = world.now();
    let order = world.own.of::<Orders>().0.iter_mut().find(|order| order.id == id);
    let order = order.ok_or_else(|| Reply::none("Order"))?;
    if !from.contains(&order.status) {
        return Err(Reply::error(400, "CONFLICT", format!("The order is {}", order.status)));
    }
    (order.status, order.updated) = (to, now);
    order.times.push((to, now));
    Ok(())
}

/// Performs a step reserved to one party, the buyer or the seller.
fn step(
    world: &mut World,
    call: &Call<'_>,
    by_buyer: bool,
    from: &[&str],
    to: &'static str,
) -> Result<Uuid, Reply> {
    let order = own(world, call)?;
    let (id, side) = (order.id, if by_buyer { order.buyer } else { order.seller });
    if side != call.me()? {
        return Err(Reply::forbidden("FORBIDDEN", "This is for the other side of the order"));
    }
    advance(world, id, from, to)?;
    Ok(id)
}

fn accept(world: &mut World, call: &Call<'_>) -> Answer {
    let id = step(world, call, false, &["requested"], "accepted")?;
    let sats = find(world, id)?.sats;
    let invoice = world.invoice(sats).hash;
    if let Some(order) = world.own.of::<Orders>().0.iter_mut().find(|order| order.id == id) {
        order.invoice = Some(invoice);
    }
    tell(world, id, "order_accepted");
    read(world, call)
}

fn decline(world: &mut World, call: &Call<'_>) -> Answer {
    let id = step(world, call, false, &["requested"], "declined")?;
    tell(world, id, "order_declined");
    read(world, call)
}

fn cancel(world: &mut World, call: &Call<'_>) -> Answer {
    step(world, call, true, &["requested", "accepted"], "cancelled")?;
    read(world, call)
}

fn deliver(world: &mut World, call: &Call<'_>) -> Answer {
    let id = step(world, call, false, &["paid"], "delivered")?;
    tell(world, id, "order_delivered");
    read(world, call)
}

/// Marks orders whose invoices were paid.
pub(super) fn settle(world: &mut World) {
    let paid = |order: &&Order| {
        order.status == "accepted" && order.invoice.as_ref().is_some_and(|hash| world.paid(hash).is_some())
    };
    let ids: Vec<Uuid> = orders(world).iter().filter(paid).map(|order| order.id).collect();
    for id in ids {
        // The order is accepted, so it can be paid.
        let _ = advance(world, id, &["accepted"], "paid");
        tell(world, id, "order_paid");
    }
}

fn check(world: &mut World, call: &Call<'_>) -> Answer {
    settle(world);
    read(world, call)
}
