//! Locking without `unwrap`.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a mutex. A holder never panics, and if it did the data would still be whole: every change is one insertion.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
