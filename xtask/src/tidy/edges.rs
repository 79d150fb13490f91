//! The arrows between crates.

use super::tree::{Crate, Tree, Usage};

/// What each crate may use. An arrow goes from what knows more to what knows less, so two crates
/// that must not know each other meet in one that both may use.
static ALLOWED: &[(&str, &[&str])] = &[
    ("barograph-model", &[]),
    // For other people's programs, so it brings nothing of ours with it.
    ("barograph-client", &[]),
    ("barograph-collect", &["barograph-model"]),
    ("barograph-fetch", &["barograph-model"]),
    ("barograph-template", &["barograph-model", "barograph-promql"]),
    ("barograph-notify", &["barograph-model", "barograph-fetch", "barograph-template"]),
    ("barograph-store", &["barograph-model"]),
    ("barograph-wire", &["barograph-model"]),
    ("barograph-promql", &["barograph-model"]),
    ("barograph-state", &["barograph-model"]),
    ("barograph-alerts", &["barograph-model", "barograph-promql", "barograph-template"]),
    (
        "barograph-server",
        &[
            "barograph-model",
            "barograph-collect",
            "barograph-fetch",
            "barograph-notify",
            "barograph-wire",
            "barograph-store",
            "barograph-promql",
            "barograph-state",
            "barograph-alerts",
        ],
    ),
    (
        "barograph",
        &[
            "barograph-model",
            "barograph-collect",
            "barograph-fetch",
            "barograph-notify",
            "barograph-wire",
            "barograph-store",
            "barograph-promql",
            "barograph-state",
            "barograph-alerts",
            "barograph-server",
        ],
    ),
    ("barograph-testkit", &["barograph-model"]),
    ("barograph-pdh-double", &[]),
    ("xtask", &["barograph-testkit"]),
];

/// What the tests of any crate may use, and nothing else may.
const FOR_TESTS: &[&str] = &["barograph-client", "barograph-testkit"];

pub(super) fn check(tree: &Tree) -> Vec<String> {
    tree.crates.iter().flat_map(check_crate).collect()
}

fn check_crate(it: &Crate) -> Vec<String> {
    let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == it.name) else {
        return vec![format!("{} has no row in {}: say what it may use", it.name, file!())];
    };
    it.uses
        .iter()
        .filter(|(used, usage)| match usage {
            Usage::Code => !allowed.contains(&used.as_str()),
            Usage::Tests => {
                !allowed.contains(&used.as_str()) && !FOR_TESTS.contains(&used.as_str())
            }
        })
        .map(|(used, _)| format!("{} may not use {used}", it.name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_one(name: &str, used: &str, usage: Usage, expected: &[&str]) {
        let uses = vec![(used.to_owned(), usage)];
        let it = Crate { name: name.to_owned(), uses, built_from: [].into() };
        assert_eq!(check_crate(&it), expected);
    }

    #[test]
    fn arrows_in_the_table_pass() {
        check_one("barograph-collect", "barograph-model", Usage::Code, &[]);
        check_one("barograph-server", "barograph-store", Usage::Code, &[]);
    }

    #[test]
    fn an_arrow_against_the_table_is_found() {
        let expected = ["barograph-store may not use barograph-server"];
        check_one("barograph-store", "barograph-server", Usage::Code, &expected);
    }

    #[test]
    fn the_test_kit_is_for_tests_only() {
        check_one("barograph-store", "barograph-testkit", Usage::Tests, &[]);
        let expected = ["barograph-store may not use barograph-testkit"];
        check_one("barograph-store", "barograph-testkit", Usage::Code, &expected);
    }

    #[test]
    fn a_crate_without_a_row_is_asked_for_one() {
        let it = Crate { name: "new".to_owned(), uses: vec![], built_from: [].into() };
        assert!(check_crate(&it)[0].starts_with("new has no row in "));
    }
}
