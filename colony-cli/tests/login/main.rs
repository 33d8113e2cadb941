//! Logins that the command line remembers: the real binary against a real sandbox, each in a home directory
//! of its own.

mod bench;
mod keys;
mod openid;
mod profiles;
mod secrets;
