//! The blocking client is built, used and dropped anywhere.

use colony_blocking::{Client, api::account::GetMe};

use crate::place::{KEY, Scripted};

const fn sent_and_shared<T: Send + Sync + Clone + 'static>() {}
const _: () = sent_and_shared::<Client>();

fn client(scripted: &Scripted) -> Client {
    Client::builder(KEY)
        .base_url(scripted.service.base_url())
        .token_cache_dir(scripted.directory.path())
        .timer(scripted.clock.clone())
        .build()
        .expect("a client")
}

fn use_it(client: &Client) {
    client.execute_json(GetMe::default()).expect("a call");
    client.auth().forget_token().expect("forgotten");
    client.auth().token().expect("a token");
}

#[tokio::test(flavor = "current_thread")]
async fn inside_a_runtime_of_one_thread() {
    let scripted = Scripted::flowing();
    let one = client(&scripted);
    use_it(&one);
    drop(one);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inside_a_runtime_of_many_threads() {
    let scripted = Scripted::flowing();
    let one = client(&scripted);
    use_it(&one);
    let moved = one.clone();
    tokio::spawn(async move { use_it(&moved) }).await.expect("no panic");
    drop(one);
}

#[tokio::test(flavor = "current_thread")]
async fn inside_blocking_work_and_local_tasks() {
    let scripted = Scripted::flowing();
    let one = client(&scripted);
    let moved = one.clone();
    tokio::task::spawn_blocking(move || use_it(&moved)).await.expect("no panic");
    let tasks = tokio::task::LocalSet::new();
    tasks
        .run_until(async { tokio::task::spawn_local(async move { use_it(&one) }).await.expect("no panic") })
        .await;
}

#[test]
fn a_client_outlives_the_runtime_it_was_built_in() {
    let scripted = Scripted::flowing();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let one = runtime.block_on(async { client(&scripted) });
    use_it(&one);
    drop(runtime);
    use_it(&one);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async move { drop(one) });
}

#[test]
fn in_threads_and_from_one_to_the_other() {
    let scripted = Scripted::flowing();
    let one = client(&scripted);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| use_it(&one));
        }
        scope.spawn(|| drop(client(&scripted)));
    });
    std::thread::spawn(move || drop(one)).join().expect("no panic");
}
