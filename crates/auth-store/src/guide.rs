//! Guides: many replicas, a store of your own.
//!
//! They are the markdown files in the package's `docs` folder; their code blocks are compiled.

#[doc = include_str!("../docs/many_replicas.md")]
pub mod many_replicas {}

#[doc = include_str!("../docs/own_store.md")]
pub mod own_store {}
