//! How a row vouches for itself: a keyed hash over all that it holds, in the place where it stands.
//!
//! SQLite's pages carry no checksum: of forty flipped bits its own check found three.

use ring::hmac;

use crate::error::StateError;

/// Half of an HMAC-SHA256 is plenty for accidents, and enough against forgery.
const SEAL_BYTES: usize = 16;

/// Feeds a row's fields, each with its length, so that no two rows look alike.
pub(crate) struct Sealer {
    context: hmac::Context,
}

impl Sealer {
    /// `place` names the table.
    pub(crate) fn new(key: &hmac::Key, place: &str) -> Self {
        Self { context: hmac::Context::with_key(key) }.text(place)
    }

    pub(crate) fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.context.update(&(bytes.len() as u64).to_le_bytes());
        self.context.update(bytes);
        self
    }

    pub(crate) fn number(self, number: i64) -> Self {
        self.bytes(&number.to_le_bytes())
    }

    pub(crate) fn finish(self) -> [u8; SEAL_BYTES] {
        let tag = self.context.sign();
        let mut seal = [0; SEAL_BYTES];
        seal.copy_from_slice(&tag.as_ref()[..SEAL_BYTES]);
        seal
    }

    /// Compares with a stored seal; `what` names the row for people.
    pub(crate) fn check(self, stored: &[u8], what: impl Fn() -> String) -> Result<(), StateError> {
        if self.finish() == stored { Ok(()) } else { Err(StateError::Damaged { what: what() }) }
    }
}
