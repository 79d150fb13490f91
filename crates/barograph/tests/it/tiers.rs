//! Questions over years: samples, minutes and hours give the answers that samples alone would.

use std::fmt::Write as _;
use std::path::Path;

use barograph_model::{Clock as _, SystemClock};
use serde_json::Value;

use crate::program::{Server, run, text};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// How many days ago there were samples for six hours: of them are left hours, hours and minutes, all.
const AGO: [i64; 3] = [400, 200, 2];

/// Samples every quarter of a minute: a counter that begins anew now and then, and a gauge.
fn recording(now: i64) -> String {
    let midnight = now - now.rem_euclid(DAY);
    let mut out = String::new();
    for (metric, kind) in [("orders", "counter"), ("heat", "gauge")] {
        writeln!(out, "# TYPE {metric} {kind}").unwrap();
        for days in AGO.into_iter().chain([1]) {
            let start = midnight - days * DAY;
            for step in 0..=6 * HOUR / 15 {
                let (time, noise) = (start + step * 15, (step * 7919 + days) % 1000);
                if kind == "counter" {
                    let since = step % 500;
                    writeln!(out, "orders_total {} {time}", since * 3 + noise % 3).unwrap();
                } else {
                    writeln!(out, "heat {} {time}", noise - 300).unwrap();
                }
            }
        }
        // A clock that is a day beyond the newest sample would not be believed.
        let name = if kind == "counter" { "orders_total" } else { "heat" };
        writeln!(out, "{name} 1 {}", now - HOUR).unwrap();
    }
    out + "# EOF\n"
}

fn serve(folder: &Path, name: &str, settings: &str, now: i64) -> Server {
    let folder = folder.join(name);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("barograph.toml"), settings).unwrap();
    let (file, data) = (folder.join("recording.txt"), folder.join("data"));
    std::fs::write(&file, recording(now)).unwrap();
    let [file, data_text] = [&file, &data].map(|path| path.to_str().unwrap());
    let output = run(&["store", "import", file, "--data", data_text]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    Server::start(&data)
}

/// The times and values of one series, and the warnings.
fn ask(server: &Server, query: &str, times: (i64, i64, i64)) -> (Vec<(i64, f64)>, Vec<Value>) {
    let (start, end, step) = times;
    let query = query.replace('[', "%5B").replace(']', "%5D").replace(' ', "%20");
    let path = format!("/api/v1/query_range?query={query}&start={start}&end={end}&step={step}");
    let answer = server.json(&path);
    assert_eq!(answer["status"], "success", "{answer}");
    let pair = |pair: &Value| {
        let value: f64 = pair[1].as_str().unwrap().parse().unwrap();
        (pair[0].as_i64().unwrap(), value)
    };
    let series = answer["data"]["result"].as_array().unwrap();
    assert!(series.len() <= 1, "{answer}");
    let points = series.first().map(|one| one["values"].as_array().unwrap());
    let points = points.into_iter().flatten().map(pair).collect();
    (points, answer["warnings"].as_array().cloned().unwrap_or_default())
}

/// The time of the oldest that a tier has, in seconds.
fn oldest(server: &Server, tier: &str) -> Option<i64> {
    let status = server.json("/api/status");
    let tiers = status["store"]["storage"]["tiers"].as_array().unwrap();
    let oldest_ms = &tiers.iter().find(|one| one["tier"] == tier).unwrap()["oldest_ms"];
    Some(oldest_ms.as_i64()? / 1000)
}

fn highest(values: &Value) -> f64 {
    let values = values.as_array().unwrap().iter().filter_map(Value::as_f64);
    values.fold(f64::NEG_INFINITY, f64::max)
}

#[track_caller]
fn same(found: &[(i64, f64)], expected: &[(i64, f64)]) {
    assert_eq!(found.len(), expected.len(), "{found:?}\n{expected:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.0, expected.0);
        let scale = expected.1.abs().max(1.0);
        assert!((found.1 - expected.1).abs() <= 1e-9 * scale, "{found:?} for {expected:?}");
    }
}

