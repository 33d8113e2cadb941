//! The walk of a list, as an operation of its own.
//!
//! It takes the list's arguments but for where to start, with `page_size` for the list's `limit`, and `max_results`.

use serde::Deserialize as _;
use serde_json::Value;

use super::{Call, arguments};
use crate::{Error, ErrorKind, Result, Sequence};

pub(super) fn names_of<S: Sequence>() -> Vec<&'static str> {
    let of_list = arguments::names_of::<S>().into_iter().filter(|name| *name != S::PAGING.parameter());
    let of_walk = of_list.map(|name| if name == "limit" { "page_size" } else { name });
    of_walk.chain(["max_results"]).collect()
}

pub(super) fn prepare<S: Sequence>(arguments: Value) -> Result<Call> {
    let refused = |message| Error::build(ErrorKind::InvalidArgument, message).operation(S::WALK).finish();
    let Value::Object(mut given) = arguments else {
        return Err(refused(super::NOT_AN_OBJECT.to_owned()));
    };
    let known = names_of::<S>();
    if let Some(unknown) = given.keys().find(|name| !known.contains(&name.as_str())) {
        let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
        return Err(refused(format!("unknown field `{unknown}`, expected one of {}", known.join(", "))));
    }
    let limit = given.remove("max_results").map(Option::<usize>::deserialize).transpose();
    let limit = limit.map_err(|error| refused(format!("argument max_results: {error}")))?.flatten();
    if let Some(size) = given.remove("page_size") {
        given.insert("limit".to_owned(), size);
    }
    let list: S = arguments::read(&given)
        .map_err(|message| refused(message.replace("argument limit:", "argument page_size:")))?;
    let pages = list.pages().limit(limit);
    pages.check()?;
    Ok(Call::List(pages.boxed()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{api::posts::GetPosts, page::Step};

    #[test]
    fn a_walk_takes_its_own_names() {
        assert!(names_of::<GetPosts>().contains(&"page_size"));
        for gone in ["limit", "offset"] {
            assert!(!names_of::<GetPosts>().contains(&gone));
            let refused = prepare::<GetPosts>(json!({gone: 3})).unwrap_err();
            assert!(refused.to_string().contains(&format!("unknown field `{gone}`")), "{refused}");
        }
        for name in ["page_size", "max_results"] {
            let refused = prepare::<GetPosts>(json!({name: "many"})).unwrap_err();
            assert!(refused.message().starts_with(&format!("argument {name}: ")), "{refused}");
        }
        assert!(prepare::<GetPosts>(json!([])).is_err());
        let Call::List(mut walk) = prepare::<GetPosts>(json!({"page_size": 7, "author": "ada"})).unwrap()
        else {
            panic!("a walk is a list")
        };
        let Ok(Step::Send(request)) = walk.next() else { panic!("a request") };
        assert_eq!((request.operation(), request.query_value("limit")), ("iter_posts", Some("7")));
        let Call::List(mut none) = prepare::<GetPosts>(json!({"max_results": 0})).unwrap() else { panic!() };
        assert!(matches!(none.next(), Ok(Step::Done)));
    }
}
