//! The map of the code shows what is there.

use super::tree::Tree;

const MAP: &str = "ARCHITECTURE.md";

/// Where the paths of this repository begin.
const TOPS: &[&str] = &["crates/", "xtask/", "web/", "docs/"];

pub(super) fn check(tree: &Tree) -> Vec<String> {
    let Some(map) = tree.files.iter().find(|file| file.path == MAP) else {
        return vec![format!("there is no {MAP}")];
    };
    map.lines()
        .flat_map(|(number, line)| {
            // Between the first and second back-tick, between the third and fourth, and so on.
            line.split('`').skip(1).step_by(2).map(move |quoted| (number, quoted))
        })
        .filter(|(_, quoted)| TOPS.iter().any(|top| quoted.starts_with(top)))
        .filter(|(_, quoted)| !exists(tree, quoted))
        .map(|(number, quoted)| format!("{MAP}:{number} names `{quoted}`, which does not exist"))
        .collect()
}

/// Whether the path is a file or folder; a `…` or `*` at its end stands for what is below.
fn exists(tree: &Tree, quoted: &str) -> bool {
    let path = quoted.trim_end_matches(['…', '*']).trim_end_matches('/');
    tree.folders.contains(path) || tree.files.iter().any(|file| file.path == path)
}

#[cfg(test)]
mod tests {
    use super::super::tree::with_files;
    use super::*;

    fn found(map: &str) -> Vec<String> {
        let mut tree = with_files(&[("crates/a/src/lib.rs", "//! x"), (MAP, map)]);
        tree.folders.insert("crates/a".to_owned());
        check(&tree)
    }

    #[test]
    fn files_folders_and_what_is_no_path_pass() {
        assert_eq!(
            found("See `crates/a/src/lib.rs`, `crates/a/`, `crates/a/…` and `a::b`.\n"),
            [""; 0]
        );
        assert_eq!(found("Prose may say crates/none without back-ticks.\n"), [""; 0]);
    }

    #[test]
    fn a_path_that_is_gone_is_found() {
        let expected = ["ARCHITECTURE.md:2 names `docs/gone.md`, which does not exist"];
        assert_eq!(found("`crates/a` is here,\n`x` and `docs/gone.md` are not.\n"), expected);
    }

    #[test]
    fn the_map_itself_must_exist() {
        assert_eq!(check(&with_files(&[])), ["there is no ARCHITECTURE.md"]);
    }
}
