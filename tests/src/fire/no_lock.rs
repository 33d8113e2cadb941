//! R11, for the login: without locks, or with a lock that is never released. A lock saves work and is never a reason
//! to fail.

use colony_async::api::account::GetMe;
use rustix::io::Errno;

use super::{Ground, Outcome, Tally, calls::client};
use crate::{failing::Failing, played::Played};

/// The errors of file systems without locks, and [`Errno::WOULDBLOCK`] for a holder that never ends.
const REFUSALS: [Errno; 6] =
    [Errno::NOLCK, Errno::OPNOTSUPP, Errno::NOSYS, Errno::ACCESS, Errno::ROFS, Errno::WOULDBLOCK];

/// Runs two programs without a lock: they share the first one's token, and replace a revoked one.
pub(super) fn run(_: &Ground) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut tally = Tally::of("calls");
    let mut refused = 0;
    for errno in REFUSALS {
        let home = tempfile::tempdir()?;
        let directory = home.path().join("colony-sdk");
        let service = Played::default();
        let disk = Failing::always("try_lock", errno.raw_os_error());
        let programs = [0, 1].map(|_| client(&service, &directory, Some(&disk)));
        for logins in [1, 2] {
            for (number, program) in programs.iter().enumerate() {
                let outcome = runtime.block_on(program.execute(GetMe::default()));
                tally.check(outcome.is_ok(), || format!("{errno:?}, program {number}: {:?}", outcome.err()));
            }
            tally.same("logins", service.logins(), logins);
            service.revoke();
        }
        refused += disk.failed().len() as u64;
    }
    tally.fault("locks refused", refused, 12);
    Ok(tally)
}
