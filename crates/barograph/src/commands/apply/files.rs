//! From files to documents and back.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::failure::Failure;

const MAX_FILES: usize = 2000;
const MAX_FILE_BYTES: u64 = 8 * 1024 * 1024;
const MAX_DEPTH: usize = 16;

/// A document as a file has it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FileDocument {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) text: String,
}

/// All documents of files and folders, in order of their paths. `kind` is for those that name none.
pub(super) fn read(paths: &[PathBuf], kind: Option<&str>) -> anyhow::Result<Vec<FileDocument>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            gather(path, 0, &mut files)?;
        } else {
            files.push(path.clone());
        }
    }
    if files.is_empty() {
        return Err(Failure::Input("there are no .yaml or .yml files".to_owned()).into());
    }
    let mut documents = Vec::new();
    for path in &files {
        let shown = path.display();
        let length = fs::metadata(path).with_context(|| format!("cannot read {shown}"))?.len();
        if length > MAX_FILE_BYTES {
            let message =
                format!("{shown} has {length} bytes, at most {MAX_FILE_BYTES} are allowed");
            return Err(Failure::Input(message).into());
        }
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
        let found = split(&text, path, kind)
            .map_err(|problem| Failure::Input(format!("{shown}: {problem}")))?;
        documents.extend(found);
    }
    Ok(documents)
}

fn gather(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let shown = folder.display();
    if depth > MAX_DEPTH {
        return Err(Failure::Input(format!("{shown}: folders are too deep")).into());
    }
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {shown}"))?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.with_context(|| format!("cannot read {shown}"))?.path());
    }
    paths.sort();
    for path in paths {
        let extension = path.extension().and_then(|it| it.to_str());
        if path.is_dir() {
            gather(&path, depth + 1, files)?;
        } else if matches!(extension, Some("yaml" | "yml")) {
            if files.len() == MAX_FILES {
                let message = format!("more than {MAX_FILES} files");
                return Err(Failure::Input(message).into());
            }
            files.push(path);
        }
    }
    Ok(())
}

/// The documents of one file: those that say what they are, or one that its path tells of.
fn split(text: &str, path: &Path, kind: Option<&str>) -> Result<Vec<FileDocument>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if head(text).is_none() {
        return Ok(vec![by_path(text, path, kind)?]);
    }
    let mut documents = Vec::new();
    let mut part = String::new();
    let mut parts = Vec::new();
    for line in text.split_inclusive('\n') {
        if line.trim_end() == "---" {
            parts.push(std::mem::take(&mut part));
        } else {
            part.push_str(line);
        }
    }
    parts.push(part);
    for (number, part) in (1..).zip(&parts) {
        let is_blank = |line: &str| line.trim().is_empty() || line.trim().starts_with('#');
        if part.lines().all(is_blank) {
            continue;
        }
        let found = head(part);
        documents.push(found.ok_or_else(|| {
            format!("part {number} does not begin with the lines `kind:` and `name:`")
        })?);
    }
    Ok(documents)
}

/// A document whose first two lines, comments aside, are `kind:` and `name:`.
fn head(part: &str) -> Option<FileDocument> {
    let (mut kind, mut name, mut text) = (None, None, String::new());
    for line in part.split_inclusive('\n') {
        let is_done = kind.is_some() && name.is_some();
        let is_aside = line.trim().is_empty() || line.starts_with('#') || line.trim_end() == "---";
        if is_done || is_aside {
            if is_done || line.trim_end() != "---" {
                text.push_str(line);
            }
            continue;
        }
        let (key, value) = line.split_once(':')?;
        let value = unquoted(value.trim());
        match key {
            "kind" if kind.is_none() => kind = Some(value),
            "name" if kind.is_some() => name = Some(value),
            _ => return None,
        }
    }
    Some(FileDocument { kind: kind?, name: name?, text })
}

fn unquoted(text: &str) -> String {
    let inner = ['"', '\'']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote).and_then(|it| it.strip_suffix(quote)));
    inner.unwrap_or(text).to_owned()
}

fn by_path(text: &str, path: &Path, kind: Option<&str>) -> Result<FileDocument, String> {
    let stem = path.file_stem().and_then(|it| it.to_str()).ok_or("its name is not readable")?;
    let folder = path.parent().and_then(Path::file_name).and_then(|it| it.to_str());
    let kind = kind.or(folder).ok_or(
        "it does not say its kind: begin it with the lines `kind:` and `name:`, put it into a \
         folder called as the kind, or name the kind by --kind",
    )?;
    Ok(FileDocument { kind: kind.to_owned(), name: decoded(stem), text: text.to_owned() })
}

/// A document with its kind and name before it.
pub(super) fn with_head(kind: &str, name: &str, text: &str) -> String {
    let text = text.strip_prefix("---\n").unwrap_or(text);
    format!("---\nkind: {kind}\nname: '{name}'\n{text}")
}

/// Such as `web%2F1.yaml`: what not every file system takes is written by its number.
pub(super) fn file_name(name: &str) -> String {
    let mut file = String::new();
    for byte in name.bytes() {
        let is_plain = byte.is_ascii_alphanumeric() || b" -_".contains(&byte);
        if is_plain {
            file.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            write!(file, "%{byte:02X}").unwrap_or_default();
        }
    }
    file + ".yaml"
}

fn decoded(stem: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = stem.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let number = after
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|it| u8::from_str_radix(std::str::from_utf8(it).ok()?, 16).ok());
        bytes.push(number.unwrap_or(*first));
        rest = if number.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| stem.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documents(text: &str, path: &str) -> Result<Vec<(String, String, String)>, String> {
        let found = split(text, Path::new(path), None)?;
        Ok(found.into_iter().map(|it| (it.kind, it.name, it.text)).collect())
    }

    #[test]
    fn a_file_is_a_document_by_its_path() {
        let text = "# why\ngroups: []\n";
        let found = documents(text, "conf/rules/web%2F1.yml").unwrap();
        assert_eq!(found, [("rules".into(), "web/1".into(), text.into())]);
        assert_eq!(file_name("web/1"), "web%2F1.yaml");
    }

    #[test]
    fn a_file_holds_several_that_say_what_they_are() {
        let text = "# both\n---\nkind: people\nname: 'anna'\nname: Anna Example\ncontacts: []\n---\n# x\nkind: rules\nname: own\ngroups: []\n---\n";
        let found = documents(text, "all.yaml").unwrap();
        let expected = [
            ("people".into(), "anna".into(), "name: Anna Example\ncontacts: []\n".into()),
            ("rules".into(), "own".into(), "# x\ngroups: []\n".into()),
        ];
        assert_eq!(found, expected);
        let error = documents("kind: rules\nname: a\ngroups: []\n---\ngroups: []\n", "x.yaml");
        assert!(error.unwrap_err().contains("part 2"));
    }

    #[test]
    fn what_is_exported_is_read_back() {
        let text = "---\n# mine\nname: Anna\ncontacts: []\n";
        let exported = with_head("people", "anna", text);
        let found = documents(&exported, "-").unwrap();
        assert_eq!(found[0].2, "# mine\nname: Anna\ncontacts: []\n");
    }
}
