//! Lock files pin what is used and leave open where a machine fetches it from.

use super::tree::{File, Tree};

/// Cargo's own name for the public registry; which host serves it is each machine's setting.
const PUBLIC_REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub(super) fn check(tree: &Tree) -> Vec<String> {
    tree.files
        .iter()
        .flat_map(|file| {
            let name = file.path.rsplit('/').next().unwrap_or_default();
            match name {
                "Cargo.lock" => findings(file, other_source),
                "package-lock.json" => findings(file, address),
                _ => Vec::new(),
            }
        })
        .collect()
}

fn findings(file: &File, judge: fn(&str) -> Option<&'static str>) -> Vec<String> {
    file.lines()
        .filter_map(|(number, line)| {
            Some(format!("{}:{number} {}", file.path, judge(line.trim())?))
        })
        .collect()
}

fn other_source(line: &str) -> Option<&'static str> {
    let source = line.strip_prefix("source = ")?.trim_matches('"');
    (source != PUBLIC_REGISTRY).then_some("takes a package from elsewhere than the public registry")
}

fn address(line: &str) -> Option<&'static str> {
    if line.starts_with("\"resolved\":") {
        return Some("says where a package was fetched from: remove `resolved`");
    }
    // Pages for donations and notes of deprecation hold addresses as well, harmless ones.
    let of_version = line.starts_with("\"version\":") && line.contains("://");
    of_version.then_some("takes a package from elsewhere than the registry")
}

#[cfg(test)]
mod tests {
    use super::super::tree::with_files;
    use super::*;

    #[test]
    fn the_public_registry_passes_and_others_do_not() {
        let good = format!("name = \"a\"\nsource = \"{PUBLIC_REGISTRY}\"\n");
        assert_eq!(check(&with_files(&[("Cargo.lock", &good)])), [""; 0]);
        let bad = "name = \"a\"\nsource = \"registry+https://mirror.example/index\"\n";
        let found = check(&with_files(&[("fuzz/Cargo.lock", bad)]));
        assert!(found[0].starts_with("fuzz/Cargo.lock:2 takes a package"), "{found:?}");
        let git = "source = \"git+https://example.org/a#1\"\n";
        assert_eq!(check(&with_files(&[("Cargo.lock", git)])).len(), 1);
    }

    #[test]
    fn the_pages_lock_may_hold_addresses_but_not_of_packages() {
        let good = "\"deprecated\": \"see https://example.org\",\n\"integrity\": \"sha512-x\",\n\"funding\": {\n\"url\": \"https://example.org\"\n";
        assert_eq!(check(&with_files(&[("web/package-lock.json", good)])), [""; 0]);
        let bad = "\"resolved\": \"https://mirror.example/a.tgz\",\n\"version\": \"https://x/y\"\n";
        assert_eq!(check(&with_files(&[("web/package-lock.json", bad)])).len(), 2);
    }

    #[test]
    fn other_files_may_hold_addresses() {
        assert_eq!(check(&with_files(&[("README.md", "https://example.org")])), [""; 0]);
    }
}
