//! Where there are no locks, or nobody gives one up: a lock saves work and is never a reason to fail.

use colony_async::api::account::GetMe;
use colony_tests::{failing::Failing, played::Played};
use rustix::io::Errno;

use crate::place::client;

/// What file systems without locks answer, and [`Errno::WOULDBLOCK`] for a holder who never ends.
const REFUSALS: [Errno; 6] =
    [Errno::NOLCK, Errno::OPNOTSUPP, Errno::NOSYS, Errno::ACCESS, Errno::ROFS, Errno::WOULDBLOCK];

#[tokio::test]
async fn the_login_goes_on_without_a_lock() {
    for errno in REFUSALS {
        let home = tempfile::tempdir().expect("a directory");
        let directory = home.path().join("colony-sdk");
        let service = Played::default();
        let disk = Failing::always("try_lock", errno.raw_os_error());
        let first = client(&service, &directory, Some(&disk));
        first.execute(GetMe::default()).await.unwrap_or_else(|error| panic!("{errno:?}: {error}"));
        assert!(!disk.failed().is_empty(), "{errno:?}: nobody tried");

        // And what it got is shared all the same.
        let second = client(&service, &directory, Some(&disk));
        second.execute(GetMe::default()).await.unwrap_or_else(|error| panic!("{errno:?}: {error}"));
        assert_eq!(service.logins(), 1, "{errno:?}");

        // Nor is a rejected token any trouble.
        service.revoke();
        second.execute(GetMe::default()).await.unwrap_or_else(|error| panic!("{errno:?}: {error}"));
        first.execute(GetMe::default()).await.unwrap_or_else(|error| panic!("{errno:?}: {error}"));
        assert_eq!(service.logins(), 2, "{errno:?}");
    }
}
