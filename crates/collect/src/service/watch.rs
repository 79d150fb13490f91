//! Services that are watched by name.

use std::sync::Arc;

use barograph_model::Pattern;

/// Names and patterns, in the order of the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WatchedServices {
    patterns: Arc<[Pattern]>,
}

/// Why names cannot be watched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WatchServicesError {
    #[error("{count} names are given, at most {} are allowed", WatchedServices::MAX_NAMES)]
    TooMany { count: usize },
    #[error(
        "`{}` is not the name of a service: 1 to {} bytes, without control characters or slashes",
        name.escape_debug(),
        WatchedServices::MAX_NAME_BYTES
    )]
    Name { name: String },
    #[error("`{name}` is given twice")]
    Twice { name: String },
}

impl WatchedServices {
    pub const MAX_NAMES: usize = 64;
    pub const MAX_NAME_BYTES: usize = 255;

    /// Names of services, on Linux with or without `.service`; `*` stands for any text, and case
    /// does not matter.
    ///
    /// # Errors
    /// The first name that cannot be watched.
    pub fn new(names: impl IntoIterator<Item = String>) -> Result<Self, WatchServicesError> {
        let mut patterns: Vec<Pattern> = Vec::new();
        for name in names {
            let is_odd = |c: char| c.is_control() || c == '/' || c == '\\';
            let bare = name.strip_suffix(".service").unwrap_or(&name);
            if bare.is_empty() || name.len() > Self::MAX_NAME_BYTES || name.contains(is_odd) {
                return Err(WatchServicesError::Name { name });
            }
            if patterns.iter().any(|known| Self::is_same(known.as_str(), bare)) {
                return Err(WatchServicesError::Twice { name });
            }
            patterns.push(Pattern::new(bare));
        }
        if patterns.len() > Self::MAX_NAMES {
            return Err(WatchServicesError::TooMany { count: patterns.len() });
        }
        Ok(Self { patterns: patterns.into() })
    }

    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.patterns.iter().map(Pattern::as_str)
    }

    pub(super) fn contains(&self, service: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(service))
    }

    /// Those that stand for one service each.
    pub(super) fn whole_names(&self) -> impl Iterator<Item = &str> {
        self.patterns.iter().filter(|name| !name.has_wildcard()).map(Pattern::as_str)
    }

    /// Windows writes names in either case; on Linux no two differ by that alone.
    pub(super) fn is_same(one: &str, other: &str) -> bool {
        one == other || one.to_lowercase() == other.to_lowercase()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched(names: &[&str]) -> Result<WatchedServices, String> {
        let names = names.iter().map(|&name| name.to_owned());
        WatchedServices::new(names).map_err(|error| error.to_string())
    }

    #[test]
    fn names_and_patterns_are_watched() {
        let watched = watched(&["ssh*", "cron.service"]).unwrap();
        assert!(watched.contains("sshd") && watched.contains("cron"));
        assert!(!watched.contains("anacron"));
        assert_eq!(watched.whole_names().collect::<Vec<_>>(), ["cron"]);
    }

    #[test]
    fn what_cannot_be_watched_is_refused_with_the_reason() {
        let begins = "`a/b` is not the name of a service";
        assert!(watched(&["a/b"]).unwrap_err().starts_with(begins));
        assert_eq!(watched(&["a", "a.service"]).unwrap_err(), "`a.service` is given twice");
        assert!(watched(&[".service"]).is_err());
        let many: Vec<String> = (0..65).map(|n| n.to_string()).collect();
        assert!(WatchedServices::new(many).is_err());
    }
}
