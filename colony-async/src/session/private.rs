//! Opening what should be a plain file of ours.

use std::fs::OpenOptions;

/// Options for reading: no link is followed, and nobody waits for the other end of a pipe. A file that is
/// made is private from its creation.
pub(super) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        options.mode(0o600).custom_flags(flags.bits().cast_signed());
    }
    options
}
