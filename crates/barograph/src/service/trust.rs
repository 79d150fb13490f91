//! Whether a file says what only the host's administrator can have written.

#[cfg(unix)]
use std::fs::Metadata;
#[cfg(unix)]
use std::path::Path;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub(crate) use windows::check;

/// Refuses an open file that others than root and this program's user could have written, or put
/// in its place.
///
/// # Errors
/// Who could have.
#[cfg(unix)]
pub(crate) fn check(path: &Path, opened: &Metadata) -> Result<(), String> {
    let own = rustix::process::geteuid().as_raw();
    unix::check_one("it", opened, own)?;
    // Both the path as it was given and what its links lead to.
    let written = std::path::absolute(path).map_err(|error| error.to_string())?;
    let real = path.canonicalize().map_err(|error| error.to_string())?;
    for folder in written.ancestors().skip(1).chain(real.ancestors().skip(1)) {
        let metadata =
            folder.metadata().map_err(|error| format!("{}: {error}", folder.display()))?;
        unix::check_one(&format!("its folder `{}`", folder.display()), &metadata, own)?;
    }
    Ok(())
}

#[cfg(unix)]
mod unix {
    use std::fs::Metadata;
    use std::os::unix::fs::MetadataExt as _;

    const WRITABLE_BY_OTHERS: u32 = 0o022;
    /// In such a folder only a file's owner replaces it.
    const STICKY: u32 = 0o1000;

    pub(super) fn check_one(what: &str, metadata: &Metadata, own: u32) -> Result<(), String> {
        let (owner, mode) = (metadata.uid(), metadata.mode());
        if owner != 0 && owner != own {
            return Err(format!(
                "{what} belongs to the user {owner}; allowed are root and the user that Barograph \
                 runs as (here {own})"
            ));
        }
        let is_shared_folder = metadata.is_dir() && mode & STICKY != 0;
        if mode & WRITABLE_BY_OTHERS != 0 && !is_shared_folder {
            return Err(format!(
                "{what} can be written by others than its owner (mode {:o}); take that away by \
                 `chmod go-w`",
                mode & 0o7777
            ));
        }
        Ok(())
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

    use super::*;

    fn check(path: &Path) -> Result<(), String> {
        super::check(path, &path.metadata().unwrap())
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_others_can_write_or_replace_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        set_mode(&inner, 0o755);
        let file = inner.join("actions.yml");
        fs::write(&file, "").unwrap();
        set_mode(&file, 0o644);
        assert_eq!(check(&file), Ok(()));
        for mode in [0o664, 0o646, 0o666] {
            set_mode(&file, mode);
            let why = check(&file).unwrap_err();
            let expected = format!("it can be written by others than its owner (mode {mode:o})");
            assert!(why.starts_with(&expected), "{why}");
        }
        set_mode(&file, 0o600);
        let link = folder.path().join("link.yml");
        symlink(&file, &link).unwrap();
        assert_eq!(check(&link), Ok(()));
        set_mode(&inner, 0o777);
        for path in [&file, &link] {
            let why = check(path).unwrap_err();
            assert!(why.starts_with("its folder `") && why.contains("inner`"), "{why}");
        }
        set_mode(&inner, 0o1777);
        assert_eq!(check(&file), Ok(()), "as in /tmp only its owner can replace it");
    }

    #[test]
    fn what_belongs_to_somebody_else_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("actions.yml");
        fs::write(&file, "").unwrap();
        set_mode(&file, 0o600);
        // Only root can give files away.
        if chown(&file, Some(65_534), None).is_ok() {
            let why = check(&file).unwrap_err();
            assert!(why.starts_with("it belongs to the user 65534; allowed are root"), "{why}");
        }
    }
}
