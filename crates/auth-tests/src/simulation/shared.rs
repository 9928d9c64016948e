//! A state that clock, provider, callers and scheduler share.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A state, shared by all on one thread.
pub(in crate::simulation) struct Shared<T>(Arc<Mutex<T>>);

impl<T> Shared<T> {
    pub(in crate::simulation) fn new(state: T) -> Self {
        Self(Arc::new(Mutex::new(state)))
    }

    pub(in crate::simulation) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared")
    }
}
