//! From a page to samples with a target's labels, and the series that it has no more.

use std::collections::{HashMap, HashSet};

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

/// What one page may be. Labels count with the metric's name among them, as in Prometheus.
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
            labels: Labels::MAX_COUNT,
            label_name_bytes: Labels::MAX_NAME_BYTES,
            label_value_bytes: Labels::MAX_VALUE_BYTES,
        }
    }
}

/// What a target answered last, by the text of its series.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    series: HashMap<Box<str>, Known, foldhash::fast::RandomState>,
    /// What rules have made of them, where there are rules.
    names: HashSet<Labels, foldhash::fast::RandomState>,
    /// Rules have once made the same of two series.
    has_merged: bool,
    /// Grows with every page.
    page: u64,
}

#[derive(Debug)]
struct Known {
    /// Nothing if a rule drops it.
    labels: Option<Labels>,
    /// The page it was first on.
    since: u64,
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

/// A page that is not taken, and how far it was read.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) error: PageError,
    pub(crate) scraped: usize,
    pub(crate) kept: usize,
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
    #[error(
        "`{series}` has {count} labels with the metric's name, more than {most} (`label_limit`)"
    )]
    TooManyLabels { series: String, count: usize, most: usize },
    #[error("rules have taken the metric's name from `{series}`: `__name__` is empty")]
    NoName { series: String },
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
    ) -> Result<Page, Refused> {
        let mut page = Page::default();
        self.page += 1;
        if let Err(error) = self.read_lines(&mut page, body, format, reading, target, infos) {
            // What was never stored does not end either.
            let number = self.page;
            self.retain(|known| known.since < number);
            return Err(Refused { error, scraped: page.scraped, kept: page.kept });
        }
        self.end_those_before(self.page, &mut page.samples);
        if self.has_merged {
            keep_first(&mut page.samples);
        }
        Ok(page)
    }

    fn read_lines(
        &mut self,
        page: &mut Page,
        body: &[u8],
        format: Format,
        reading: &Reading,
        target: &[(String, String)],
        infos: &MetricInfos,
    ) -> Result<(), PageError> {
        let mut parser = TextParser::new(body, format, Limits::default())?;
        let mut about = About::default();
        while let Some(entry) = parser.next_entry()? {
            match entry {
                Entry::About(metadata) => about.take(metadata, infos),
                Entry::Sample(sample) => self.take(&sample, page, reading, target)?,
            }
        }
        about.flush(infos);
        let most = reading.limits.samples;
        if page.kept > most { Err(PageError::TooManySamples { most }) } else { Ok(()) }
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
            // A page past its limit is counted to its end and not remembered.
            if page.kept >= reading.limits.samples {
                page.kept += usize::from(labels.is_some());
                return Ok(());
            }
            page.added += usize::from(labels.is_some());
            if let (Some(labels), false) = (&labels, reading.rules.is_empty()) {
                self.has_merged |= !self.names.insert(labels.clone());
            }
            let known = Known { labels, since: self.page, page: self.page, goes_on };
            self.series.entry(sample.series.into()).or_insert(known)
        };
        let Some(labels) = &known.labels else { return Ok(()) };
        page.kept += 1;
        if page.kept <= reading.limits.samples {
            page.samples.push(Stored { labels: labels.clone(), value: sample.value, time_ms });
        }
        Ok(())
    }

    /// Ends every series, since the target is gone or says nothing that can be read.
    pub(crate) fn end_all(&mut self) -> Vec<Stored> {
        let mut ended = Vec::new();
        self.end_those_before(u64::MAX, &mut ended);
        ended
    }

    fn end_those_before(&mut self, page: u64, ended: &mut Vec<Stored>) {
        self.retain(|known| {
            let is_current = known.page >= page;
            if let (false, Some(labels), false) = (is_current, &known.labels, known.goes_on) {
                ended.push(Stored { labels: labels.clone(), value: STALE, time_ms: None });
            }
            is_current
        });
    }

    fn retain(&mut self, mut stays: impl FnMut(&Known) -> bool) {
        let names = &mut self.names;
        self.series.retain(|_, known| {
            let stays = stays(known);
            if let (false, Some(labels)) = (stays, &known.labels) {
                names.remove(labels);
            }
            stays
        });
    }
}

/// Of samples that rules made the same, the first one counts, as in Prometheus; and a series that
/// goes on under another's name has not ended.
fn keep_first(samples: &mut Vec<Stored>) {
    let mut seen = HashSet::new();
    samples.retain(|one| seen.insert((one.labels.clone(), one.time_ms)));
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
    labels.retain(|_, value| !value.is_empty());
    if labels.is_empty() {
        return Ok(None);
    }
    check(&labels, &reading.limits, series)?;
    Labels::new(labels).map(Some).map_err(|source| PageError::Labels { series: series(), source })
}

