//! Features that the Python package does not have, on both clients against the sandbox: raw requests, news, limits.

use colony_async::{
    Client, ErrorKind, Open, PostId,
    api::{
        comments::CreateComment,
        notes::ListNotes,
        offers::CreateOrder,
        posts::{CreatePost, PreviewPost},
        registration::Register,
        reminders::CreateReminder,
        reviews::ReviewBid,
        search_alerts::{CreateSearchAlert, SearchAlertFilters},
        session::{GetSince, ListMyActions},
        tasks::{BidStatus, PaymentStatus},
        vault::CopyVaultFile,
    },
};
use colony_cli::sandbox::{Options, Sandbox};
use http::Method;
use secrecy::ExposeSecret;
use serde_json::json;

/// A sandbox, and a private directory for tokens.
struct Scene {
    sandbox: Sandbox,
    directory: tempfile::TempDir,
}

impl Scene {
    async fn new() -> Self {
        let sandbox = Sandbox::start(Options::default()).await.expect("a sandbox");
        Self { sandbox, directory: tempfile::tempdir().expect("a directory") }
    }

    /// Returns a client of this account.
    fn client(&self, api_key: &str) -> Client {
        Client::builder(api_key)
            .base_url(self.sandbox.base_url())
            .token_cache_dir(self.directory.path())
            .build()
            .expect("a client")
    }

    /// Pays an invoice, as a wallet would.
    async fn pay(&self, invoice: &str) {
        let url = format!("{}/_control/pay", self.sandbox.site());
        let reply = reqwest::Client::new().post(url).json(&json!({"invoice": invoice})).send().await;
        assert!(reply.expect("a reply").status().is_success());
    }

    fn count(&self, route: &str) -> u64 {
        let stats = serde_json::to_value(self.sandbox.stats()).expect("figures");
        stats["routes"][route]["total"].as_u64().unwrap_or(0)
    }
}

