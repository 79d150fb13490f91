//! Packages that must not come in, also not through another.

use super::tree::{Crate, Tree};

/// Packages that stay out of the whole repository, and why.
static NOWHERE: &[(&str, &str)] = &[
    ("aws-lc-sys", "TLS is rustls with ring, which needs no cmake"),
    ("openssl-sys", "TLS is rustls with ring"),
];

/// Crates whose code stays free of an asynchronous runtime, so that it can be used and tested
/// without one.
static WITHOUT_RUNTIME: &[&str] = &["barograph-model", "barograph-collect", "barograph-store"];

pub(super) fn check(tree: &Tree) -> Vec<String> {
    let nowhere = NOWHERE
        .iter()
        .filter(|(package, _)| tree.locked.contains(*package))
        .map(|(package, reason)| format!("{package} is in Cargo.lock: {reason}"));
    let runtime = tree
        .crates
        .iter()
        .filter(|it| has_runtime(it))
        .map(|it| format!("{} is built from tokio", it.name));
    nowhere.chain(runtime).collect()
}

fn has_runtime(it: &Crate) -> bool {
    WITHOUT_RUNTIME.contains(&it.name.as_str()) && it.built_from.contains("tokio")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(locked: &[&str], name: &str, built_from: &[&str]) -> Tree {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let it = Crate { name: name.to_owned(), uses: vec![], built_from: owned(built_from) };
        Tree { locked: owned(locked), crates: vec![it], ..Tree::default() }
    }

    #[test]
    fn an_unwanted_package_is_found_with_the_reason() {
        assert_eq!(check(&tree(&["ring", "rustls"], "x", &[])), [""; 0]);
        let found = check(&tree(&["openssl-sys"], "x", &[]));
        assert_eq!(found, ["openssl-sys is in Cargo.lock: TLS is rustls with ring"]);
    }

    #[test]
    fn a_runtime_is_found_where_none_may_be() {
        assert_eq!(check(&tree(&[], "barograph-server", &["tokio"])), [""; 0]);
        let found = check(&tree(&[], "barograph-store", &["pco", "tokio"]));
        assert_eq!(found, ["barograph-store is built from tokio"]);
    }
}
