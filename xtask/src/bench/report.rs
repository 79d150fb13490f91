//! Figures, for people or for programs.

use std::path::Path;

use anyhow::{Context, Result};

/// Figures in the order in which they were measured.
#[derive(Debug, Default)]
pub(super) struct Report {
    figures: Vec<Figure>,
    is_json: bool,
    section: String,
}

#[derive(Debug)]
struct Figure {
    section: String,
    name: String,
    value: f64,
}

impl Report {
    /// As a table that is printed while it grows, or as JSON in the end.
    pub(super) fn new(is_json: bool) -> Self {
        Self { is_json, ..Self::default() }
    }

    /// What the next figures are about.
    pub(super) fn section(&mut self, name: &str) {
        name.clone_into(&mut self.section);
        if !self.is_json {
            println!("\n{name}");
        }
    }

    pub(super) fn add(&mut self, name: &str, value: f64) {
        if !self.is_json {
            println!("  {:<58} {:>14}", name.replace('_', " "), shown(value));
        }
        let section = self.section.clone();
        self.figures.push(Figure { section, name: name.to_owned(), value });
    }

    /// Adds lines of a name and a number.
    pub(super) fn add_lines(&mut self, lines: &str) -> Result<()> {
        for line in lines.lines() {
            let (name, value) = line.split_once(' ').context("a line without a number")?;
            self.add(name, value.parse().with_context(|| format!("in `{line}`"))?);
        }
        Ok(())
    }

    /// Says what is not measured.
    pub(super) fn say(&self, what: &str) {
        if self.is_json {
            eprintln!("{what}");
        } else {
            println!("{what}");
        }
    }

    pub(super) fn finish(self) {
        if !self.is_json {
            return;
        }
        let figure = |figure: &Figure| {
            let Figure { section, name, value } = figure;
            format!("  {{\"section\": {section:?}, \"name\": {name:?}, \"value\": {value}}}")
        };
        let figures: Vec<_> = self.figures.iter().map(figure).collect();
        println!("[\n{}\n]", figures.join(",\n"));
    }
}

/// With three or four digits that mean something.
fn shown(value: f64) -> String {
    match value.abs() {
        size if size >= 1e6 => format!("{:.3} M", value / 1e6),
        size if size >= 1000.0 || value.fract() == 0.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}

/// All files under a folder, in bytes.
pub(super) fn folder_bytes(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    let entries = std::fs::read_dir(folder);
    for entry in entries.with_context(|| format!("cannot list {}", folder.display()))? {
        let entry = entry?;
        bytes += match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => folder_bytes(&entry.path())?,
            Ok(metadata) => metadata.len(),
            // A running server may have removed it meanwhile.
            Err(_) => 0,
        };
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_shown_by_their_size() {
        let shown = [4_145_358.6, 1234.5, 36.0, 42.25, 0.4823].map(shown);
        assert_eq!(shown, ["4.145 M", "1234", "36", "42.2", "0.482"]);
    }

    #[test]
    fn a_line_without_a_number_is_an_error() {
        let mut report = Report::new(true);
        assert!(report.add_lines("a 1\nb 2.5\n").is_ok());
        assert!(report.add_lines("a one").is_err());
        assert_eq!(report.figures.len(), 2);
    }
}
