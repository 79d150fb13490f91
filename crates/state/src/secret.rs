//! Secrets at rest: what a document must hold but nobody may read again, such as a password.
//!
//! ChaCha20-Poly1305 (RFC 8439) with a random nonce; the place where the secret belongs is
//! authenticated with it, so that a sealed secret cannot be moved to another document.

use std::fmt;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::error::SecretError;
use crate::keys::Keys;

/// How a sealed secret begins, wherever it stands.
const PREFIX: &str = "sealed:1:";

/// A secret in the clear. Neither shown nor logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Longer texts are no passwords, keys or tokens.
    pub const MAX_BYTES: usize = 16 * 1024;

    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for whom it must be sent to.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether a text is a sealed secret.
    pub fn is_sealed(text: &str) -> bool {
        text.starts_with(PREFIX)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Encrypts; `place` says where the secret belongs, such as `channel/ops-mail/password`.
pub(crate) fn seal(keys: &Keys, place: &str, secret: &Secret) -> Result<String, SecretError> {
    let text = secret.reveal();
    if text.len() > Secret::MAX_BYTES {
        return Err(SecretError::TooLong { bytes: text.len(), max: Secret::MAX_BYTES });
    }
    let mut nonce = [0; NONCE_LEN];
    SystemRandom::new().fill(&mut nonce).map_err(|_| SecretError::Random)?;
    let mut data = text.as_bytes().to_vec();
    key(keys)?
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(place.as_bytes()),
            &mut data,
        )
        .map_err(|_| SecretError::Damaged)?;
    let hex = nonce.iter().chain(&data).flat_map(|byte| [byte >> 4, byte & 15]);
    let digits = hex.filter_map(|half| char::from_digit(u32::from(half), 16));
    Ok(PREFIX.chars().chain(digits).collect())
}

pub(crate) fn open(keys: &Keys, place: &str, sealed: &str) -> Result<Secret, SecretError> {
    let damaged = || SecretError::Damaged;
    let bytes = sealed.strip_prefix(PREFIX).and_then(from_hex).ok_or_else(damaged)?;
    let (nonce, data) = bytes.split_at_checked(NONCE_LEN).ok_or_else(damaged)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| damaged())?;
    let mut data = data.to_vec();
    let opened = key(keys)?
        .open_in_place(nonce, Aad::from(place.as_bytes()), &mut data)
        .map_err(|_| damaged())?;
    std::str::from_utf8(opened).map(Secret::new).map_err(|_| damaged())
}

fn key(keys: &Keys) -> Result<LessSafeKey, SecretError> {
    let key = UnboundKey::new(&CHACHA20_POLY1305, &keys.secrets);
    Ok(LessSafeKey::new(key.map_err(|_| SecretError::Damaged)?))
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if text.len() > 4 * Secret::MAX_BYTES || !text.is_ascii() {
        return None;
    }
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
