//! What the [gate](crate::gate) is built on. By itself, so that a model checker can put its own in their place.

pub(crate) use std::sync::{Mutex, PoisonError};

pub(crate) use crate::background::{Finished, Lost, spawn};
