#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))] // docs.rs shows the feature of each item

mod backend;
mod breaker;
#[cfg(any(test, feature = "test-util"))]
pub mod contract;
mod id;
mod key;
mod memory;
#[cfg(any(test, feature = "test-util"))]
mod opened;
mod record;
mod seal;
mod shared;
mod trace;

pub use crate::backend::{Backend, Lock, Snapshot};
pub use crate::key::{RecordName, StoreKey};
pub use crate::memory::MemoryBackend;
#[cfg(any(test, feature = "test-util"))]
pub use crate::opened::Opened;
pub use crate::shared::SharedStore;
