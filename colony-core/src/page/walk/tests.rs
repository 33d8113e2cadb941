use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde_json::json;

use super::*;

fn pages(paging: Paging, limit: Option<usize>) -> Pages {
    Pages::new(Request::new("iter_x", Method::GET, "/x"), paging).limit(limit)
}

fn reply(body: &Value) -> Reply {
    Reply::new(StatusCode::OK, HeaderMap::new(), Bytes::from(body.to_string()))
}

/// Rows of these ids.
fn rows(ids: impl IntoIterator<Item = usize>) -> Vec<Value> {
    ids.into_iter().map(|id| json!({"id": id.to_string()})).collect()
}

/// Walks to the end against a server that answers the n-th request, for this position; says what came and how many
/// requests it took.
fn walk(mut walk: Pages, mut server: impl FnMut(usize, usize) -> Value) -> (Result<Vec<usize>>, usize) {
    let (mut ids, mut asked) = (Vec::new(), 0);
    loop {
        let request = match walk.next() {
            Ok(Step::Send(request)) => request,
            Ok(Step::Done) => return (Ok(ids), asked),
            Err(error) => return (Err(error), asked),
        };
        let position = request.query_pairs().last().map_or(0, |(_, value)| value.parse().unwrap_or(0));
        match walk.take(reply(&server(asked, position))) {
            Ok(items) => {
                ids.extend(items.iter().map(|row| row["id"].as_str().unwrap().parse::<usize>().unwrap()));
            }
            Err(error) => return (Err(error), asked + 1),
        }
        asked += 1;
        assert!(asked < 100, "it goes on for ever");
    }
}

fn window(all: &[usize], position: usize, size: usize) -> Vec<Value> {
    rows(all.iter().copied().skip(position).take(size))
}

#[test]
fn a_server_that_caps_its_pages_loses_no_rows() {
    let all: Vec<usize> = (0..130).collect();
    let says_more = |_, at| json!({"items": window(&all, at, 50), "has_more": at + 50 < 130});
    let (found, asked) = walk(pages(Paging::Offset, None), says_more);
    assert_eq!((found.unwrap(), asked), (all.clone(), 3));
    let says_total = |_, at| json!({"items": window(&all, at, 50), "total": 130});
    let (found, asked) = walk(pages(Paging::Offset, None), says_total);
    assert_eq!((found.unwrap(), asked), (all.clone(), 3));
    let (found, asked) = walk(pages(Paging::BareArray, None), |_, at| json!(window(&all, at, 50)));
    assert_eq!((found.unwrap(), asked), (all.clone(), 3));
    // A page that is short and the first one might be capped: one more request tells. No cap is as low as three.
    let (found, asked) = walk(pages(Paging::BareArray, None), |_, at| json!(window(&all[..7], at, 50)));
    assert_eq!((found.unwrap().len(), asked), (7, 2));
    let (found, asked) = walk(pages(Paging::BareArray, None), |_, at| json!(window(&all[..3], at, 50)));
    assert_eq!((found.unwrap(), asked), (vec![0, 1, 2], 1));
}

#[test]
fn a_server_that_ignores_the_position_is_an_error_and_not_a_loop() {
    for paging in [Paging::Offset, Paging::PageNumber, Paging::BareArray] {
        let body = |_, _| {
            let rows = rows(0..5);
            if paging == Paging::BareArray {
                json!(rows)
            } else {
                json!({"items": rows, "total": 5, "has_more": true})
            }
        };
        let (found, asked) = walk(pages(paging, None), body);
        let error = found.unwrap_err();
        assert!(error.message().contains("does not honour"), "{error}");
        // Twice may be chance, where the list can have grown in between.
        let most = if paging == Paging::BareArray { 2 } else { 3 };
        assert_eq!((error.operation(), asked), (Some("iter_x"), most));
    }
    // Rows without an id are known by what they say.
    let mut walk = pages(Paging::Offset, None);
    let page = json!({"items": [{"a": 1}], "has_more": true});
    assert_eq!(walk.take(reply(&page)).unwrap().len(), 1);
    assert_eq!(walk.take(reply(&page)).unwrap().len(), 1);
    assert!(walk.take(reply(&page)).is_err());
}

#[test]
fn pages_in_a_circle_are_an_error() {
    let circle = |asked: usize, _| json!({"items": rows(asked % 3 * 2..asked % 3 * 2 + 2), "has_more": true});
    assert!(walk(pages(Paging::Offset, None), circle).0.is_err());
    let shuffled =
        |asked: usize, _| json!({"items": rows((0..6).map(|n| (n * (asked + 1)) % 7)), "has_more": true});
    assert!(walk(pages(Paging::Offset, None), shuffled).0.is_err());
}

