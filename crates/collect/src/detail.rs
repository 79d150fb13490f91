//! Numbers that one system tells under names of its own, declared as tables: one row each.

use std::time::Duration;

use barograph_model::Desc;

use crate::parse::keyed::Keyed;
use crate::platform::ProcFile;
use crate::{Collector, Error, Roots, Sink};

/// A name in the system's text, and what its number is stored as.
#[derive(Debug)]
pub(crate) struct Detail {
    /// Empty where the text has no sections.
    pub(crate) section: &'static str,
    pub(crate) name: &'static str,
    pub(crate) desc: &'static Desc,
    pub(crate) labels: &'static [&'static str],
    /// Of the metric's unit in one of the text's.
    pub(crate) scale: f64,
}

/// Finds the rows' numbers in a text.
pub(crate) fn keyed(details: impl IntoIterator<Item = &'static Detail>) -> Keyed {
    Keyed::new(details.into_iter().map(|detail| (detail.section, detail.name)))
}

/// Emits what a reader found for each row, in their order; nothing for what the system lacks.
pub(crate) fn push(
    details: impl IntoIterator<Item = &'static Detail>,
    values: &[Option<u64>],
    out: &mut dyn Sink,
) {
    for (detail, value) in details.into_iter().zip(values) {
        out.push_some(detail.desc, detail.labels, value.map(|value| value as f64 * detail.scale));
    }
}

/// A file of the kernel that holds nothing but rows.
#[derive(Debug)]
pub(crate) struct Table {
    /// Below `/proc`.
    pub(crate) file: &'static str,
    pub(crate) form: Form,
    pub(crate) rows: &'static [Detail],
}

/// How a file holds its names and numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// [`Keyed::parse_lines`]
    Lines,
    /// [`Keyed::parse_pairs`]
    Pairs,
    /// [`Keyed::parse_sections`]
    Sections,
    /// [`Keyed::parse_numbers`]
    Numbers,
}

/// A collector that is no more than tables.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) name: &'static str,
    pub(crate) descs: &'static [&'static Desc],
    pub(crate) interval: Duration,
    pub(crate) tables: &'static [Table],
}

/// Emits what the tables name.
#[derive(Debug)]
pub(crate) struct DetailCollector {
    about: &'static About,
    /// Of each table; nothing for a file that this kernel does not have.
    files: Vec<Option<ProcFile>>,
    found: Vec<Keyed>,
}

impl DetailCollector {
    pub(crate) fn new(about: &'static About, roots: &Roots) -> Self {
        let tables = about.tables.iter();
        Self {
            about,
            files: tables.clone().map(|table| Some(ProcFile::new(roots, table.file))).collect(),
            found: tables.map(|table| keyed(table.rows)).collect(),
        }
    }
}

impl Collector for DetailCollector {
    fn name(&self) -> &'static str {
        self.about.name
    }

    fn descs(&self) -> &'static [&'static Desc] {
        self.about.descs
    }

    fn interval(&self) -> Duration {
        self.about.interval
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        let mut absent = None;
        for ((table, file), found) in
            self.about.tables.iter().zip(&mut self.files).zip(&mut self.found)
        {
            let Some(kept) = file else { continue };
            found.clear();
            let read = kept.read(|text| match table.form {
                Form::Lines => found.parse_lines(text),
                Form::Pairs => found.parse_pairs(text),
                Form::Sections => found.parse_sections(text),
                Form::Numbers => found.parse_numbers(text),
            });
            match read {
                Ok(()) => push(table.rows, found.values(), out),
                Err(error) if error.is_absent() => {
                    *file = None;
                    absent = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        match absent {
            Some(error) if self.files.iter().all(Option::is_none) => Err(error),
            _ => Ok(()),
        }
    }
}
