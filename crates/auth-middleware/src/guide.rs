//! Guides: call each provider's API.
//!
//! They are the markdown files in the package's `docs` folder; their code blocks are compiled.

#[doc = include_str!("../docs/call_the_api.md")]
pub mod call_the_api {}
