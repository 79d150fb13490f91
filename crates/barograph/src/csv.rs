//! Cells of CSV (RFC 4180).

/// A text as a cell: harmless, and in quotes where it must be.
pub(crate) fn cell(text: &str) -> String {
    let text = harmless(text);
    if text.contains([',', '"', '\r', '\n']) { quoted(&text) } else { text }
}

pub(crate) fn quoted(cell: &str) -> String {
    format!("\"{}\"", cell.replace('"', "\"\""))
}

/// A cell that a spreadsheet takes for text: names of instances and labels come from other
/// programs, and one that begins with `=` would be run.
pub(crate) fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_defused_and_quotes_doubled() {
        assert_eq!(cell("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0");
        assert_eq!(cell("a\"b"), "\"a\"\"b\"");
        assert_eq!(cell("plain"), "plain");
    }
}
