//! From a page to samples with a target's labels, and the series that it has no more.

use std::collections::HashMap;

use barograph_model::{Labels, LabelsError, METRIC_NAME, STALE};
use barograph_wire::relabel::{LabelMap, Rule, relabel};
use barograph_wire::text::{Entry, Format, Limits, Metadata, Sample, TextError, TextParser};
use barograph_wire::{MetricType, text::Label};

use crate::ingest::{Intake, MetricInfos, TooManySamples};

/// How pages of one source are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The page's own labels win over those of the source.
    pub(crate) honor_labels: bool,
    pub(crate) honor_timestamps: bool,
    /// Series that come with times of their own end as the others do.
    pub(crate) track_timestamps: bool,
    pub(crate) rules: Vec<Rule>,
    pub(crate) limits: PageLimits,
}

/// What one page may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PageLimits {
    pub(crate) body_bytes: usize,
    pub(crate) samples: usize,
    pub(crate) labels: usize,
    pub(crate) label_name_bytes: usize,
    pub(crate) label_value_bytes: usize,
}

impl Default for PageLimits {
    /// The largest exporters known send some ten megabytes with a hundred thousand samples.
    fn default() -> Self {
        Self {
            body_bytes: 64 * 1024 * 1024,
            samples: 400_000,
            labels: Labels::MAX_COUNT - 1,
            label_name_bytes: Labels::MAX_NAME_BYTES,
            label_value_bytes: Labels::MAX_VALUE_BYTES,
        }
    }
}

/// What a target answered last, by the text of its series.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    series: HashMap<Box<str>, Known, foldhash::fast::RandomState>,
    /// Grows with every page.
    page: u64,
}

#[derive(Debug)]
struct Known {
    /// Nothing if a rule drops it.
    labels: Option<Labels>,
    /// The page it was last on.
    page: u64,
    /// It came with a time of its own, so nobody says when it ends, unless that is wanted.
    goes_on: bool,
}

/// A sample to be stored; without a time it gets that of the scrape.
#[derive(Debug, PartialEq)]
pub(crate) struct Stored {
    pub(crate) labels: Labels,
    pub(crate) value: f64,
    pub(crate) time_ms: Option<i64>,
}

/// The samples of a page.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) samples: Vec<Stored>,
    pub(crate) scraped: usize,
    pub(crate) kept: usize,
    pub(crate) added: usize,
}

/// Why a page is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PageError {
    #[error(transparent)]
    Text(#[from] TextError),
    #[error("`{series}`")]
    Labels { series: String, source: LabelsError },
    #[error("more than {most} samples are left after relabelling (`sample_limit`)")]
    TooManySamples { most: usize },
    #[error("`{series}` has a label whose {what} is longer than {most} bytes (`{key}`)")]
    LongLabel { series: String, what: &'static str, most: usize, key: &'static str },
    #[error("`{series}` has more than {most} labels (`label_limit`)")]
    TooManyLabels { series: String, most: usize },
}

impl Seen {
    /// Reads a page. Series that were on the page before and are not on this one end: they get a
    /// staleness marker.
    ///
    /// # Errors
    /// The first thing that is wrong with the page; nothing of it counts then.
    pub(crate) fn read(
        &mut self,
        body: &[u8],
        format: Format,
        reading: &Reading,
        target: &[(String, String)],
        infos: &MetricInfos,
    ) -> Result<Page, PageError> {
        let limits = Limits { labels: reading.limits.labels, ..Limits::default() };
        let mut parser = TextParser::new(body, format, limits)?;
        let mut page = Page::default();
        let mut about = About::default();
        self.page += 1;
        while let Some(entry) = parser.next_entry()? {
            match entry {
                Entry::About(metadata) => about.take(metadata, infos),
                Entry::Sample(sample) => self.take(&sample, &mut page, reading, target)?,
            }
        }
        about.flush(infos);
        self.end_those_before(self.page, &mut page.samples);
        Ok(page)
    }

    fn take(
        &mut self,
        sample: &Sample<'_, '_>,
        page: &mut Page,
        reading: &Reading,
        target: &[(String, String)],
    ) -> Result<(), PageError> {
        page.scraped += 1;
        let time_ms = sample.timestamp_ms.filter(|_| reading.honor_timestamps);
        let has_time = time_ms.is_some();
        let goes_on = has_time && !reading.track_timestamps;
        let known = if let Some(known) = self.series.get_mut(sample.series) {
            // The same series twice on one page: the first one counts, as in Prometheus.
            if known.page == self.page && !has_time {
                return Ok(());
            }
            known.page = self.page;
            known.goes_on = goes_on;
            known
        } else {
            let labels = labels(sample, reading, target)?;
            page.added += usize::from(labels.is_some());
            let known = Known { labels, page: self.page, goes_on };
            self.series.entry(sample.series.into()).or_insert(known)
        };
        let Some(labels) = &known.labels else { return Ok(()) };
        page.kept += 1;
        if page.kept > reading.limits.samples {
            return Err(PageError::TooManySamples { most: reading.limits.samples });
        }
        page.samples.push(Stored { labels: labels.clone(), value: sample.value, time_ms });
        Ok(())
    }

