//! From a method of the Python package to the method here.
#![doc = include_str!("../docs/python-names.md")]
