//! Processes that are watched by name: each name or pattern is a group.

use std::sync::Arc;

use barograph_model::Pattern;

use crate::platform;

/// The names and patterns, in the order of the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watch {
    patterns: Arc<[Pattern]>,
}

/// Why names cannot be watched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WatchError {
    #[error("{count} names are given, at most {} are allowed", Watch::MAX_NAMES)]
    TooMany { count: usize },
    #[error(
        "`{}` is not the name of a process: 1 to {} bytes, without control characters or slashes",
        name.escape_debug(),
        Watch::MAX_NAME_BYTES
    )]
    Name { name: String },
    #[error("`{name}` is given twice")]
    Twice { name: String },
}

/// The groups that one process belongs to, a bit for each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Groups(u64);

impl Groups {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) fn contains(self, index: usize) -> bool {
        u32::try_from(index).is_ok_and(|shift| self.0.checked_shr(shift).unwrap_or(0) & 1 == 1)
    }
}

impl Watch {
    /// One bit of [`Groups`] each.
    pub const MAX_NAMES: usize = 64;
    pub const MAX_NAME_BYTES: usize = 255;

    /// Names of programs without their folder; `*` stands for any text.
    ///
    /// # Errors
    /// The first name that cannot be watched.
    pub fn new(names: impl IntoIterator<Item = String>) -> Result<Self, WatchError> {
        let names: Vec<String> = names.into_iter().collect();
        if names.len() > Self::MAX_NAMES {
            return Err(WatchError::TooMany { count: names.len() });
        }
        for (at, name) in names.iter().enumerate() {
            let is_odd = |c: char| c.is_control() || c == '/' || c == '\\';
            if name.is_empty() || name.len() > Self::MAX_NAME_BYTES || name.contains(is_odd) {
                return Err(WatchError::Name { name: name.clone() });
            }
            if names.iter().take(at).any(|known| known == name) {
                return Err(WatchError::Twice { name: name.clone() });
            }
        }
        Ok(Self { patterns: names.into_iter().map(Pattern::new).collect() })
    }

    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.patterns.iter().map(Pattern::as_str)
    }

    /// The groups of a process with this name.
    pub(crate) fn groups(&self, name: &str) -> Groups {
        let bits = self.patterns.iter().enumerate().filter(|(_, pattern)| is_of(pattern, name));
        Groups(bits.fold(0, |bits, (at, _)| bits | 1 << at))
    }
}

/// Windows writes names in either case, and mostly without their ending.
fn is_of(pattern: &Pattern, name: &str) -> bool {
    if !platform::PROGRAM_NAMES_IGNORE_CASE {
        return pattern.matches_case(name);
    }
    let bare = name.len().checked_sub(4).and_then(|at| name.split_at_checked(at));
    let bare = bare.filter(|(_, ending)| ending.eq_ignore_ascii_case(".exe"));
    pattern.matches(name) || bare.is_some_and(|(bare, _)| pattern.matches(bare))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(names: &[&str]) -> Result<Watch, String> {
        Watch::new(names.iter().map(|&name| name.to_owned())).map_err(|error| error.to_string())
    }

    #[test]
    fn a_process_belongs_to_every_group_that_fits() {
        let watch = watch(&["nginx", "postgres*", "*"]).unwrap();
        let groups = |name| {
            let groups = watch.groups(name);
            [0, 1, 2].map(|index| groups.contains(index))
        };
        assert_eq!(groups("nginx"), [true, false, true]);
        assert_eq!(groups("postgres"), [false, true, true]);
        assert_eq!(groups("postgres: writer"), [false, true, true]);
        assert_eq!(groups("xnginx"), [false, false, true]);
        assert!(!watch.groups("a").contains(64));
    }

    #[test]
    fn names_are_checked() {
        assert_eq!(watch(&["a", "b", "a"]).unwrap_err(), "`a` is given twice");
        assert_eq!(
            watch(&["/usr/bin/x"]).unwrap_err(),
            "`/usr/bin/x` is not the name of a process: 1 to 255 bytes, without control \
             characters or slashes"
        );
        assert!(watch(&[""]).is_err());
        assert!(watch(&["a\nb"]).unwrap_err().contains("`a\\nb`"));
        let many: Vec<String> = (0..65).map(|n| n.to_string()).collect();
        assert_eq!(
            Watch::new(many).unwrap_err().to_string(),
            "65 names are given, at most 64 are allowed"
        );
    }

    #[test]
    fn no_more_names_than_bits() {
        let names: Vec<String> = (0..Watch::MAX_NAMES).map(|n| format!("n{n}")).collect();
        let watch = Watch::new(names).unwrap();
        assert!(watch.groups("n63").contains(63));
        assert_eq!(watch.groups("x"), Groups::NONE);
    }
}
