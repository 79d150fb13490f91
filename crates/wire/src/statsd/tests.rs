//! Lines of all dialects, and lines of none.

use proptest::prelude::*;

use super::*;

fn metric_of(line: &str) -> Metric<'_> {
    match parse(line.as_bytes()).unwrap() {
        Line::Metric(metric) => metric,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_type_is_read() {
    for (line, kind, values) in [
        ("a:1|c", Kind::Counter, Values::Numbers(vec![1.0])),
        ("a:-2|c", Kind::Counter, Values::Numbers(vec![-2.0])),
        ("a:2.5|g", Kind::Gauge, Values::Numbers(vec![2.5])),
        ("a:+3|g", Kind::Gauge, Values::Change(3.0)),
        ("a:-3|g", Kind::Gauge, Values::Change(-3.0)),
        ("a:320:150|ms", Kind::Timer, Values::Numbers(vec![320.0, 150.0])),
        ("a:1e3|h", Kind::Histogram, Values::Numbers(vec![1000.0])),
        ("a:7|d", Kind::Histogram, Values::Numbers(vec![7.0])),
        ("a:10.0.0.1:80|s", Kind::Set, Values::Texts(vec!["10.0.0.1:80"])),
    ] {
        let metric = metric_of(line);
        assert_eq!((metric.kind, metric.values), (kind, values), "{line}");
        assert_eq!((metric.name, metric.rate, metric.time_s), ("a", 1.0, None));
    }
}

#[test]
fn tags_are_read_in_three_dialects() {
    for line in [
        "page.views:1|c|@0.5|#env:prod,flag,url:http://x",
        "page.views,env=prod,flag,url=http://x:1|c|@0.5",
        "page.views;env=prod;flag:1|c|@0.5|#url:http://x",
    ] {
        // InfluxDB's and Graphite's tags cannot hold a colon: the value begins there.
        if line.contains("url=http:") {
            assert!(parse(line.as_bytes()).is_err());
            continue;
        }
        let metric = metric_of(line);
        assert_eq!((metric.name, metric.rate), ("page.views", 0.5), "{line}");
        assert_eq!(metric.tags, [("env", "prod"), ("flag", ""), ("url", "http://x")], "{line}");
    }
}

#[test]
fn the_newer_fields_of_dogstatsd_are_known() {
    let metric = metric_of("a:1|c|#x:y|c:ci-83c0a99c|T1656581400");
    assert_eq!((metric.time_s, metric.tags), (Some(1_656_581_400), vec![("x", "y")]));
    assert_eq!(parse(b"_e{5,4}:title|text"), Ok(Line::Event));
    assert_eq!(parse(b"_sc|redis|0"), Ok(Line::ServiceCheck));
}

#[test]
fn what_is_wrong_is_said() {
    for (line, message) in [
        ("a", "there is no `|` between a value and its type"),
        ("a|c", "there is no `:` between a name and a value"),
        ("a:1", "there is no `|` between a value and its type"),
        (":1|c", "the name is empty"),
        ("a:1|x", "the type `x` is none of c, g, ms, h, d, s"),
        ("a:|c", "the value `` is not a finite number"),
        ("a:inf|g", "the value `inf` is not a finite number"),
        ("a:NaN|ms", "the value `NaN` is not a finite number"),
        ("a:1|c|@0", "the sampling rate `0` is not a number above 0 and at most 1"),
        ("a:1|c|@2", "the sampling rate `2` is not a number above 0 and at most 1"),
        ("a:1|c|@x", "the sampling rate `x` is not a number above 0 and at most 1"),
        ("a:1|c|#:v", "a tag has an empty name"),
        ("a:1|c|Tx", "the time `x` is not whole seconds since 1970"),
    ] {
        assert_eq!(parse(line.as_bytes()).unwrap_err().to_string(), message, "{line}");
    }
    assert_eq!(parse(b"\xff:1|c"), Err(LineError::NotUtf8));
    let long = "a".repeat(9000);
    assert_eq!(parse(long.as_bytes()), Err(LineError::Long { bytes: 9000 }));
    let many = format!("a{}|ms", ":1".repeat(1001));
    assert_eq!(parse(many.as_bytes()), Err(LineError::ManyValues));
}

#[test]
fn a_datagram_has_many_lines() {
    let all: Vec<_> = lines(b"a:1|c\n\nb:2|g\r\n").collect();
    assert_eq!(all, [&b"a:1|c"[..], b"b:2|g"]);
}

#[test]
fn names_become_those_of_prometheus() {
    assert_eq!(metric_name("web.page-views/s"), "web_page_views_s");
    assert_eq!(metric_name("5xx"), "_5xx");
    assert_eq!(label_name("a:b"), "a_b");
    assert_eq!(label_name("ok"), "ok");
}

proptest! {
    #[test]
    fn any_line_is_read_or_refused(line in prop::collection::vec(any::<u8>(), 0..100)) {
        drop(parse(&line));
    }

    #[test]
    fn any_line_of_the_right_letters_is_read_or_refused(line in "[a-c]{0,2}[:|@#,;=+0-9.cgmshdT\n-]{0,40}") {
        for line in lines(line.as_bytes()) {
            if let Ok(Line::Metric(metric)) = parse(line) {
                prop_assert!(metric.rate > 0.0 && !metric.name.is_empty());
            }
        }
    }
}
