//! The sandbox as an OpenID provider, over plain HTTP: the tests use none of its types but the controls.

mod client;
mod codes;
mod devices;
mod exchange;
mod refresh;
