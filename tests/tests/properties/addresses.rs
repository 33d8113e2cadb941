//! Addresses: the base URL, and arguments in the path.

use colony_core::{
    Base, ErrorKind, Id, PathStyle, PostId, Request, base_url::site_root, kind,
    token::cache_path::normalise_base_url,
};
use http::Method;
use proptest::prelude::*;
use url::Url;

use crate::{cases, holds, holds_for, text};

/// Generates an argument: any text, and ways to leave its path segment.
fn argument() -> impl Strategy<Value = String> {
    let escapes = proptest::sample::select(vec![
        "..",
        ".",
        "%2e%2e",
        "%2E",
        ".%2e",
        "a/../b",
        "../../users/me",
        "..;/",
        "a?b=c",
        "#x",
        "a\\..\\b",
        "//h",
        "\\\\h",
        "a%2Fb",
        "a b",
        "+",
        "\t",
        "\r\nHost: h",
        "é",
        "%00",
        "%",
        "%zz",
        "{post_id}",
        "}{",
        "a:b@h",
    ]);
    prop_oneof![2 => text(), 1 => escapes.prop_map(str::to_owned), 1 => "[a-z0-9-]{1,36}"]
}

/// Returns the segments of a path as a server reads them.
fn segments(path: &str) -> Vec<String> {
    let url = Url::parse(&format!("http://host.example/api/v1{path}")).expect("an address");
    assert_eq!((url.host_str(), url.query(), url.fragment()), (Some("host.example"), None, None), "{path}");
    let decode =
        |segment: &str| percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned();
    url.path_segments().expect("segments").map(decode).collect()
}

#[test]
fn what_is_put_into_a_path_comes_out_as_one_segment() {
    holds("a name, an id and an opaque id in the path", argument(), |value| {
        let id = Id::<kind::Opaque>::from(value.as_str());
        let requests = [
            Request::new("x", Method::GET, "/users/{name}/posts").name("name", value.as_str()),
            Request::new("x", Method::GET, "/users/{name}/posts").id("name", &id),
        ];
        for request in requests {
            match request.path(PathStyle::Escaped) {
                Ok(path) => assert_eq!(segments(&path), ["api", "v1", "users", &value, "posts"], "{path}"),
                Err(error) => {
                    assert!(matches!(&*value, "" | "." | ".."), "{value:?}: {error}");
                    assert_eq!(error.argument(), Some("name"));
                }
            }
        }
        // A typed id is trimmed, and a piece of a UUID is refused.
        let request = Request::new("x", Method::GET, "/posts/{post_id}").id("post_id", &PostId::from(&value));
        let checked = request.check().and_then(|()| request.path(PathStyle::Escaped));
        match checked {
            Ok(path) => assert_eq!(segments(&path), ["api", "v1", "posts", value.trim()], "{path}"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidArgument),
        }
    });
}

#[test]
fn the_path_of_a_file_keeps_its_slashes_and_its_folder() {
    holds("a nested path", argument(), |value| {
        let request = Request::new("x", Method::GET, "/vault/{path}").nested("path", value.as_str());
        match request.path(PathStyle::Escaped) {
            Ok(path) => {
                let expected: Vec<&str> =
                    ["api", "v1", "vault"].into_iter().chain(value.split('/')).collect();
                assert_eq!(segments(&path), expected, "{path}");
            }
            Err(error) => {
                // Also in encoded form, which refuses slightly more than necessary.
                let plain = value.to_ascii_lowercase().replace("%2e", ".");
                let dots = plain.split(['/', '?']).any(|part| matches!(part, "." | ".."));
                assert!(value.is_empty() || dots, "{value:?}: {error}");
            }
        }
    });
}

#[test]
fn in_no_style_does_an_argument_leave_the_host_or_the_api() {
    holds("an id in the style of the Python package", argument(), |value| {
        let id = Id::<kind::Opaque>::from(value.as_str());
        let request = Request::new("x", Method::GET, "/posts/{id}/comments").id("id", &id);
        let Ok(path) = request.path(PathStyle::Compatible) else { return };
        let Ok(url) = Url::parse(&format!("http://host.example/api/v1{path}")) else { return };
        assert_eq!(url.host_str(), Some("host.example"), "{path}");
        assert!(url.path().starts_with("/api/v1/posts/"), "{path} became {url}");
    });
}

#[test]
fn a_raw_path_stays_on_the_host_and_below_the_api() {
    let path = prop_oneof![argument(), argument().prop_map(|text| format!("/{text}"))];
    holds("a path given by hand", path, |path| {
        let Ok(request) = Request::raw(Method::GET, &path) else { return };
        let written = request.path(PathStyle::Escaped).expect("a path");
        let Ok(url) = Url::parse(&format!("http://host.example/api/v1{written}")) else { return };
        assert_eq!((url.host_str(), url.fragment()), (Some("host.example"), None), "{path:?}");
        assert!(url.path().starts_with("/api/v1/"), "{path:?} became {url}");
        assert_eq!(*request.base_part(), Base::Api);
    });
}

#[test]
fn a_base_url_is_normalised_once_and_for_all() {
    let base_url = prop_oneof![
        text(),
        "(https?|ftp|HTTP)://[a-zA-Z0-9.:\\[\\]-]{0,20}(/[a-z0-9.%~_-]{0,6}){0,4}/{0,4}([?#][a-z/]{0,6})?",
        (text(), 0..5_usize).prop_map(|(text, slashes)| text + &"/".repeat(slashes)),
    ];
    holds("a base URL", base_url, |base_url| {
        let normal = normalise_base_url(&base_url);
        assert!(!normal.ends_with('/') && base_url.starts_with(normal));
        assert!(base_url[normal.len()..].bytes().all(|byte| byte == b'/'));
        assert_eq!(normalise_base_url(normal), normal);
        let root = site_root(&base_url);
        assert!(normal.starts_with(root) && !(root.ends_with("/api/v1") && root == normal), "{root}");
        assert_eq!(site_root(normal), root, "slashes at the end do not matter");
    });
}

#[test]
fn a_client_is_built_for_an_address_it_can_reach_or_the_error_says_so() {
    let host =
        prop_oneof!["[a-z0-9.-]{0,12}", Just("127.0.0.1".to_owned()), Just("[::1]".to_owned()), text()];
    let base_url = prop_oneof![
        1 => text(),
        3 => (proptest::sample::select(vec!["http", "https", "ftp", "file", "HTTP", "httpx", ""]), host,
              "(:[0-9]{0,6})?(/[a-z%. ]{0,6}){0,3}/{0,2}([?#@][a-z]{0,3})?")
            .prop_map(|(scheme, host, rest)| format!("{scheme}://{host}{rest}")),
    ];
    // Each client creates a connection pool.
    let few = cases() / 20;
    let directory = tempfile::tempdir().expect("a directory");
    holds_for(few, "a client for a base URL", base_url, |base_url| {
        let built = colony_async::Client::builder("col_planted")
            .base_url(base_url.as_str())
            .token_cache_dir(directory.path())
            .build();
        match built {
            Ok(_) => {
                let url = Url::parse(normalise_base_url(&base_url)).expect("an address");
                assert!(matches!(url.scheme(), "http" | "https") && url.has_host(), "{base_url:?}");
                assert!(url.username().is_empty() && url.password().is_none(), "{base_url:?}");
                assert!(url.query().is_none() && url.fragment().is_none(), "{base_url:?}");
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Config, "{base_url:?}: {error}");
                assert!(error.to_string().contains("base_url"), "{base_url:?}: {error}");
            }
        }
    });
}
