//! Recorded `/proc` and `/sys` trees. They are kept as tar files, since sysfs has names with `:`
//! in them, which a checkout on Windows refuses.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A recorded tree, unpacked for the length of a test.
#[derive(Debug)]
pub struct Tree {
    folder: TempDir,
}

impl Tree {
    /// Unpacks a tar file into a folder of its own.
    ///
    /// # Errors
    /// The file cannot be read or is no tar file, or the temporary folder cannot be written.
    pub fn unpack(tar: &Path) -> io::Result<Self> {
        let folder = TempDir::with_prefix("barograph-tree-")?;
        tar::Archive::new(File::open(tar)?).unpack(folder.path())?;
        Ok(Self { folder })
    }

    /// A tree without files, to be filled by [`Tree::write`].
    ///
    /// # Errors
    /// The temporary folder cannot be made.
    pub fn empty() -> io::Result<Self> {
        Ok(Self { folder: TempDir::with_prefix("barograph-tree-")? })
    }

    /// Where the tree is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file, in place if it exists: a program that holds it open sees the new content,
    /// as with `/proc`.
    ///
    /// # Errors
    /// The file or its folder cannot be written.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> io::Result<()> {
        let path = self.path().join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, content)
    }

    /// Removes a file or folder.
    ///
    /// # Errors
    /// It does not exist or cannot be removed.
    pub fn remove(&self, path: &str) -> io::Result<()> {
        let path = self.path().join(path);
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
    }

    /// Makes folder `to` hold what folder `from` holds: files are rewritten in place, and what
    /// `from` lacks is removed. So a test plays the second of two recorded moments.
    ///
    /// # Errors
    /// A file cannot be read, written or removed.
    pub fn replay(&self, from: &str, to: &str) -> io::Result<()> {
        mirror(&self.path().join(from), &self.path().join(to))
    }
}

fn mirror(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for old in names(to)? {
        if fs::symlink_metadata(from.join(&old)).is_err() {
            let old = to.join(old);
            if old.is_dir() && !old.is_symlink() {
                fs::remove_dir_all(old)?;
            } else {
                fs::remove_file(old)?;
            }
        }
    }
    for name in names(from)? {
        let (source, target) = (from.join(&name), to.join(&name));
        if source.is_symlink() {
            link_anew(&fs::read_link(source)?, &target)?;
        } else if source.is_dir() {
            mirror(&source, &target)?;
        } else {
            fs::write(target, fs::read(source)?)?;
        }
    }
    Ok(())
}

/// Links of a recording lead nowhere, so they cannot be copied by what they lead to.
#[cfg(unix)]
fn link_anew(to: &Path, at: &Path) -> io::Result<()> {
    if at.is_symlink() {
        fs::remove_file(at)?;
    }
    std::os::unix::fs::symlink(to, at)
}

#[cfg(not(unix))]
fn link_anew(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "recordings of Linux are played on Linux"))
}

fn names(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| Ok(PathBuf::from(entry?.file_name()))).collect()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek};

    use super::*;

    #[test]
    fn an_open_file_shows_the_replayed_content() {
        let tree = Tree::empty().unwrap();
        tree.write("1/stat", "one").unwrap();
        tree.write("1/gone", "x").unwrap();
        tree.write("2/stat", "two!").unwrap();
        tree.replay("1", "now").unwrap();
        let mut open = File::open(tree.path().join("now/stat")).unwrap();
        tree.replay("2", "now").unwrap();
        let mut text = String::new();
        open.rewind().unwrap();
        open.read_to_string(&mut text).unwrap();
        assert_eq!(text, "two!");
        assert!(!tree.path().join("now/gone").exists());
    }
}