/// What rules have left of a series is what limits are for.
fn check(
    labels: &LabelMap,
    limits: &PageLimits,
    series: impl Fn() -> String,
) -> Result<(), PageError> {
    if !labels.contains_key(METRIC_NAME) {
        return Err(PageError::NoName { series: series() });
    }
    let (count, most) = (labels.len(), limits.labels);
    if count > most {
        return Err(PageError::TooManyLabels { series: series(), count, most });
    }
    for (name, value) in labels {
        for (what, length, most, key) in [
            ("name", name.len(), limits.label_name_bytes, "label_name_length_limit"),
            ("value", value.len(), limits.label_value_bytes, "label_value_length_limit"),
        ] {
            if length > most {
                return Err(PageError::LongLabel { series: series(), what, most, key });
            }
        }
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

#[cfg(test)]
mod tests {
    use barograph_wire::relabel::RelabelConfig;
    use serde_json::{Value, json};

    use super::*;

    /// What of pages, one after the other, is stored by these rules.
    fn stored(rules: &Value, limits: PageLimits, pages: &[&str]) -> Result<Vec<String>, Refused> {
        let rules: Vec<RelabelConfig> = serde_json::from_value(rules.clone()).unwrap();
        let rules = rules.iter().map(|rule| Rule::new(rule).unwrap()).collect();
        let reading = Reading { rules, limits, ..Reading::default() };
        let (mut seen, mut page, infos) =
            (Seen::default(), Page::default(), MetricInfos::default());
        for text in pages {
            page = seen.read(text.as_bytes(), Format::Prometheus, &reading, &[], &infos)?;
        }
        Ok(page.samples.iter().map(|one| format!("{} {}", one.labels, one.value)).collect())
    }

    fn all(rules: &Value, pages: &[&str]) -> Vec<String> {
        stored(rules, PageLimits::default(), pages).unwrap()
    }

    fn refused(rules: &Value, limits: PageLimits, page: &str) -> Refused {
        stored(rules, limits, &[page]).unwrap_err()
    }

    #[test]
    fn of_samples_that_rules_make_the_same_the_first_counts() {
        let rules = json!([{"action": "labeldrop", "regex": "x"}]);
        let both = "a{x=\"1\"} 1\na{x=\"2\"} 2\n";
        assert_eq!(all(&rules, &[both]), ["a 1"]);
        assert_eq!(all(&rules, &[both, "a{x=\"2\"} 3\n"]), ["a 3"]);
        assert_eq!(all(&rules, &[both, "b 4\n"]), ["b 4", "a NaN"]);
    }

    #[test]
    fn what_was_only_on_a_page_that_is_refused_does_not_end() {
        let (mut seen, reading, infos) =
            (Seen::default(), Reading::default(), MetricInfos::default());
        let read = |seen: &mut Seen, text: &str| {
            seen.read(text.as_bytes(), Format::Prometheus, &reading, &[], &infos).is_ok()
        };
        assert!(read(&mut seen, "a 1\n"));
        assert!(!read(&mut seen, "a 1\nnew 1\nbroken\n"));
        let ended: Vec<_> = seen.end_all().iter().map(|one| one.labels.to_string()).collect();
        assert_eq!(ended, ["a"]);
    }

    #[test]
    fn labels_of_pages_and_rules_may_begin_with_underscores() {
        let rules = json!([{"target_label": "__tmp", "replacement": "t"}]);
        assert_eq!(all(&rules, &["a{__b=\"1\"} 1\n"]), ["a{__b=\"1\",__tmp=\"t\"} 1"]);
    }

    #[test]
    fn limits_are_for_what_rules_leave() {
        let page = "long{y=\"1\"} 1\nb 2\nc 3\n";
        let limits =
            |samples| PageLimits { samples, label_value_bytes: 3, ..PageLimits::default() };
        let dropped = json!([{"source_labels": ["__name__"], "regex": "long", "action": "drop"}]);
        assert_eq!(stored(&dropped, limits(2), &[page]).unwrap(), ["b 2", "c 3"]);
        let long = refused(&json!([]), limits(2), page);
        assert!(long.error.to_string().contains("value is longer than 3 bytes"), "{long:?}");
        let many = refused(&dropped, limits(1), page);
        assert!(matches!(many.error, PageError::TooManySamples { most: 1 }), "{many:?}");
        assert_eq!((many.scraped, many.kept), (3, 2));
        let labels = PageLimits { labels: 1, ..PageLimits::default() };
        let error = refused(&json!([]), labels, page).error.to_string();
        assert_eq!(
            error,
            "`long{y=\"1\"}` has 2 labels with the metric's name, more than 1 (`label_limit`)"
        );
    }

    #[test]
    fn a_series_without_a_name_fails_the_page_and_one_without_labels_is_dropped() {
        let of_name = json!([{"action": "labeldrop", "regex": "__name__"}]);
        let error = refused(&of_name, PageLimits::default(), "b 1\na{x=\"1\"} 1\n").error;
        assert!(
            matches!(&error, PageError::NoName { series } if series == "a{x=\"1\"}"),
            "{error}"
        );
        assert_eq!(all(&of_name, &["b 1\n"]), [""; 0]);
    }
}
