//! Everything current of this host as a page for others to scrape, under our names or those of
//! exporters that dashboards and rules already know.

mod names;

use barograph_model::Kind;
use barograph_wire::MetricType;
use barograph_wire::text::{Accept, Format, PageWriter};

use crate::app::App;
use crate::latest::Table;

use names::Row;

/// Whose names the metrics get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    Own,
    NodeExporter,
    WindowsExporter,
}

impl Names {
    pub(crate) const ALLOWED: &'static str = "`node_exporter` or `windows_exporter`";

    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "" | "barograph" => Some(Self::Own),
            "node_exporter" => Some(Self::NodeExporter),
            "windows_exporter" => Some(Self::WindowsExporter),
            _ => None,
        }
    }
}

/// The page and its `Content-Type`.
pub(crate) fn page(app: &App, accept: Accept, names: Names) -> (String, String) {
    let mut writer = PageWriter::new(accept);
    match names {
        Names::Own => own(app, &mut writer, accept.format),
        Names::NodeExporter => {
            renamed(app, names::NODE_EXPORTER, &mut writer);
            node_facts(app, &mut writer);
        }
        Names::WindowsExporter => {
            renamed(app, names::WINDOWS_EXPORTER, &mut writer);
        }
    }
    writer.finish()
}

fn metric_type(kind: Kind) -> MetricType {
    match kind {
        Kind::Counter => MetricType::Counter,
        Kind::Gauge => MetricType::Gauge,
    }
}

fn own(app: &App, writer: &mut PageWriter, format: Format) {
    let table = app.latest.read();
    let descs = app.descs_by_name();
    for desc in &app.descs {
        let mut current = current(&table, desc.name).peekable();
        if current.peek().is_none() {
            continue;
        }
        // In OpenMetrics a counter is called as its name without `_total`, which may be the name of
        // a headline metric: `disk_read_bytes`.
        let stem = desc.name.strip_suffix("_total");
        let clashes = stem.is_some_and(|stem| descs.contains_key(stem));
        let metric_type = match format {
            Format::OpenMetrics if clashes => MetricType::Unknown,
            _ => metric_type(desc.kind),
        };
        writer.metric(desc.name, metric_type, desc.help);
        for (labels, value) in current {
            writer.sample(desc.name, labels, value, None);
        }
    }
}

/// The series that have a value now.
fn current<'a>(
    table: &'a Table,
    metric: &str,
) -> impl Iterator<Item = (Vec<(&'a str, &'a str)>, f64)> {
    let now_ms = table.time_ms();
    table.entries(metric).iter().filter_map(move |entry| {
        let value = entry.value_at(now_ms, false)?;
        let labels = entry.labels.iter().filter(|(name, _)| *name != barograph_model::METRIC_NAME);
        Some((labels.collect(), value))
    })
}

/// Rows with the same name of theirs stand together and are one metric.
fn renamed(app: &App, rows: &[Row], writer: &mut PageWriter) {
    let table = app.latest.read();
    let descs = app.descs_by_name();
    let mut begun = "";
    for row in rows {
        for (labels, value) in current(&table, row.ours) {
            let Some(labels) = row.labels(&labels) else { continue };
            if begun != row.theirs {
                let help = descs.get(row.ours).map_or("", |desc| desc.help);
                writer.metric(row.theirs, row.metric_type(), help);
                begun = row.theirs;
            }
            writer.sample(row.theirs, labels, value * row.factor, None);
        }
    }
}

/// What `node_exporter` tells beside counters.
fn node_facts(app: &App, writer: &mut PageWriter) {
    let seconds = app.clock.now_ms() as f64 / 1000.0;
    writer.metric("node_time_seconds", MetricType::Gauge, "The time of this machine.");
    writer.sample("node_time_seconds", [], seconds, None);
    let host = &app.host;
    let system = if host.os == "linux" { "Linux" } else { host.os };
    let labels = [
        ("machine", host.architecture.as_deref().unwrap_or_default()),
        ("nodename", host.host.as_str()),
        ("release", host.kernel.as_deref().unwrap_or_default()),
        ("sysname", system),
    ];
    writer.metric("node_uname_info", MetricType::Gauge, "What this machine is.");
    writer.sample("node_uname_info", labels, 1.0, None);
}
