//! The primitives of the [gate](crate::gate), in a separate module so that a model checker can replace them.

pub(crate) use std::sync::{Mutex, PoisonError};

pub(crate) use crate::background::{Finished, Lost, spawn};
