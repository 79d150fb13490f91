//! Secrets of channels: passwords, tokens, addresses that nobody else may know.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use crate::failure::Failure;

/// A secret as a document writes it: itself, or the name of one that is kept elsewhere.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum SecretText {
    Direct(String),
    Named(String),
}

/// Knows the secrets that documents name.
pub type FindSecret = Arc<dyn Fn(&str) -> Result<String, String> + Send + Sync>;

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct(_) => f.write_str("Direct(…)"),
            Self::Named(name) => f.debug_tuple("Named").field(name).finish(),
        }
    }
}

/// Opens secrets while a message is composed, and remembers them so that no answer that repeats
/// one is shown.
pub(crate) struct Secrets {
    find: Option<FindSecret>,
    opened: RefCell<Vec<String>>,
}

impl Secrets {
    pub(crate) fn new(find: FindSecret) -> Self {
        Self { find: Some(find), opened: RefCell::default() }
    }

    /// Opens none: for a preview.
    pub(crate) fn masked() -> Self {
        Self { find: None, opened: RefCell::default() }
    }

    pub(crate) fn text(&self, secret: &SecretText) -> Result<String, Failure> {
        self.open(secret, "[secret]")
    }

    pub(crate) fn url(&self, secret: &SecretText) -> Result<String, Failure> {
        self.open(secret, "https://secret.invalid/")
    }

    fn open(&self, secret: &SecretText, mask: &str) -> Result<String, Failure> {
        let Some(find) = &self.find else { return Ok(mask.to_owned()) };
        let text = match secret {
            SecretText::Direct(text) => text.clone(),
            // It may be put there any moment, so it is worth another try.
            SecretText::Named(name) => find(name)
                .map_err(|why| Failure::unreached(format!("no secret `{name}`: {why}")))?,
        };
        self.opened.borrow_mut().push(text.clone());
        Ok(text)
    }

    pub(crate) fn opened(self) -> Vec<String> {
        self.opened.into_inner()
    }
}

/// What others said, without our secrets.
pub(crate) fn scrub(opened: &[String], text: &str) -> String {
    let mut text = text.to_owned();
    for secret in opened.iter().filter(|it| it.len() >= 4) {
        text = text.replace(secret.as_str(), "…");
        // Of an address the part behind the host is the secret.
        let path = secret.splitn(4, '/').nth(3).filter(|it| it.len() >= 8);
        if let Some(path) = path {
            text = text.replace(path, "…");
        }
    }
    text
}
