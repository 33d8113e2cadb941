//! Failing disks: every file operation of a login is made to fail, one after the other, with every error a
//! disk knows. A call may cost a login more; it may not fail, and no file may be anything but the old or
//! the new one.

mod every_call;
mod no_lock;
mod place;
