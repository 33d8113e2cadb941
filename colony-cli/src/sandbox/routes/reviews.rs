//! Reviews of paid work, by either party to a bid or an order.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::world::{To, time, time_opt};
use super::{Answer, Call, Reply, Route, World, get, market, offers, post};

pub(super) const ROUTES: &[Route] = &[
    post("/reviews/bids/{bid_id}", of_bid),
    post("/reviews/orders/{order_id}", of_order),
    post("/reviews/{review_id}/reply", reply),
    get("/reviews/users/{username}", list).public(),
    get("/reviews/users/{username}/summary", summary).public(),
];

/// All reviews, oldest first.
#[derive(Default)]
struct Reviews(Vec<Review>);

struct Review {
    id: Uuid,
    post: Uuid,
    bid: Option<Uuid>,
    order: Option<Uuid>,
    rater: Uuid,
    ratee: Uuid,
    rating: i64,
    comment: Option<String>,
    reply: Option<(String, Timestamp)>,
    created: Timestamp,
}

fn reviews(world: &World) -> &[Review] {
    world.own.get::<Reviews>().map_or(&[][..], |reviews| &reviews.0)
}

fn review_json(world: &World, review: &Review) -> Value {
    json!({
        "id": review.id,
        "post_id": review.post,
        "bid_id": review.bid,
        "service_order_id": review.order,
        "rater": world.user_json(review.rater),
        "ratee": world.user_json(review.ratee),
        "rating": review.rating,
        "comment": review.comment,
        "reply_body": review.reply.as_ref().map(|reply| &reply.0),
        "reply_at": time_opt(review.reply.as_ref().map(|reply| reply.1)),
        "created_at": time(review.created),
    })
}

/// Stores a review of one party by the other.
fn rate(
    world: &mut World,
    call: &Call<'_>,
    sides: [Uuid; 2],
    post: Uuid,
    (bid, order): (Option<Uuid>, Option<Uuid>),
) -> Answer {
    let (me, created) = (call.me()?, world.now());
    let rating = call.number("rating", 1, 5)?;
    let comment = call.text_opt("comment", 0, 2000)?;
    let ratee = match sides {
        [one, other] if one == me => other,
        [one, other] if other == me => one,
        _ => return Err(Reply::forbidden("FORBIDDEN", "You had no part in this work")),
    };
    if reviews(world).iter().any(|known| known.rater == me && known.bid == bid && known.order == order) {
        return Err(Reply::conflict("You have reviewed this already"));
    }
    let review = Review {
        id: Uuid::new_v4(),
        post,
        bid,
        order,
        rater: me,
        ratee,
        rating,
        comment,
        reply: None,
        created,
    };
    let fields = json!({
        "review_id": review.id, "post_id": post, "post_title": world.title(post),
        "rater": world.username(me), "rating": rating, "has_comment": review.comment.is_some(),
    });
    let answer = Reply::created(&review_json(world, &review));
    world.own.of::<Reviews>().0.push(review);
    world.emit(To::User(ratee), "review_received", fields);
    Ok(answer)
}

fn of_bid(world: &mut World, call: &Call<'_>) -> Answer {
    let bid = market::find_bid(world, call.id("bid_id")?)?;
    if bid.status != "accepted" {
        return Err(Reply::bad_input("Only accepted bids are reviewed"));
    }
    let (id, task, bidder) = (bid.id, bid.task, bid.bidder);
    let poster = world.post(task)?.author;
    rate(world, call, [poster, bidder], task, (Some(id), None))
}

fn of_order(world: &mut World, call: &Call<'_>) -> Answer {
    let order = offers::find(world, call.id("order_id")?)?;
    if order.status != "delivered" {
        return Err(Reply::bad_input("Only delivered orders are reviewed"));
    }
    let (id, sides, offer) = (order.id, [order.buyer, order.seller], order.offer);
    rate(world, call, sides, offer, (None, Some(id)))
}

fn reply(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, id, body, now) = (call.me()?, call.id("review_id")?, call.text("body", 1, 2000)?, world.now());
    let review = world.own.of::<Reviews>().0.iter_mut().find(|review| review.id == id);
    let review = review.ok_or_else(|| Reply::none("Review"))?;
    if review.ratee != me {
        return Err(Reply::forbidden("FORBIDDEN", "This review is not about you"));
    }
    if review.reply.is_some() {
        return Err(Reply::conflict("The review has a reply"));
    }
    review.reply = Some((body, now));
    let (rater, post) = (review.rater, review.post);
    let fields = json!({
        "review_id": id, "post_id": post, "post_title": world.title(post), "replier": world.username(me),
    });
    world.emit(To::User(rater), "review_replied", fields);
    let review = reviews(world).iter().find(|review| review.id == id);
    Ok(Reply::created(&review.map(|review| review_json(world, review))))
}

fn list(world: &mut World, call: &Call<'_>) -> Answer {
    let (user, page) = (world.find_user(call.named_user())?, call.page(20, 100)?);
    let rows: Vec<&Review> = reviews(world).iter().rev().filter(|review| review.ratee == user).collect();
    Ok(Reply::ok(&page.envelope(&rows, |review| review_json(world, review))))
}

fn summary(world: &mut World, call: &Call<'_>) -> Answer {
    let user = world.find_user(call.named_user())?;
    let ratings: Vec<i64> =
        reviews(world).iter().filter(|review| review.ratee == user).map(|review| review.rating).collect();
    let mut histogram: BTreeMap<String, usize> = (1..=5).map(|rating| (rating.to_string(), 0)).collect();
    ratings.iter().for_each(|rating| *histogram.entry(rating.to_string()).or_default() += 1);
    let average = (!ratings.is_empty()).then(|| ratings.iter().sum::<i64>() as f64 / ratings.len() as f64);
    Ok(Reply::ok(&json!({
        "user_id": user, "count": ratings.len(), "average": average, "histogram": histogram,
    })))
}
