//! Text with timestamps: OpenMetrics, or Prometheus' own format.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use anyhow::Context as _;
use barograph_model::{Labels, METRIC_NAME};
use barograph_wire::text::{Entry, Format, Limits, Sample, TextParser};

use super::target::Target;
use crate::output;
use crate::progress::ProgressLine;

/// A page is read as a whole.
const MAX_BYTES: u64 = 4 * 1024 * 1024 * 1024;
/// Pages of many series are written series by series: the text of the last one tells its labels.
const KNOWN_SERIES: usize = 100_000;

/// Earlier samples are none: there were no such programs.
const OLDEST_MS: i64 = 978_307_200_000;

/// What a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    OpenMetrics,
    Prometheus,
    /// It has no `# EOF`, and nobody said what it is: it may as well be OpenMetrics cut short, whose
    /// seconds would be taken for milliseconds.
    LooksLikePrometheus,
}

pub(super) fn read(path: &Path, kind: Kind, target: &mut Target) -> anyhow::Result<()> {
    let format = match kind {
        Kind::OpenMetrics => Format::OpenMetrics,
        Kind::Prometheus | Kind::LooksLikePrometheus => Format::Prometheus,
    };
    let size = fs::metadata(path)?.len();
    anyhow::ensure!(
        size <= MAX_BYTES,
        "it has {}, at most {} are allowed; split it",
        output::size(size),
        output::size(MAX_BYTES)
    );
    let page = fs::read(path)?;
    let limits = Limits { samples: usize::MAX, ..Limits::default() };
    let mut parser = TextParser::new(&page, format, limits)?;
    let mut progress = ProgressLine::new("reading");
    let mut known: HashMap<&str, Labels> = HashMap::new();
    let mut without_time = 0;
    let mut newest_ms = None;
    while let Some(entry) = parser.next_entry()? {
        let Entry::Sample(sample) = entry else { continue };
        let Some(time_ms) = sample.timestamp_ms else {
            without_time += 1;
            continue;
        };
        newest_ms = newest_ms.max(Some(time_ms));
        let (series, value) = (sample.series, sample.value);
        if known.len() >= KNOWN_SERIES && !known.contains_key(series) {
            known.clear();
        }
        if !known.contains_key(series) {
            let labels = labels(&sample).with_context(|| format!("series `{series}`"))?;
            known.insert(series, target.labels(labels)?);
        }
        if let Some(labels) = known.get(series) {
            target.push(time_ms, labels, value)?;
        }
        progress.count(|| format!("{} samples", target.samples()));
    }
    anyhow::ensure!(
        kind != Kind::LooksLikePrometheus || newest_ms.is_none_or(|newest| newest >= OLDEST_MS),
        "all of its times lie before 2001, as if it were OpenMetrics that was cut short before its \
         `# EOF`; name what it is by --format"
    );
    target.leave_out("samples without a time", without_time);
    Ok(())
}

fn labels(sample: &Sample<'_, '_>) -> anyhow::Result<Labels> {
    let pairs = sample.labels.iter().map(|label| (&*label.name, &*label.value));
    Ok(Labels::new([(METRIC_NAME, sample.name)].into_iter().chain(pairs))?)
}

/// Whether OpenMetrics' last line is there.
pub(super) fn ends_with_eof(file: &mut File) -> io::Result<bool> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(16)))?;
    let mut end = Vec::new();
    file.take(16).read_to_end(&mut end)?;
    Ok(end.trim_ascii_end().ends_with(b"# EOF"))
}