    /// Ends every series, since the target is gone or says nothing that can be read.
    pub(crate) fn end_all(&mut self) -> Vec<Stored> {
        let mut ended = Vec::new();
        self.end_those_before(u64::MAX, &mut ended);
        ended
    }

    fn end_those_before(&mut self, page: u64, ended: &mut Vec<Stored>) {
        self.series.retain(|_, known| {
            let is_current = known.page >= page;
            if let (false, Some(labels), false) = (is_current, &known.labels, known.goes_on) {
                ended.push(Stored { labels: labels.clone(), value: STALE, time_ms: None });
            }
            is_current
        });
    }
}

/// The labels that a sample is stored under; nothing if a rule drops it.
fn labels(
    sample: &Sample<'_, '_>,
    reading: &Reading,
    target: &[(String, String)],
) -> Result<Option<Labels>, PageError> {
    let series = || sample.series.chars().take(200).collect::<String>();
    let mut labels = LabelMap::new();
    labels.insert(METRIC_NAME.to_owned(), sample.name.to_owned());
    for Label { name, value } in sample.labels {
        check_lengths(name, value, reading).map_err(|(what, most, key)| PageError::LongLabel {
            series: series(),
            what,
            most,
            key,
        })?;
        labels.insert(name.clone().into_owned(), value.clone().into_owned());
    }
    for (name, value) in target {
        let own = labels.get(name).filter(|value| !value.is_empty()).cloned();
        match own {
            Some(_) if reading.honor_labels => continue,
            Some(own) => {
                let mut exported = format!("exported_{name}");
                while labels.contains_key(&exported) {
                    exported.insert_str(0, "exported_");
                }
                labels.insert(exported, own);
            }
            // An empty label of the page takes the target's away.
            None if reading.honor_labels && labels.contains_key(name) => continue,
            None => {}
        }
        labels.insert(name.clone(), value.clone());
    }
    let Some(mut labels) = relabel(&reading.rules, labels) else { return Ok(None) };
    labels.retain(|name, value| {
        !value.is_empty() && (name == METRIC_NAME || !name.starts_with("__"))
    });
    if labels.len() > reading.limits.labels + 1 {
        return Err(PageError::TooManyLabels { series: series(), most: reading.limits.labels });
    }
    Labels::new(labels).map(Some).map_err(|source| PageError::Labels { series: series(), source })
}

fn check_lengths(
    name: &str,
    value: &str,
    reading: &Reading,
) -> Result<(), (&'static str, usize, &'static str)> {
    let limits = &reading.limits;
    if name.len() > limits.label_name_bytes {
        return Err(("name", limits.label_name_bytes, "label_name_length_limit"));
    }
    if value.len() > limits.label_value_bytes {
        return Err(("value", limits.label_value_bytes, "label_value_length_limit"));
    }
    Ok(())
}

/// What the newest lines say of one metric.
#[derive(Debug, Default)]
struct About {
    metric: String,
    metric_type: MetricType,
    help: String,
    unit: String,
}

impl About {
    fn take(&mut self, metadata: Metadata<'_>, infos: &MetricInfos) {
        let metric = match &metadata {
            Metadata::Help { metric, .. }
            | Metadata::Type { metric, .. }
            | Metadata::Unit { metric, .. } => metric,
        };
        if *metric != self.metric {
            self.flush(infos);
            *self = Self { metric: metric.clone().into_owned(), ..Self::default() };
        }
        match metadata {
            Metadata::Help { help, .. } => self.help = help.into_owned(),
            Metadata::Type { metric_type, .. } => self.metric_type = metric_type,
            Metadata::Unit { unit, .. } => unit.clone_into(&mut self.unit),
        }
    }

    fn flush(&self, infos: &MetricInfos) {
        infos.describe(&self.metric, self.metric_type, &self.help, &self.unit);
    }
}

/// Hands a sample on; what has no time of its own gets `time_ms`.
pub(crate) fn put(
    intake: &mut Intake<'_>,
    sample: &Stored,
    time_ms: i64,
) -> Result<(), TooManySamples> {
    match intake.labelled(&sample.labels) {
        Ok(series) => intake.sample(series, sample.time_ms.unwrap_or(time_ms), sample.value),
        Err(reason) => {
            intake.refuse(reason, 1);
            Ok(())
        }
    }
}