/// Charts of what has expired keep its peaks.
fn peaks_are_kept(server: &Server, whole: &Server, midnight: i64) {
    for days in AGO {
        let from_ms = (midnight - days * DAY) * 1000;
        let to_ms = from_ms + 6 * HOUR * 1000;
        let path = format!("/api/range?metric=heat&from={from_ms}&to={to_ms}&step=3600000");
        let peak = |server: &Server| highest(&server.json(&path)["series"][0]["max"]);
        assert!(peak(whole) > 600.0);
        assert_eq!(peak(server).to_bits(), peak(whole).to_bits(), "{days} days ago");
    }
    let path = format!("/api/historical_metrics/heat?hours={}", 24 * 402);
    let peak = |server: &Server| {
        let points = server.json(&path);
        let values = points.as_array().unwrap().iter().map(|point| point["value"].clone());
        highest(&values.collect())
    };
    assert_eq!(peak(server).to_bits(), peak(whole).to_bits());
}

#[test]
fn answers_over_all_tiers_are_those_of_the_samples() {
    let folder = tempfile::tempdir().unwrap();
    let now = SystemClock::new().now_ms() / 1000;
    let midnight = now - now.rem_euclid(DAY);
    let forever =
        "[store]\nkeep_raw = 'forever'\nkeep_minutes = 'forever'\nkeep_hours = 'forever'\n";
    let whole = serve(folder.path(), "whole", forever, now);
    let server = serve(folder.path(), "tiers", "", now);
    for (tier, days) in [("raw", 30), ("1m", 365)] {
        let is_young = |server: &Server| oldest(server, tier).filter(|it| *it > now - days * DAY);
        server.wait_for("expiry", is_young);
    }
    let hours = oldest(&server, "1h").unwrap();
    assert_eq!((hours, oldest(&whole, "raw").unwrap()), (midnight - 400 * DAY, hours));

    peaks_are_kept(&server, &whole, midnight);

    // Windows of whole hours: exact everywhere, and nothing to say.
    let all = (midnight - 401 * DAY, midnight, HOUR);
    let exact = [
        "rate(orders_total[1h])",
        "increase(orders_total[2h])",
        "avg_over_time(heat[1h])",
        "max_over_time(heat[1h])",
        "min_over_time(heat[1d])",
        "sum_over_time(heat[6h])",
        "count_over_time(heat[1h])",
        "sum(last_over_time(heat[1h]))",
        "delta(heat[3h])",
        "max(max_over_time(heat[1h])) - min(min_over_time(heat[1h]))",
    ];
    for query in exact {
        let (found, said) = ask(&server, query, all);
        let (expected, _) = ask(&whole, query, all);
        assert!(found.len() >= 4 * 6, "{query}: {found:?}");
        same(&found, &expected);
        assert_eq!(said, [] as [Value; 0], "{query}");
    }
    // The same by functions that only samples have.
    for (query, samples) in [
        ("max_over_time(heat[1h])", "quantile_over_time(1,heat[1h])"),
        ("min_over_time(heat[6h])", "quantile_over_time(0,heat[6h])"),
    ] {
        same(&ask(&server, query, all).0, &ask(&whole, samples, all).0);
    }
    // Minutes are exact as long as they are kept.
    let minutes = (midnight - 200 * DAY + HOUR, midnight - 200 * DAY + 5 * HOUR, 300);
    let (found, said) = ask(&server, "rate(orders_total[5m])", minutes);
    same(&found, &ask(&whole, "rate(orders_total[5m])", minutes).0);
    assert_eq!((found.len(), said.len()), (49, 0));
    // Beyond them there is no answer rather than a wrong one, and that is said.
    let hours = (midnight - 400 * DAY + HOUR, midnight - 400 * DAY + 5 * HOUR, 300);
    let (found, said) = ask(&server, "rate(orders_total[5m])", hours);
    assert_eq!(found, []);
    assert!(said[0].as_str().unwrap().contains("use windows of 1h or more"), "{said:?}");
    // At the ends of buckets there still are samples.
    let hourly = (hours.0, hours.1, HOUR);
    let (found, said) = ask(&server, "heat", hourly);
    same(&found, &ask(&whole, "heat", hourly).0);
    assert!(said[0].as_str().unwrap().contains("the last one of each 1h"), "{said:?}");
    // What fits no bucket is within one bucket's width of what it was.
    let odd = (minutes.0 + 30, minutes.1, 90);
    let (found, said) = ask(&server, "avg_over_time(heat[5m])", odd);
    let (expected, _) = ask(&whole, "avg_over_time(heat[5m])", odd);
    assert_eq!(found.len(), expected.len());
    assert!(said[0].as_str().unwrap().contains("not made of whole buckets of 1m"), "{said:?}");
}
