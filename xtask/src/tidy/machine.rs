//! The sources do not know whose machine they were written on.

use super::tree::Tree;

/// What the folders of people are called; a name follows.
const HOMES: &[&str] = &["/home/", "/Users/", r"C:\Users\", r"C:\\Users\\"];

/// People who are meant as examples.
const EXAMPLES: &[&str] = &["user", "alice", "bob", "Public", "…", "*", "$"];

pub(super) fn check(tree: &Tree) -> Vec<String> {
    tree.files
        .iter()
        .filter(|file| !is_data(&file.path))
        .flat_map(|file| {
            file.lines()
                .filter(|(_, line)| {
                    tree.machine_paths.iter().any(|path| line.contains(path)) || names_a_home(line)
                })
                .map(|(number, _)| format!("{}:{number} holds a path of one machine", file.path))
        })
        .collect()
}

/// Recorded machines are somebody's; this file's own list and tests are no one's.
fn is_data(path: &str) -> bool {
    path.split('/').any(|part| part == "trees") || path == "xtask/src/tidy/machine.rs"
}

fn names_a_home(line: &str) -> bool {
    HOMES.iter().any(|home| {
        line.match_indices(home).any(|(at, _)| {
            let (before, from) = line.split_at(at);
            let name = from.strip_prefix(home).unwrap_or_default();
            // `/api/home/x` and `https://x/home/` are not folders of this machine.
            let starts_a_path = !before.ends_with(|it: char| it.is_alphanumeric() || it == '.');
            let is_example = EXAMPLES.iter().any(|example| name.starts_with(example));
            starts_a_path && !is_example && name.starts_with(char::is_alphanumeric)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::tree::with_files;
    use super::*;

    #[test]
    fn paths_of_this_machine_and_of_people_are_found() {
        let mut tree = with_files(&[
            ("a.rs", "//! x\nconst A: &str = \"/builds/17/checkout/crates\";\n"),
            ("b.md", "see /home/carol/notes and `C:\\Users\\Carol`\n"),
        ]);
        tree.machine_paths = vec!["/builds/17/checkout".to_owned()];
        let expected = ["a.rs:2 holds a path of one machine", "b.md:1 holds a path of one machine"];
        assert_eq!(check(&tree), expected);
    }

    #[test]
    fn examples_addresses_and_recordings_pass() {
        let tree = with_files(&[
            ("a.md", "/home/user/x, https://example.org/home/page, /home/…\n"),
            ("crates/collect/tests/trees/a.txt", "/home/carol\n"),
        ]);
        assert_eq!(check(&tree), [""; 0]);
    }
}
