//! Files that name targets: `[{"targets": ["host:port"], "labels": {…}}]`, in JSON or YAML.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::job::Group;
use crate::files;

/// The files as they were read last. One that cannot be read now keeps what it said before.
#[derive(Debug, Default)]
pub(super) struct Files {
    read: HashMap<PathBuf, (Vec<u8>, Vec<Group>)>,
}

const MAX_BYTES: u64 = 4 * 1024 * 1024;

impl Files {
    /// All groups, and what is wrong with files.
    pub(super) fn read(&mut self, patterns: &[PathBuf]) -> (Vec<Group>, Vec<String>) {
        let (mut groups, mut problems) = (Vec::new(), Vec::new());
        let mut before = std::mem::take(&mut self.read);
        for pattern in patterns {
            let paths = match files::matching(pattern) {
                Ok(paths) => paths,
                Err(problem) => {
                    problems.push(problem);
                    let mut kept: Vec<PathBuf> = before.keys().cloned().collect();
                    kept.retain(|path| path.parent() == pattern.parent());
                    kept.sort();
                    kept
                }
            };
            for path in paths {
                let last = before.remove(&path);
                let kept = match read_file(&path, last.as_ref()) {
                    Ok(read) => Some(read),
                    Err(problem) => {
                        problems.push(format!("{}: {problem}", path.display()));
                        last
                    }
                };
                if let Some(kept) = kept {
                    groups.extend(kept.1.iter().cloned());
                    self.read.insert(path, kept);
                }
            }
        }
        (groups, problems)
    }
}

fn read_file(
    path: &Path,
    last: Option<&(Vec<u8>, Vec<Group>)>,
) -> Result<(Vec<u8>, Vec<Group>), String> {
    let shown = |error: std::io::Error| error.to_string();
    if fs::metadata(path).map_err(shown)?.len() > MAX_BYTES {
        return Err(format!("the file is larger than {MAX_BYTES} bytes"));
    }
    let bytes = fs::read(path).map_err(shown)?;
    if let Some(same) = last.filter(|last| last.0 == bytes) {
        return Ok(same.clone());
    }
    let groups = match path.extension().and_then(|end| end.to_str()) {
        Some("json") => serde_json::from_slice(&bytes).map_err(|error| error.to_string()),
        _ => serde_saphyr::from_slice(&bytes).map_err(|error| error.to_string()),
    }?;
    Ok((bytes, groups))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_breaks_keeps_what_it_said() {
        let folder = tempfile::tempdir().unwrap();
        let (json, yaml) = (folder.path().join("a.json"), folder.path().join("b.yml"));
        fs::write(&json, r#"[{"targets": ["a:1"], "labels": {"x": "y"}}]"#).unwrap();
        fs::write(&yaml, "- targets: [b:1, b:2]\n").unwrap();
        let mut files = Files::default();
        let patterns = [folder.path().join("*.json"), yaml.clone()];
        let (groups, problems) = files.read(&patterns);
        assert_eq!((groups.len(), problems.len()), (2, 0));
        fs::write(&yaml, "- targts: [b:1]\n").unwrap();
        fs::remove_file(&json).unwrap();
        let (groups, problems) = files.read(&patterns);
        assert_eq!(groups[0].targets, ["b:1", "b:2"]);
        assert!(problems[0].contains("targts"), "{problems:?}");
    }
}
