//! What was sent together is sent together again, and the receiver knows it by the same key, also when
//! the server ended before it could write that it was delivered.
//!
//! Before a digest is sent for the first time, what is in it is written down; that is removed with the
//! outcome.

use std::collections::HashMap;

use barograph_notify::Failure;
use barograph_state::{Change, State, StateError, Status, View};

const SPACE: &str = "digests";

/// A message's place in a digest that may have been sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// The key by which the receiver knows the digest.
    pub(super) key: String,
    pub(super) place: usize,
}

/// The places of all messages that are in a digest, by their ids.
pub(super) fn places(view: &View<'_>) -> Result<HashMap<String, Place>, StateError> {
    let mut places = HashMap::new();
    for (key, body) in view.entries(SPACE)?.items {
        for (place, id) in ids(&body).into_iter().enumerate() {
            places.insert(id, Place { key: key.clone(), place });
        }
    }
    Ok(places)
}

/// Writes down what is in a digest.
pub(super) fn note(state: &State, key: &str, ids: &[&str]) -> Result<(), StateError> {
    let body = serde_json::to_vec(ids).unwrap_or_default();
    state.write(|change| change.set_entry(SPACE, key, &body))
}

/// Whether nobody needs to know any more what was together. Once a receiver may have it, by a lost
/// answer or by an end of the server, it stays as it is: under another key it would be news to them.
pub(super) fn is_over(may_be_known: bool, failure: Option<&Failure>) -> bool {
    failure.is_none_or(|it| it.untaken && !may_be_known)
}

/// A digest was delivered or given up, or its receiver surely has nothing of it.
pub(crate) fn end(change: &mut Change<'_>, key: &str) -> Result<(), StateError> {
    change.remove_entry(SPACE, key).map(drop)
}

/// Forgets digests of which nothing waits any more.
pub(super) fn prune(state: &State) -> Result<(), StateError> {
    state.write(|change| {
        for (key, body) in change.entries(SPACE)?.items {
            // One that is damaged may wait.
            let is_over = |id: &String| {
                change.message(id).is_ok_and(|it| it.is_none_or(|it| it.status != Status::Waiting))
            };
            if ids(&body).iter().all(is_over) {
                end(change, &key)?;
            }
        }
        Ok(())
    })
}

/// What is not understood is in no digest.
fn ids(body: &[u8]) -> Vec<String> {
    serde_json::from_slice(body).unwrap_or_default()
}
