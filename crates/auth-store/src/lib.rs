// The README's example opens a folder, so it is compiled only with that feature.
#![cfg_attr(any(not(doctest), feature = "file"), doc = include_str!("../README.md"))]
#![cfg_attr(docsrs, feature(doc_cfg))] // docs.rs shows the feature of each item

mod backend;
mod breaker;
#[cfg(any(test, feature = "test-util"))]
pub mod contract;
#[cfg(test)]
mod faulty;
#[cfg(feature = "file")]
mod file;
pub mod guide;
mod id;
mod key;
mod memory;
#[cfg(any(test, feature = "test-util"))]
mod opened;
mod random;
mod record;
#[cfg(feature = "redis-1")]
mod redis;
mod seal;
mod shared;
mod trace;

pub use crate::backend::{Backend, Lock, Snapshot};
#[cfg(feature = "file")]
pub use crate::file::{FileBackend, FileStore};
pub use crate::key::{RecordName, StoreKey};
pub use crate::memory::MemoryBackend;
#[cfg(any(test, feature = "test-util"))]
pub use crate::opened::Opened;
#[cfg(feature = "redis-1")]
pub use crate::redis::{RedisBackend, RedisBuilder, RedisStore};
pub use crate::shared::SharedStore;
