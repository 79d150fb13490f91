//! The table as comma-separated values.

use std::io::Write;

use super::Wanted;
use super::table::LabelColumns;
use crate::output;

pub(super) fn write(wanted: &mut Wanted<'_>, out: &mut dyn Write) -> anyhow::Result<()> {
    let columns = LabelColumns::of(wanted)?;
    let mut head = String::from("timestamp,metric");
    for title in &columns.titles {
        head.push(',');
        head += &cell(title);
    }
    writeln!(out, "{head},value\r")?;
    let mut middle = String::new();
    wanted.each(&mut |piece| {
        middle.clear();
        middle += &cell(piece.labels.name());
        for label in &columns.labels {
            middle.push(',');
            middle += &cell(piece.labels.get(label).unwrap_or_default());
        }
        for (time, value) in piece.times.iter().zip(piece.values) {
            writeln!(out, "{},{middle},{value}\r", output::timestamp(*time))?;
        }
        Ok(())
    })
}

/// Quoted where that is needed; what a spreadsheet would take for a formula is made text.
fn cell(text: &str) -> String {
    let text = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if text.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_no_formulas() {
        assert_eq!(cell("plain"), "plain");
        assert_eq!(cell("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(cell("=cmd|x"), "'=cmd|x");
    }
}
