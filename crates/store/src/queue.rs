//! Appends on their way to the writer: a bounded queue in which a full one pushes back.

use std::collections::VecDeque;
use std::sync::PoisonError;
use std::time::Duration;

use tracing_mutex::stdsync::{Condvar, Mutex};

use crate::sync::lock;

#[derive(Debug)]
pub(crate) struct Queue<T> {
    waiting: Mutex<Waiting<T>>,
    capacity: usize,
    /// Something came, or the queue was closed.
    filled: Condvar,
    /// Something went, or the queue was closed.
    drained: Condvar,
}

#[derive(Debug)]
struct Waiting<T> {
    items: VecDeque<(T, usize)>,
    /// Of all items.
    weight: usize,
    closed: bool,
}

/// Why an item was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Full,
    Closed,
}

impl<T> Queue<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            waiting: Mutex::new(Waiting { items: VecDeque::new(), weight: 0, closed: false }),
            capacity,
            filled: Condvar::new(),
            drained: Condvar::new(),
        }
    }

    /// Adds an item, waiting for room at most `patience`.
    pub(crate) fn push(&self, item: T, weight: usize, patience: Duration) -> Result<(), Refused> {
        let waiting = lock(&self.waiting);
        let is_full =
            |waiting: &mut Waiting<T>| !waiting.closed && waiting.items.len() >= self.capacity;
        let (mut waiting, timeout) = self
            .drained
            .wait_timeout_while(waiting, patience, is_full)
            .unwrap_or_else(PoisonError::into_inner);
        if waiting.closed {
            return Err(Refused::Closed);
        }
        if timeout.timed_out() && waiting.items.len() >= self.capacity {
            return Err(Refused::Full);
        }
        waiting.items.push_back((item, weight));
        waiting.weight += weight;
        drop(waiting);
        self.filled.notify_one();
        Ok(())
    }

    /// Waits for items and takes the first ones, until `enough` of them says stop. `None` when the
    /// queue is closed and empty.
    pub(crate) fn take(&self, mut enough: impl FnMut(&T) -> bool) -> Option<Vec<T>> {
        let waiting = lock(&self.waiting);
        let is_empty = |waiting: &mut Waiting<T>| !waiting.closed && waiting.items.is_empty();
        let mut waiting =
            self.filled.wait_while(waiting, is_empty).unwrap_or_else(PoisonError::into_inner);
        let mut taken = Vec::new();
        while let Some((item, weight)) = waiting.items.pop_front() {
            waiting.weight -= weight;
            let stop = enough(&item);
            taken.push(item);
            if stop {
                break;
            }
        }
        drop(waiting);
        self.drained.notify_all();
        (!taken.is_empty()).then_some(taken)
    }

    /// Whether nothing waits, and something may come.
    pub(crate) fn is_idle(&self) -> bool {
        let waiting = lock(&self.waiting);
        waiting.items.is_empty() && !waiting.closed
    }

    /// What all items that wait weigh together.
    pub(crate) fn weight(&self) -> usize {
        lock(&self.waiting).weight
    }

    pub(crate) fn close(&self) {
        lock(&self.waiting).closed = true;
        self.filled.notify_all();
        self.drained.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_refuses_after_the_wait() {
        let queue = Queue::new(1);
        assert_eq!(queue.push(1, 5, Duration::ZERO), Ok(()));
        assert_eq!(queue.push(2, 5, Duration::from_millis(1)), Err(Refused::Full));
        assert_eq!(queue.weight(), 5);
        assert_eq!(queue.take(|_| false), Some(vec![1]));
        assert_eq!(queue.weight(), 0);
        assert_eq!(queue.push(3, 5, Duration::ZERO), Ok(()));
    }

    #[test]
    fn a_closed_queue_hands_out_what_it_has_and_takes_no_more() {
        let queue = Queue::new(4);
        assert_eq!(queue.push(1, 5, Duration::ZERO), Ok(()));
        queue.close();
        assert_eq!(queue.push(2, 5, Duration::from_secs(9)), Err(Refused::Closed));
        assert_eq!(queue.take(|_| false), Some(vec![1]));
        assert_eq!(queue.take(|_| false), None);
    }
}