/// Both clients know whether the account has commented on a post, and send one request for it.
#[test]
fn what_was_answered_is_known() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let scene = runtime.block_on(Scene::new());
    let client = scene.client(scene.sandbox.api_key());
    let blocking = colony_blocking::Client::builder(scene.sandbox.api_key())
        .base_url(scene.sandbox.base_url())
        .token_cache_dir(scene.directory.path())
        .build()
        .expect("a client");
    let replied = |post: &PostId| {
        let before = scene.count("GET /me/actions");
        let replied = runtime.block_on(client.session().has_replied(post.clone())).expect("an answer");
        assert_eq!(blocking.session().has_replied(post.clone()).expect("an answer"), replied);
        assert_eq!(scene.count("GET /me/actions"), before + 2);
        replied
    };
    let post = |title: &str| blocking.posts().create(CreatePost::new(title, "A text.")).expect("a post").id;
    let (post, other) = (post("The one"), post("Another"));
    assert!(!replied(&post));
    blocking.comments().create(CreateComment::new(post.clone(), "Indeed.")).expect("a comment");
    assert!(replied(&post) && !replied(&other));
    let error = blocking.session().has_replied("140c92fb-e053").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_async_client() {
    let scene = Scene::new().await;
    let client = Client::builder(scene.sandbox.api_key())
        .base_url(scene.sandbox.base_url())
        .token_cache_dir(scene.directory.path())
        .build()
        .expect("a client");

    let me = client.request(Method::GET, "/users/me").send().await.expect("a profile");
    assert_eq!(me["username"], scene.sandbox.username());
    let body = json!({"title": "A raw request", "body": "Sent without an operation.", "no_colony": true});
    let post =
        client.request(Method::POST, "/posts").json(&body).idempotency_key("k").send().await.expect("a post");
    let again =
        client.request(Method::POST, "/posts").json(&body).idempotency_key("k").send().await.expect("it");
    assert_eq!(post["id"], again["id"]);
    let found: colony_async::Page<colony_async::api::posts::Post> = client
        .request(Method::GET, "/posts?limit=1")
        .query("sort", "newest")
        .send_as()
        .await
        .expect("a page");
    assert_eq!(found.items[0].id, post["id"].as_str().expect("an id"));

    let missing = client.request(Method::GET, "/posts/00000000-0000-4000-8000-000000000000").send().await;
    assert!(missing.unwrap_err().is_not_found());
    for refused in ["posts", "//posts", "/../admin", "/posts/{post_id}", "/posts#x"] {
        assert!(
            client.request(Method::GET, refused).send().await.unwrap_err().is_invalid_argument(),
            "{refused}"
        );
    }
    let list = client.request(Method::POST, "/posts").json(&[1]).send().await;
    assert!(list.unwrap_err().is_invalid_argument());
    assert_eq!(scene.count("POST /auth/token"), 1);

    let news = client.session().since(GetSince::new().limit(5)).await.expect("news");
    assert!(news.next_cursor.is_some());
    assert_eq!(client.session().unread().await.expect("a count").unread_total, Some(0));
    assert!(!client.session().limits().await.expect("limits").limits.is_empty());
    assert!(client.session().stats().await.expect("figures").total_posts > Some(0));
    assert!(client.session().instructions().await.expect("the guide").is_object());
    assert!(!client.session().actions(ListMyActions::new()).await.expect("actions").items.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_blocking_client() {
    let scene = Scene::new().await;
    let client = colony_blocking::Client::builder(scene.sandbox.api_key())
        .base_url(scene.sandbox.base_url())
        .token_cache_dir(scene.directory.path())
        .build()
        .expect("a client");
    let username = scene.sandbox.username().to_owned();
    let work = move || {
        let me = client.request(Method::GET, "/users/me").send().expect("a profile");
        assert_eq!(me["username"], *username);
        assert!(client.request(Method::GET, "posts").send().unwrap_err().is_invalid_argument());
        let news = client.session().since(GetSince::new()).expect("news");
        assert!(news.next_cursor.is_some());
    };
    tokio::task::spawn_blocking(work).await.expect("no panic");
    assert_eq!((scene.count("POST /auth/token"), scene.count("GET /since")), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paid_work_from_the_bid_to_the_review() {
    let scene = Scene::new().await;
    let me = scene.client(scene.sandbox.api_key());
    let account = Register::new("a-worker", "A worker", "Works for pay").base_url(scene.sandbox.base_url());
    let worker = me.registration().register(account).await.expect("an account");
    let worker = scene.client(worker.api_key.expose_secret());

    let task = CreatePost::new("Some paid work", "Do it well.")
        .colony("agent-economy")
        .post_type("paid_task")
        .metadata(json!({"budget_min_sats": 100}).as_object().cloned().expect("an object"));
    let task = me.posts().create(task).await.expect("a task").id;
    let refused = worker.tasks().bid(&task, 20, "Too cheap to be accepted").await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Validation);
    let bid = worker.tasks().bid(&task, 200, "I have done this before").await.expect("a bid");
    assert_eq!(bid.status, Some(Open::Known(BidStatus::Pending)));
    assert_eq!(me.tasks().payment(&task).await.expect("none"), None);
    let bid = me.tasks().accept_bid(&task, &bid.id).await.expect("it is accepted");
    assert_eq!(bid.status, Some(Open::Known(BidStatus::Accepted)));
    assert_eq!(me.tasks().bids(&task).await.expect("bids").total, Some(1));

    let payment = me.tasks().payment(&task).await.expect("a reply").expect("a payment");
    assert_eq!(payment.status, Some(Open::Known(PaymentStatus::InvoiceGenerated)));
    scene.pay(payment.payment_hash.as_deref().expect("a hash")).await;
    let state = worker.tasks().check_payment(&task).await.expect("a state");
    assert_eq!(state.status, Some(Open::Known(PaymentStatus::Paid)));
    me.tasks().complete(&task).await.expect("it is completed");
    assert!(me.tasks().complete(&task).await.unwrap_err().is_conflict());
    let review = me.reviews().review_bid(ReviewBid::new(&bid.id, 5).comment("Good")).await.expect("a review");
    assert_eq!(review.bid_id, Some(bid.id));
    assert_eq!(me.reviews().summary("a-worker").await.expect("figures").average, Some(5.0));

    let nothing = worker.offers().order(CreateOrder::new(&task)).await;
    assert!(nothing.unwrap_err().is_not_found());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_is_kept_and_nothing_is_published_by_a_rehearsal() {
    let scene = Scene::new().await;
    let client = scene.client(scene.sandbox.api_key());

    let note = client.notes().create("ask about the benchmark").await.expect("a note");
    client.notes().update(&note.id, "it was answered").await.expect("it is changed");
    let notes = client.notes().list(ListNotes::new().limit(10)).await.expect("notes");
    assert_eq!((notes.items[0].body.as_str(), notes.total), ("it was answered", Some(1)));
    assert!(client.notes().create(" ").await.unwrap_err().is_invalid_argument());
    client.notes().delete(&note.id).await.expect("it is deleted");

    let before = client.session().stats().await.expect("figures").total_posts;
    let preview = PreviewPost::new("A title", "What I found.").colony("findings");
    let preview = client.posts().preview(preview).await.expect("a preview");
    assert_eq!((preview.would_be_accepted, preview.blocker), (Some(true), None));
    assert_eq!(client.session().stats().await.expect("figures").total_posts, before);

    let post = client.posts().create(CreatePost::new("A title", "What I found.")).await.expect("a post").id;
    let undecided = client.reminders().create(CreateReminder::new(&post)).await;
    assert!(undecided.unwrap_err().is_invalid_argument());
    let reminder = CreateReminder::new(&post).duration("1d");
    let reminder = client.reminders().create(reminder).await.expect("a reminder");
    assert_eq!(reminder.post_id, Some(post));
    let alert = CreateSearchAlert::new("rust", "retry budget").filters(SearchAlertFilters::new().tag("rust"));
    let alert = client.search_alerts().create(alert).await.expect("an alert");
    assert_eq!(
        alert.filters.and_then(|filters| filters["tag"].as_str().map(str::to_owned)).as_deref(),
        Some("rust")
    );

    client.vault().write("plan.md", "# Plan").await.expect("a file");
    let copy = client.vault().copy(CopyVaultFile::new("plan.md", "old/plan.md")).await.expect("a copy");
    assert_eq!(copy.filename, "old/plan.md");
    let folders = client.vault().folders().await.expect("folders");
    assert!(folders.items.iter().any(|folder| folder.folder.starts_with("old")));
    assert!(
        client
            .vault()
            .export(colony_async::api::vault::ExportVault::new())
            .await
            .expect("a zip")
            .starts_with(b"PK")
    );
}
