//! Files that settings name: a path, or a pattern with `*` in its last part.

use std::fs;
use std::path::{Path, PathBuf};

use barograph_model::{Pattern, chain};

/// Files that one pattern may match.
const MAX_FILES: usize = 1000;

/// The path itself, whether or not there is such a file, or the files whose names match its last
/// part, in the order of their names.
///
/// # Errors
/// The pattern's folder cannot be read, or holds too many that match.
pub(crate) fn matching(pattern: &Path) -> Result<Vec<PathBuf>, String> {
    let name = pattern.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let name = Pattern::new(name);
    if !name.has_wildcard() {
        return Ok(vec![pattern.to_owned()]);
    }
    let told = |error: std::io::Error| format!("{}: {}", pattern.display(), chain(&error));
    let folder = pattern.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder.unwrap_or(Path::new("."))).map_err(told)? {
        let entry = entry.map_err(told)?;
        if entry.file_name().to_str().is_none_or(|file| !name.matches_case(file)) {
            continue;
        }
        if paths.len() >= MAX_FILES {
            let shown = pattern.display();
            return Err(format!("{shown}: more than {MAX_FILES} files match"));
        }
        paths.push(entry.path());
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_gives_the_files_that_match_by_name_and_a_path_gives_itself() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.yml", "a.yml", "c.json"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let names = |pattern: &str| {
            let paths = matching(&folder.path().join(pattern)).unwrap();
            paths.iter().map(|it| it.file_name().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names("*.yml"), ["a.yml", "b.yml"]);
        assert_eq!(names("z.yml"), ["z.yml"]);
        let problem = matching(&folder.path().join("none").join("*.yml")).unwrap_err();
        assert!(problem.contains("*.yml"), "{problem}");
    }
}
