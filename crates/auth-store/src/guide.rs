//! Guides: many replicas, a store of your own.
//!
//! They are the markdown files in the package's `docs` folder; their code blocks are compiled, with the
//! features that they need.

#[cfg_attr(any(not(doctest), feature = "file"), doc = include_str!("../docs/many_replicas.md"))]
pub mod many_replicas {}

#[cfg_attr(any(not(doctest), feature = "test-util"), doc = include_str!("../docs/own_store.md"))]
pub mod own_store {}
