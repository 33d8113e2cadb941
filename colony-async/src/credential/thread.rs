//! Where a refresh runs: on a thread of its own, with a runtime of its own.
//!
//! A refresh token that was sent must have its answer stored. A task would end with the runtime it was
//! started on, in the middle of that; a thread ends with the process only.

use std::{future::Future, thread};

use colony_core::{Error, ErrorKind, Result};
use tokio::sync::oneshot;

/// Does the work on a thread of its own. Whoever waits may go away; the work goes on.
pub(super) async fn run<T, F>(work: impl FnOnce() -> F + Send + 'static) -> Result<T>
where
    T: Send + 'static,
    F: Future<Output = Result<T>>,
{
    let (sender, receiver) = oneshot::channel();
    let start = move || {
        let outcome = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => {
                let outcome = runtime.block_on(work());
                runtime.shutdown_background();
                outcome
            }
            Err(error) => Err(no_thread(error)),
        };
        let _ = sender.send(outcome);
    };
    thread::Builder::new().name("colony-credential".to_owned()).spawn(start).map_err(no_thread)?;
    receiver.await.unwrap_or_else(|_| {
        Err(Error::build(ErrorKind::Config, "the refresh panicked; its message is on stderr").finish())
    })
}

fn no_thread(error: std::io::Error) -> Error {
    Error::build(ErrorKind::CredentialStore, "no thread can be started for the refresh; nothing was sent")
        .source(error)
        .finish()
}
