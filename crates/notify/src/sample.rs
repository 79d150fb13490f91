//! A notification to try channels and templates with.

use std::collections::BTreeMap;

use crate::notification::{
    Alert, Chart, Event, Evidence, HostEvent, Links, Notification, Process, Severity,
};

const MINUTE: i64 = 60_000;

/// A disk that fills, as it would be told at `now_ms`.
pub(crate) fn notification(now_ms: i64) -> Notification {
    let started_ms = now_ms - 12 * MINUTE;
    let texts = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    };
    let alert = Alert {
        name: "DiskNearlyFull".to_owned(),
        severity: Severity::Warning,
        labels: texts(&[
            ("alertname", "DiskNearlyFull"),
            ("drive", "C:"),
            ("host", "example"),
            ("severity", "warning"),
        ]),
        annotations: texts(&[("summary", "Disk C: of example is nearly full")]),
        value: Some(93.4),
        threshold: Some(90.0),
        unit: "%".to_owned(),
        started_ms,
        ..Alert::default()
    };
    let process = |pid, name: &str, cpu_percent, memory_bytes| Process {
        pid,
        name: name.to_owned(),
        user: "system".to_owned(),
        cpu_percent,
        memory_bytes,
        io_bytes_per_second: 52_428_800.0,
    };
    let points = (0..=60u32).map(|i| {
        let wave = f64::from(i % 7) / 10.0;
        (now_ms - (60 - i64::from(i)) * MINUTE, 88.0 + f64::from(i) / 11.0 + wave)
    });
    let chart = Chart {
        title: "disk_percent{drive=\"C:\"}".to_owned(),
        unit: "%".to_owned(),
        points: points.collect(),
        threshold: Some(90.0),
        step_ms: MINUTE,
    };
    Notification {
        id: format!("test-{now_ms}"),
        group: format!("test-{now_ms}"),
        event: Event::Test,
        incident: None,
        title: "Disk C: of example is nearly full".to_owned(),
        severity: Severity::Warning,
        host: Some("example".to_owned()),
        since_ms: started_ms,
        ended_ms: None,
        at_ms: now_ms,
        alerts: vec![alert],
        more_alerts: 0,
        evidence: Evidence {
            charts: vec![chart],
            processes: vec![
                process(4711, "backup", 87.5, 734_003_200.0),
                process(1280, "database", 12.25, 4_509_715_660.0),
            ],
            events: vec![HostEvent {
                at_ms: started_ms - MINUTE,
                text: "process backup (pid 4711) started".to_owned(),
            }],
        },
        links: Links::default(),
        recipient: None,
        act: None,
        told: Vec::new(),
    }
}

impl Notification {
    /// Says that nothing is wrong, and looks as if something were: to see that a channel works and
    /// what its messages look like. `server` is the address at which people reach this server.
    pub fn test(now_ms: i64, server: Option<&str>) -> Self {
        let mut it = notification(now_ms);
        it.links.server = server.map(str::to_owned);
        it
    }
}
