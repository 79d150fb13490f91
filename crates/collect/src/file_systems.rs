//! File systems that count as drives beside the local, fixed ones.

use std::sync::Arc;

use barograph_model::Pattern;

/// Types of file systems, such as `nfs4` and `tmpfs`, in the order of the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileSystems {
    types: Arc<[Pattern]>,
}

/// Why types cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileSystemsError {
    #[error("{count} types are given, at most {} are allowed", FileSystems::MAX_TYPES)]
    TooMany { count: usize },
    #[error(
        "`{}` is not the type of a file system, such as `nfs4`: 1 to {} letters, digits, `.`, `_`, \
         `-` and `*`",
        name.escape_debug(),
        FileSystems::MAX_TYPE_BYTES
    )]
    Type { name: String },
}

impl FileSystems {
    pub const MAX_TYPES: usize = 64;
    pub const MAX_TYPE_BYTES: usize = 64;

    /// Types as `/proc/self/mountinfo` has them; `*` stands for any text.
    ///
    /// # Errors
    /// The first type that is none.
    pub fn new(types: impl IntoIterator<Item = String>) -> Result<Self, FileSystemsError> {
        let is_fine = |c: char| c.is_ascii_alphanumeric() || "._-*".contains(c);
        let mut patterns = Vec::new();
        for name in types {
            if name.is_empty() || name.len() > Self::MAX_TYPE_BYTES || !name.chars().all(is_fine) {
                return Err(FileSystemsError::Type { name });
            }
            patterns.push(Pattern::new(&name));
        }
        if patterns.len() > Self::MAX_TYPES {
            return Err(FileSystemsError::TooMany { count: patterns.len() });
        }
        Ok(Self { types: patterns.into() })
    }

    /// Every file system that has a size.
    pub fn all() -> Self {
        Self { types: Arc::new([Pattern::new("*")]) }
    }

    pub(crate) fn contains(&self, file_system: &str) -> bool {
        self.types.iter().any(|pattern| pattern.matches(file_system))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_or_fit_a_pattern() {
        let some = FileSystems::new(["nfs*".to_owned(), "tmpfs".into()]).unwrap();
        let found = ["nfs", "nfs4", "tmpfs", "cifs"].map(|name| some.contains(name));
        assert_eq!(found, [true, true, true, false]);
        assert!(FileSystems::all().contains("cifs") && !FileSystems::default().contains("nfs"));
    }

    #[test]
    fn odd_types_are_refused_by_name() {
        for name in ["", "nfs 4", "a/b", &"x".repeat(65)] {
            let error = FileSystems::new([name.to_owned()]).unwrap_err();
            assert_eq!(error, FileSystemsError::Type { name: name.to_owned() });
        }
        let many = (0..65).map(|n| format!("fs{n}"));
        assert_eq!(FileSystems::new(many), Err(FileSystemsError::TooMany { count: 65 }));
    }
}
