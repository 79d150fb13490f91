//! Requests in JSON, and garbage in both forms; protobuf is met in the tests of the whole program.

use std::collections::BTreeMap;

use barograph_model::{Labels, is_stale};
use proptest::prelude::*;

use super::translate::Time;
use super::*;
use crate::metric_type::MetricType;

#[derive(Debug, Default)]
struct Heard {
    samples: BTreeMap<String, (Time, f64, bool)>,
    refused: Vec<String>,
    kinds: BTreeMap<String, MetricType>,
}

impl Sink for Heard {
    fn sample(&mut self, labels: &Labels, time: Time, value: f64, delta: bool) {
        self.samples.insert(labels.to_string(), (time, value, delta));
    }

    fn refuse(&mut self, metric: &str, error: PointError) {
        self.refused.push(format!("{metric}: {error}"));
    }

    fn metadata(&mut self, metric: &str, kind: MetricType, _help: &str, _unit: &str) {
        self.kinds.insert(metric.to_owned(), kind);
    }
}

/// Reads metrics, given as JSON, of one resource.
fn hear(metrics: &str) -> Heard {
    hear_promoted(&[], metrics)
}

/// The same, with attributes of the resource that become labels.
fn hear_promoted(promote: &[&str], metrics: &str) -> Heard {
    let promote: Vec<String> = promote.iter().map(|name| (*name).to_owned()).collect();
    let attributes = r#"[
        {"key": "service.namespace", "value": {"stringValue": "shop"}},
        {"key": "service.name", "value": {"stringValue": "cart"}},
        {"key": "service.instance.id", "value": {"stringValue": "i-1"}},
        {"key": "os.type", "value": {"stringValue": "linux"}}]"#;
    let request = format!(
        r#"{{"resourceMetrics": [{{"resource": {{"attributes": {attributes}}},
            "scopeMetrics": [{{"metrics": {metrics}}}]}}]}}"#
    );
    let mut heard = Heard::default();
    read_json(request.as_bytes(), &promote, &mut heard).unwrap();
    heard
}

const ID: &str = r#"instance="i-1",job="shop/cart""#;
const TIME: &str = r#""timeUnixNano": "1790000000000000000""#;
const TIME_MS: Time = Some(1_790_000_000_000);

