//! Files that a person can hold in mind.

use super::tree::{File, Tree};

/// Lines above which a file must be split.
const LONGEST: usize = 600;

/// Lines above which it should be.
const ADVISED: usize = 500;

pub(super) fn check(tree: &Tree) -> Vec<String> {
    let sources = || tree.files.iter().filter(|file| is_source(file));
    for file in sources().filter(|file| (ADVISED..=LONGEST).contains(&lines(file))) {
        println!("advice: {} has {} lines; {ADVISED} are better", file.path, lines(file));
    }
    sources()
        .filter(|file| lines(file) > LONGEST)
        .map(|file| format!("{} has {} lines, more than {LONGEST}", file.path, lines(file)))
        .collect()
}

fn is_source(file: &File) -> bool {
    let of_tests = file.path.split('/').any(|part| matches!(part, "tests" | "fixtures"));
    file.is(&["rs", "ts", "svelte"]) && !of_tests
}

fn lines(file: &File) -> usize {
    file.text.lines().count()
}

#[cfg(test)]
mod tests {
    use super::super::tree::with_files;
    use super::*;

    #[test]
    fn a_long_source_is_found_and_a_long_fixture_is_not() {
        let long = "x\n".repeat(LONGEST + 1);
        let fits = "x\n".repeat(LONGEST);
        let tree = with_files(&[
            ("crates/a/src/long.rs", &long),
            ("crates/a/src/fits.rs", &fits),
            ("crates/a/tests/it/long.rs", &long),
            ("web/src/fixtures/long.ts", &long),
            ("docs/long.md", &long),
            ("web/src/Long.svelte", &long),
        ]);
        let expected = [
            "crates/a/src/long.rs has 601 lines, more than 600",
            "web/src/Long.svelte has 601 lines, more than 600",
        ];
        assert_eq!(check(&tree), expected);
    }
}
