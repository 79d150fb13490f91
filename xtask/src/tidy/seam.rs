//! Code that is compiled for one system only has its places.

use super::tree::Tree;

/// Words in a `cfg` that tell systems apart.
const SYSTEMS: &[&str] = &["windows", "unix", "target_os", "target_family", "target_env"];

pub(super) fn check(tree: &Tree) -> Vec<String> {
    tree.files
        .iter()
        .filter(|file| file.is(&["rs"]) && !is_seam(&file.path))
        .flat_map(|file| {
            file.lines().filter(|(_, line)| tells_systems_apart(line)).map(|(number, _)| {
                format!("{}:{number} tells systems apart outside a seam", file.path)
            })
        })
        .collect()
}

fn is_seam(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        // Developer's tools never ship; the others are the seams.
        ["xtask", ..]
        | ["crates", "testkit" | "pdh-double", ..]
        | ["crates", "collect", "src", "platform" | "platform.rs", ..]
        | [.., "build.rs" | "service.rs"] => true,
        folders => folders.contains(&"service"),
    }
}

fn tells_systems_apart(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let Some((_, condition)) =
        ["cfg(", "cfg!(", "cfg_attr("].iter().find_map(|opening| code.split_once(opening))
    else {
        return false;
    };
    condition
        .split(|character: char| !character.is_alphanumeric() && character != '_')
        .any(|word| SYSTEMS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::super::tree::with_files;
    use super::*;

    #[test]
    fn a_condition_on_the_system_is_found_outside_the_seams() {
        let text = "//! x\n#[cfg(windows)]\nfn a() { if cfg!(target_os = \"linux\") {} }\n";
        let found = check(&with_files(&[("crates/store/src/lib.rs", text)]));
        assert_eq!(found.len(), 2);
        assert_eq!(found[0], "crates/store/src/lib.rs:2 tells systems apart outside a seam");
        let nested = "#[cfg_attr(all(test, unix), path = \"x\")]\n";
        assert_eq!(check(&with_files(&[("crates/store/src/lib.rs", nested)])).len(), 1);
    }

    #[test]
    fn the_seams_may_tell_systems_apart() {
        let text = "#[cfg(unix)]\n";
        for path in [
            "xtask/src/wine.rs",
            "crates/collect/src/platform.rs",
            "crates/collect/src/platform/windows/cpu.rs",
            "crates/barograph/src/service/signals.rs",
            "crates/barograph/src/service.rs",
            "crates/server/build.rs",
        ] {
            assert_eq!(check(&with_files(&[(path, text)])), [""; 0], "{path}");
        }
    }

    #[test]
    fn other_conditions_and_prose_pass() {
        let text = "#[cfg(test)]\n// cfg(windows) is explained here\nlet windows = cfg!(debug_assertions);\n";
        assert_eq!(check(&with_files(&[("crates/store/src/lib.rs", text)])), [""; 0]);
    }
}
