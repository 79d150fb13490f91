//! Who is told, and who next when nobody answers.
//!
//! A tree of routes leads each incident to a policy; a policy has steps, each some time after the
//! incident began; a step tells channels, people, or whoever is on call in a rota.

mod address;
mod directory;
mod gaps;
mod pager;
mod person;
mod policy;
mod rota;
mod route;

pub use address::Address;
pub use directory::Directory;
pub use gaps::{Gap, Staff};
pub use pager::{Arrival, PagerTest, PagerTestProblem, Probe, ProbeState};
pub use person::{Contact, Person};
pub use policy::{Due, Policy, PolicyProblem, Progress, Step};
pub use rota::{Layer, OnCall, Override, Rota, RotaProblem};
pub use route::{Decision, Route};

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Somebody or something to tell: `channel:ops-mail`, `person:anna`, `rota:night`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Target {
    Channel(String),
    Person(String),
    Rota(String),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no target, allowed are channel:NAME, person:NAME and rota:NAME")]
pub struct TargetError(String);

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let wrong = || TargetError(text.to_owned());
        let (sort, name) = text.split_once(':').ok_or_else(wrong)?;
        let name = name.trim();
        if name.is_empty() {
            return Err(wrong());
        }
        match sort {
            "channel" => Ok(Self::Channel(name.to_owned())),
            "person" => Ok(Self::Person(name.to_owned())),
            "rota" => Ok(Self::Rota(name.to_owned())),
            _ => Err(wrong()),
        }
    }
}

impl TryFrom<String> for Target {
    type Error = TargetError;

    fn try_from(text: String) -> Result<Self, TargetError> {
        text.parse()
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        target.to_string()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channel(name) => write!(f, "channel:{name}"),
            Self::Person(name) => write!(f, "person:{name}"),
            Self::Rota(name) => write!(f, "rota:{name}"),
        }
    }
}

/// A length of time as documents write it: `15m`.
mod length {
    use barograph_promql::{format_duration, parse_duration};
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
    pub(super) fn serialize<S: Serializer>(ms: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format_duration(*ms))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_duration(&text).map_err(|error| {
            serde::de::Error::custom(format!("`{text}`: {error}; such as 30s, 15m, 1h30m"))
        })
    }
}
