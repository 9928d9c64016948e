#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))] // docs.rs shows the feature of each item

mod backend;
mod key;

pub use crate::backend::{Backend, Lock, Snapshot};
pub use crate::key::{RecordName, StoreKey};
