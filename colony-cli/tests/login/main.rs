//! Logins that the command line stores: the real binary against a real sandbox, each in its own home directory.

mod bench;
#[cfg(target_os = "linux")]
mod browser;
#[cfg(target_os = "linux")]
mod doctor;
#[cfg(all(feature = "redis", target_os = "linux"))]
mod doctor_store;
#[cfg(unix)]
mod key_command;
#[cfg(all(feature = "keyring", target_os = "linux"))]
mod keyring;
mod keys;
#[cfg(unix)]
mod log;
mod moved;
mod openid;
mod parallel;
#[cfg(unix)]
mod places;
mod profiles;
#[cfg(target_os = "linux")]
mod proxied;
#[cfg(target_os = "linux")]
mod remedies;
#[cfg(unix)]
mod rotation;
mod secrets;
#[cfg(unix)]
mod signals;
mod store;
#[cfg(target_os = "linux")]
mod tools;
