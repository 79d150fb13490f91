//! The names of users, from `/etc/passwd`, and of this system's also from its directory service.

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::name_service::NameService;
use crate::parse;
use crate::roots::Roots;

/// Keeps the file's content until the file changes.
#[derive(Debug)]
pub(super) struct Users {
    file: PathBuf,
    modified: Option<SystemTime>,
    names: HashMap<u32, String>,
    /// Nothing where another system's files are read.
    service: Option<NameService>,
}

impl Users {
    const MAX_BYTES: u64 = 4 * 1024 * 1024;

    pub(super) fn new(roots: &Roots) -> Self {
        Self {
            file: roots.root.join("etc/passwd"),
            modified: None,
            names: HashMap::new(),
            service: (roots.root == Path::new("/")).then(NameService::default),
        }
    }

    /// The user's name, or the number if nobody tells a name.
    pub(super) fn name(&mut self, uid: u32) -> String {
        if let Some(name) = self.names.get(&uid) {
            return name.clone();
        }
        self.load_if_changed();
        let listed = self.names.get(&uid).cloned();
        let told = listed.or_else(|| self.service.as_mut()?.name(uid));
        told.unwrap_or_else(|| uid.to_string())
    }

    /// Whether there is a name by now for what was a number.
    pub(super) fn knows_better(&self, name: &str) -> bool {
        let uid =
            if name.starts_with(|c: char| c.is_ascii_digit()) { name.parse().ok() } else { None };
        uid.is_some_and(|uid| self.service.as_ref().and_then(|all| all.known(uid)).is_some())
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
