//! `/etc/os-release`: shell assignments.

use super::fields::lines;

/// The distribution's name with its version, for people.
pub fn pretty_name(text: &[u8]) -> Option<String> {
    lines(text).find_map(|line| {
        let value = line.text.trim_ascii().strip_prefix(b"PRETTY_NAME=")?;
        let text = String::from_utf8_lossy(value).trim_matches(['"', '\'']).replace('\\', "");
        (!text.is_empty()).then_some(text)
    })
}
