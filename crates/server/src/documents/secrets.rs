//! Secrets that documents name: sealed in the database, opened only for whom they are sent to.

use std::sync::Arc;

use barograph_model::chain;
use barograph_notify::FindSecret;
use barograph_state::{Secret, SecretError, State, StateError};

use super::{Author, Documents};

/// Where sealed secrets are kept.
const SECRETS: &str = "secrets";
const AUDIT: &str = "audit";

/// Why a secret was not stored or removed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretsError {
    #[error("there is no secret `{0}`")]
    Missing(String),
    #[error("a secret is not empty")]
    Empty,
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    State(#[from] StateError),
}

/// Opens secrets by their names.
pub(crate) fn secret_finder(state: &Arc<State>) -> FindSecret {
    let state = Arc::clone(state);
    Arc::new(move |name| {
        let sealed = state.read(|view| view.entry(SECRETS, name));
        let sealed = sealed.map_err(|error: StateError| chain(&error))?;
        let sealed = sealed.ok_or_else(|| "it is not there".to_owned())?;
        let sealed = String::from_utf8(sealed).map_err(|_| "it is damaged".to_owned())?;
        let secret = state.open_secret(&format!("secret/{name}"), &sealed);
        secret.map(|it| it.reveal().to_owned()).map_err(|error| chain(&error))
    })
}

impl Documents {
    /// The names of all secrets.
    pub(crate) fn secrets(&self) -> Result<Vec<String>, StateError> {
        let listing = self.state.read(|view| view.entries(SECRETS))?;
        Ok(listing.items.into_iter().map(|(name, _)| name).collect())
    }

    pub(crate) fn set_secret(
        &self,
        name: &str,
        secret: &Secret,
        author: Author<'_>,
    ) -> Result<(), SecretsError> {
        if secret.reveal().is_empty() {
            return Err(SecretsError::Empty);
        }
        let sealed = self.state.seal_secret(&format!("secret/{name}"), secret)?;
        self.state.write(|change| {
            change.append(AUDIT, act(author, "set the secret", name).as_bytes())?;
            change.set_entry(SECRETS, name, sealed.as_bytes())
        })?;
        Ok(())
    }

    pub(crate) fn remove_secret(&self, name: &str, author: Author<'_>) -> Result<(), SecretsError> {
        self.state.write(|change| {
            if !change.remove_entry(SECRETS, name)? {
                return Err(SecretsError::Missing(name.to_owned()));
            }
            change.append(AUDIT, act(author, "removed the secret", name).as_bytes())?;
            Ok(())
        })
    }
}

fn act(author: Author<'_>, did: &str, name: &str) -> String {
    serde_json::json!({ "by": author.by, "did": did, "name": name }).to_string()
}