#[test]
fn promoted_attributes_are_labels_of_each_series_unless_a_point_says_otherwise() {
    let heard = hear_promoted(
        &["os.type", "service.name", "host.arch"],
        &format!(
            r#"[{{"name": "a", "gauge": {{"dataPoints": [{{"asInt": "1", {TIME}}}]}}}},
                {{"name": "b", "gauge": {{"dataPoints": [{{"asInt": "2", {TIME}, "attributes":
                  [{{"key": "os.type", "value": {{"stringValue": "own"}}}}]}}]}}}}]"#
        ),
    );
    let expected = [
        format!(r#"a{{{ID},os_type="linux",service_name="cart"}}"#),
        format!(r#"b{{{ID},os_type="own",service_name="cart"}}"#),
        format!(r#"target_info{{{ID},os_type="linux"}}"#),
    ];
    assert!(heard.samples.keys().eq(&expected), "{heard:?}");
}

#[test]
fn sums_and_gauges_become_series_with_job_and_instance() {
    let heard = hear(&format!(
        r#"[{{"name": "http.requests", "unit": "{{request}}", "sum": {{"aggregationTemporality": 2,
              "isMonotonic": true, "dataPoints": [{{"asInt": "7", {TIME}, "attributes":
              [{{"key": "http.method", "value": {{"stringValue": "GET"}}}},
               {{"key": "ok", "value": {{"boolValue": true}}}}]}}]}}}},
            {{"name": "queue", "sum": {{"aggregationTemporality": 1, "dataPoints":
              [{{"asDouble": -2.5, {TIME}}}]}}}},
            {{"name": "temp", "unit": "Cel", "gauge": {{"dataPoints": [{{"asDouble": 21.5, {TIME}}},
              {{"flags": 1, {TIME}, "attributes": [{{"key": "a", "value": {{"intValue": "5"}}}}]}}]}}}}]"#
    ));
    let expected = [
        (format!(r#"http_requests_total{{http_method="GET",{ID},ok="true"}}"#), 7.0, false),
        (format!("queue{{{ID}}}"), -2.5, true),
        (format!(r#"target_info{{{ID},os_type="linux"}}"#), 1.0, false),
        (format!("temp_celsius{{{ID}}}"), 21.5, false),
    ];
    for (name, value, delta) in expected {
        assert_eq!(heard.samples[&name], (TIME_MS, value, delta), "{name}");
    }
    assert!(is_stale(heard.samples[&format!(r#"temp_celsius{{a="5",{ID}}}"#)].1));
    assert_eq!(heard.samples.len(), 5);
    assert_eq!(heard.kinds["http_requests_total"], MetricType::Counter);
    assert_eq!(heard.kinds["queue"], MetricType::Gauge);
}

#[test]
fn histograms_become_classic_buckets() {
    let heard = hear(&format!(
        r#"[{{"name": "wait", "unit": "s", "histogram": {{"aggregationTemporality": 2, "dataPoints":
              [{{"count": "6", "sum": 9.5, "bucketCounts": ["1", "2", "3"],
                 "explicitBounds": [0.5, 1], {TIME}}}]}}}},
            {{"name": "size", "exponentialHistogram": {{"aggregationTemporality": 2, "dataPoints":
              [{{"count": 3, "scale": 0, "positive": {{"offset": 1, "bucketCounts": [3]}}, {TIME}}}]}}}},
            {{"name": "s", "summary": {{"dataPoints": [{{"count": "2", "sum": 3, "quantileValues":
              [{{"quantile": 0.5, "value": 1.5}}], {TIME}}}]}}}}]"#
    ));
    let expected = [
        (format!(r#"wait_seconds_bucket{{{ID},le="0.5"}}"#), 1.0),
        (format!(r#"wait_seconds_bucket{{{ID},le="1"}}"#), 3.0),
        (format!(r#"wait_seconds_bucket{{{ID},le="+Inf"}}"#), 6.0),
        (format!("wait_seconds_count{{{ID}}}"), 6.0),
        (format!("wait_seconds_sum{{{ID}}}"), 9.5),
        (format!(r#"size_bucket{{{ID},le="2"}}"#), 0.0),
        (format!(r#"size_bucket{{{ID},le="4"}}"#), 3.0),
        (format!(r#"size_bucket{{{ID},le="+Inf"}}"#), 3.0),
        (format!("size_count{{{ID}}}"), 3.0),
        (format!(r#"s{{{ID},quantile="0.5"}}"#), 1.5),
        (format!("s_count{{{ID}}}"), 2.0),
        (format!("s_sum{{{ID}}}"), 3.0),
    ];
    for (name, value) in expected {
        assert_eq!(heard.samples[&name], (TIME_MS, value, false), "{name}");
    }
}

#[test]
fn points_that_cannot_be_taken_are_told_one_by_one() {
    let heard = hear(
        r#"[{"name": "a", "histogram": {"aggregationTemporality": 2, "dataPoints":
              [{"bucketCounts": [1], "explicitBounds": [1]}, {"bucketCounts": [1, 1, 1],
                "explicitBounds": [2, 1]}]}},
            {"name": "b", "exponentialHistogram": {"aggregationTemporality": 1, "dataPoints": [{}]}},
            {"name": "c", "sum": {"dataPoints": [{}]}},
            {"name": "d"}]"#,
    );
    assert_eq!(
        heard.refused,
        [
            "a: it has 1 buckets for 1 bounds",
            "a: its bounds do not ascend",
            "b: exponential histograms are taken with cumulative temporality only",
            "c: its temporality is neither delta nor cumulative",
            "d: it has no points of a kind that is known",
        ]
    );
}

#[test]
fn small_bodies_cannot_become_large_trees() {
    let bomb = format!(r#"{{"resourceMetrics": [{}{{}}]}}"#, "{},".repeat(MAX_NODES));
    let mut heard = Heard::default();
    assert!(matches!(read_json(bomb.as_bytes(), &[], &mut heard), Err(RequestError::TooLarge)));
    let bomb = [0x0a, 0].repeat(MAX_NODES + 1);
    assert!(matches!(read_proto(&bomb, &[], &mut heard), Err(RequestError::TooLarge)));
}

#[test]
fn broken_json_says_where() {
    let error = read_json(b"{\"resourceMetrics\": [}", &[], &mut Heard::default()).unwrap_err();
    assert!(barograph_model::chain(&error).contains("line 1 column 22"), "{error:?}");
}

proptest! {
    #[test]
    fn any_bytes_are_a_request_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        drop(read_proto(&bytes, &[], &mut Heard::default()));
        drop(read_json(&bytes, &[], &mut Heard::default()));
    }

    #[test]
    fn any_fields_are_a_request_or_refused(
        path in prop::collection::vec(1_u8..12, 1..6),
        body in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let mut message = body;
        for field in path.iter().rev() {
            let mut outer = vec![field << 3 | 2];
            crate::protobuf::put_varint(&mut outer, message.len() as u64);
            outer.extend(message);
            message = outer;
        }
        drop(read_proto(&message, &[], &mut Heard::default()));
    }
}
