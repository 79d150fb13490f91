//! The names of users, from `/etc/passwd`. Directory services are not asked: their answer would
//! be waited for.

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::parse;
use crate::roots::Roots;

/// Keeps the file's content until the file changes.
#[derive(Debug)]
pub(super) struct Users {
    file: PathBuf,
    modified: Option<SystemTime>,
    names: HashMap<u32, String>,
}

impl Users {
    const MAX_BYTES: u64 = 4 * 1024 * 1024;

    pub(super) fn new(roots: &Roots) -> Self {
        Self { file: roots.root.join("etc/passwd"), modified: None, names: HashMap::new() }
    }

    /// The user's name, or the number if nobody tells a name.
    pub(super) fn name(&mut self, uid: u32) -> String {
        if let Some(name) = self.names.get(&uid) {
            return name.clone();
        }
        self.load_if_changed();
        self.names.get(&uid).cloned().unwrap_or_else(|| uid.to_string())
    }

    fn load_if_changed(&mut self) {
        let modified = fs::metadata(&self.file).and_then(|file| file.modified()).ok();
        if modified.is_none() || modified == self.modified {
            return;
        }
        let mut text = Vec::new();
        let read = fs::File::open(&self.file)
            .and_then(|file| file.take(Self::MAX_BYTES).read_to_end(&mut text));
        if read.is_ok() {
            self.names = parse::passwd::names(&text);
            self.modified = modified;
        }
    }
}

#[cfg(test)]
mod tests {
    use barograph_testkit::Tree;

    use super::*;

    #[test]
    fn a_user_who_comes_later_has_a_name_too() {
        let tree = Tree::empty().unwrap();
        let mut users = Users::new(&Roots::recorded(tree.path()));
        assert_eq!(users.name(0), "0");
        tree.write("etc/passwd", "root:x:0:0::/root:/bin/sh\n").unwrap();
        assert_eq!((users.name(0).as_str(), users.name(7).as_str()), ("root", "7"));
    }
}