#[test]
fn cursors_are_followed_and_a_repeated_one_is_an_error() {
    let page = |rows: Vec<Value>, next: Option<&str>| json!({"items": rows, "next_cursor": next});
    let mut walk = pages(Paging::Cursor, None);
    let asked = |walk: &mut Pages| match walk.next().unwrap() {
        Step::Send(request) => Some(request.describe().unwrap()["query"].clone()),
        Step::Done => None,
    };
    assert_eq!(asked(&mut walk), Some(json!(null)));
    assert_eq!(walk.take(reply(&page(rows(0..2), Some("a")))).unwrap().len(), 2);
    assert_eq!(asked(&mut walk), Some(json!([["cursor", "a"]])));
    assert_eq!(walk.take(reply(&page(rows(2..3), Some("b")))).unwrap().len(), 1);
    assert_eq!(asked(&mut walk), Some(json!([["cursor", "b"]])));
    let error = walk.take(reply(&page(rows(3..4), Some("a")))).unwrap_err();
    assert!(error.message().contains("repeated a cursor"), "{error}");
    assert_eq!(asked(&mut walk), None);
    let mut walk = pages(Paging::Cursor, None);
    walk.take(reply(&page(rows(0..2), None))).unwrap();
    assert_eq!(asked(&mut walk), None);
}

#[test]
fn rows_that_are_added_meanwhile_come_once_and_hide_none() {
    // Fewer rows than a page holds, as many, and more, before each of the first requests.
    for added in 1..=5 {
        let (found, _) = walk(pages(Paging::Offset, None), |asked, at| {
            let all: Vec<usize> = (0..asked.min(2) * added).map(|n| 100 + n).rev().chain(0..10).collect();
            json!({"items": window(&all, at, 2), "has_more": at + 2 < all.len(), "total": all.len()})
        });
        let found = found.unwrap();
        assert!((0..10).all(|id| found.iter().filter(|x| **x == id).count() == 1), "{added}: {found:?}");
    }
}

#[test]
fn rows_that_are_removed_meanwhile_hide_none() {
    for (paging, removed, requests) in [Paging::Offset, Paging::PageNumber]
        .into_iter()
        .flat_map(|x| [(x, 1, 1), (x, 1, 5), (x, 3, 2), (x, 9, 1)])
    {
        // The first rows go before some requests.
        let (found, _) = walk(pages(paging, None), |asked, at| {
            let all: Vec<usize> = (asked.min(requests) * removed..40).collect();
            let at = if paging == Paging::PageNumber { (at.max(1) - 1) * 4 } else { at };
            json!({"items": window(&all, at, 4), "total": all.len(), "has_more": at + 4 < all.len()})
        });
        let found = found.unwrap();
        let missed: Vec<usize> =
            (requests * removed..40).filter(|id| found.iter().filter(|x| *x == id).count() != 1).collect();
        assert!(missed.is_empty(), "{paging:?} {removed} {requests}: {missed:?} of {found:?}");
    }
}

#[test]
fn a_walk_starts_where_its_request_does() {
    let all: Vec<usize> = (0..20).collect();
    let first = Request::new("iter_x", Method::GET, "/x").query("limit", 4).query("offset", 12);
    let from_there = Pages::new(first, Paging::Offset);
    let (found, _) = walk(from_there, |_, at| json!({"items": window(&all, at, 4), "total": 20}));
    assert_eq!(found.unwrap(), (12..20).collect::<Vec<_>>());
    let first = Request::new("iter_x", Method::GET, "/x").query("page", 3);
    let from_there = Pages::new(first, Paging::PageNumber);
    let (found, _) = walk(from_there, |_, at| {
        let at = (at - 1) * 4;
        json!({"items": window(&all, at, 4), "has_more": at + 4 < 20})
    });
    assert_eq!(found.unwrap(), (8..20).collect::<Vec<_>>());
}

fn is_done(steps: &mut dyn Steps) -> bool {
    matches!(steps.next().unwrap(), Step::Done)
}

#[test]
fn a_limit_at_the_end_of_a_page_asks_for_no_further_page() {
    let mut walk = pages(Paging::Offset, Some(2));
    assert!(!is_done(&mut walk));
    let items = walk.take(reply(&json!({"items": [1, 2], "has_more": true}))).unwrap();
    assert_eq!(items.len(), 2);
    assert!(is_done(&mut walk));
    assert!(is_done(&mut pages(Paging::Offset, Some(0))), "a limit of zero asks for nothing");
}

#[test]
fn an_empty_page_ends_the_walk_even_if_it_promises_more() {
    for paging in [Paging::Offset, Paging::PageNumber] {
        let mut walk = pages(paging, None);
        assert!(!is_done(&mut walk));
        assert!(walk.take(reply(&json!({"items": [], "has_more": true}))).unwrap().is_empty());
        assert!(is_done(&mut walk));
    }
}

#[test]
fn an_error_ends_the_walk() {
    let mut walk = pages(Paging::Offset, None);
    assert!(!is_done(&mut walk));
    assert!(walk.take(Reply::new(StatusCode::NOT_FOUND, HeaderMap::new(), Bytes::new())).is_err());
    assert!(is_done(&mut walk));
}
