//! Where messages go.

use serde::{Deserialize, Serialize};

/// A channel, and whom of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Address {
    /// The name of a channel.
    pub channel: String,
    /// A mail address, a number; without it, whomever the channel tells by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Who it is, where it is a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.person {
            Some(person) => write!(f, "{person} by {}", self.channel),
            None => f.write_str(&self.channel),
        }
    }
}
