//! A reader learns from the first line of a module what it is for.

use super::tree::{File, Tree};

pub(super) fn check(tree: &Tree) -> Vec<String> {
    tree.files
        .iter()
        .filter(|file| file.is(&["rs"]) && !starts_with_docs(file))
        .map(|file| format!("{} does not start with `//!`", file.path))
        .collect()
}

fn starts_with_docs(file: &File) -> bool {
    let first = file.text.lines().map(str::trim).find(|line| !line.is_empty());
    first.is_some_and(|line| line.starts_with("//!"))
}

#[cfg(test)]
mod tests {
    use super::super::tree::with_files;
    use super::*;

    #[test]
    fn a_module_without_a_first_line_is_found() {
        let tree = with_files(&[
            ("a.rs", "//! What it is.\nuse x;\n"),
            ("b.rs", "// Not documentation.\n"),
            ("c.rs", "use x;\n//! Too late.\n"),
            ("d.rs", ""),
            ("e.ts", "const x = 1;\n"),
        ]);
        let names = ["b.rs", "c.rs", "d.rs"];
        assert_eq!(check(&tree), names.map(|name| format!("{name} does not start with `//!`")));
    }
}
