//! The sandbox as an OpenID provider, over plain HTTP: nothing here knows its types but the controls.

mod client;
mod codes;
mod devices;
mod exchange;
mod refresh;
