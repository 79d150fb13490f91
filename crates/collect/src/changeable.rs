//! Settings that change while they are used.

use std::sync::PoisonError;

use tracing_mutex::stdsync::Mutex;

/// A setting that whoever uses it asks for anew each time.
#[derive(Debug, Default)]
pub struct Changeable<T>(Mutex<T>);

impl<T: Clone> Changeable<T> {
    pub fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    pub fn get(&self) -> T {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn set(&self, value: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = value;
    }
}
