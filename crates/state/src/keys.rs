//! The key file: one random key, from which the others come.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use ring::hmac::{self, HMAC_SHA256};
use ring::rand::{SecureRandom as _, SystemRandom};
use tempfile::NamedTempFile;

use crate::error::OpenError;

pub(crate) const KEY_BYTES: usize = 32;

/// The keys for each purpose.
pub(crate) struct Keys {
    /// Vouches for rows.
    pub(crate) rows: hmac::Key,
    /// Vouches for what goes out and comes back.
    pub(crate) signatures: hmac::Key,
    /// Encrypts secrets.
    pub(crate) secrets: [u8; KEY_BYTES],
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

impl Keys {
    fn from_master(master: &[u8; KEY_BYTES]) -> Self {
        let master = hmac::Key::new(HMAC_SHA256, master);
        let derive = |purpose: &[u8]| hmac::sign(&master, purpose);
        let mut secrets = [0; KEY_BYTES];
        secrets.copy_from_slice(derive(b"barograph secrets 1").as_ref());
        let rows = hmac::Key::new(HMAC_SHA256, derive(b"barograph rows 1").as_ref());
        let signatures = hmac::Key::new(HMAC_SHA256, derive(b"barograph signatures 1").as_ref());
        Self { rows, signatures, secrets }
    }

    /// Reads the key file, or makes one when there is none.
    pub(crate) fn load_or_make(path: &Path) -> Result<Self, OpenError> {
        match Self::load(path) {
            Err(OpenError::KeyFile { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Self::make(path)
            }
            outcome => outcome,
        }
    }

    pub(crate) fn load(path: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::KeyFile { path: path.to_owned(), source };
        let bytes = fs::read(path).map_err(failed)?;
        let master = <[u8; KEY_BYTES]>::try_from(bytes.as_slice())
            .map_err(|_| OpenError::KeyLength { path: path.to_owned(), bytes: bytes.len() })?;
        Ok(Self::from_master(&master))
    }

    /// The file appears whole or not at all. It begins as a temporary file, which only its owner
    /// may read; on Windows the access list of the folder guards it.
    fn make(path: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::KeyFile { path: path.to_owned(), source };
        let mut master = [0; KEY_BYTES];
        SystemRandom::new().fill(&mut master).map_err(|_| OpenError::Random)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut file = NamedTempFile::new_in(folder).map_err(failed)?;
        file.write_all(&master).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
        file.persist_noclobber(path).map_err(|error| failed(error.error))?;
        Ok(Self::from_master(&master))
    }
}
