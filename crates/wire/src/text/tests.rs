//! Pages and what they say.

use proptest::prelude::*;

use super::*;

/// What a page says, in short.
fn read(page: &str, format: Format) -> Result<Vec<String>, String> {
    let shown = |error: TextError| error.to_string();
    let mut parser = TextParser::new(page.as_bytes(), format, Limits::default()).map_err(shown)?;
    let mut lines = Vec::new();
    while let Some(entry) = parser.next_entry().map_err(shown)? {
        lines.push(match entry {
            Entry::About(Metadata::Help { metric, help }) => format!("help {metric} {help:?}"),
            Entry::About(Metadata::Type { metric, metric_type }) => {
                format!("type {metric} {}", metric_type.as_str())
            }
            Entry::About(Metadata::Unit { metric, unit }) => format!("unit {metric} {unit}"),
            Entry::Sample(sample) => {
                let labels: Vec<_> =
                    sample.labels.iter().map(|l| format!("{}={:?}", l.name, l.value)).collect();
                let time = sample.timestamp_ms.map(|ms| format!(" @{ms}")).unwrap_or_default();
                format!("{}[{}] {}{time}", sample.name, labels.join(","), sample.value)
            }
        });
    }
    Ok(lines)
}

#[track_caller]
fn check(format: Format, page: &str, expected: &[&str]) {
    assert_eq!(read(page, format).unwrap(), expected, "{page}");
}

#[track_caller]
fn check_error(format: Format, page: &str, expected: &str) {
    let error = read(page, format).unwrap_err();
    assert!(error.starts_with(expected), "{page:?}: {error}");
}

#[test]
fn classic_page_is_read_whole() {
    check(
        Format::Prometheus,
        "# HELP http_requests_total Requests \\\\ by\\n\"code\".\n\
         #TYPE is a comment\n# TYPE http_requests_total counter\n\n# a comment\n \t \n\
         http_requests_total{method=\"post\",code=\"200\",} 1027 1395066363000\n\
         a{p=\"C:\\\\D \\\"x\\\"\\n\\y\"}1.458255915e9\n\
         \tm  { a = \"b\" , c=\"\" }\t+Inf\t-3982045 \n\
         bare NaN\n{\"my.metric\",\"a b\"=\"{c}\"} -0.5\n{\"quoted_only\"} 1",
        &[
            "help http_requests_total \"Requests \\\\ by\\n\\\"code\\\".\"",
            "type http_requests_total counter",
            "http_requests_total[method=\"post\",code=\"200\"] 1027 @1395066363000",
            "a[p=\"C:\\\\D \\\"x\\\"\\n\\\\y\"] 1458255915",
            "m[a=\"b\",c=\"\"] inf @-3982045",
            "bare[] NaN",
            "my.metric[a b=\"{c}\"] -0.5",
            "quoted_only[] 1",
        ],
    );
}

#[test]
fn bounds_and_quantiles_are_written_in_one_way() {
    check(
        Format::Prometheus,
        "# TYPE h histogram\nh_bucket{le=\"1\",x=\"1\"} 1\nh_bucket{le=\"1000000\"} 1\n\
         h_bucket{le=\"+Inf\"} 1\nh_bucket{le=\"inf\"} 1\nh_bucket{le=\"1e999\"} 1\n\
         h_bucket{quantile=\"1\",le=\"one\"} 1\n\
         # TYPE s summary\ns{quantile=\"1\",le=\"1\"} 1\ns{quantile=\"5e-1\"} 1\n\
         # TYPE g gauge\ng{quantile=\"1\",le=\"1\"} 1\n",
        &[
            "type h histogram",
            "h_bucket[le=\"1.0\",x=\"1\"] 1",
            "h_bucket[le=\"1e+06\"] 1",
            "h_bucket[le=\"+Inf\"] 1",
            "h_bucket[le=\"+Inf\"] 1",
            "h_bucket[le=\"1e999\"] 1",
            "h_bucket[quantile=\"1\",le=\"one\"] 1",
            "type s summary",
            "s[quantile=\"1.0\",le=\"1\"] 1",
            "s[quantile=\"0.5\"] 1",
            "type g gauge",
            "g[quantile=\"1\",le=\"1\"] 1",
        ],
    );
    check(
        Format::OpenMetrics,
        "# TYPE h histogram\nh_bucket{le=\"2\"} 1\n# TYPE gh gaugehistogram\n\
         gh_bucket{le=\"2\"} 1\n# EOF\n",
        &[
            "type h histogram",
            "h_bucket[le=\"2.0\"] 1",
            "type gh gaugehistogram",
            "gh_bucket[le=\"2\"] 1",
        ],
    );
}

#[test]
fn openmetrics_page_is_read_whole() {
    check(
        Format::OpenMetrics,
        "# TYPE acme_http_router_request_seconds summary\n\
         # UNIT acme_http_router_request_seconds seconds\n\
         # HELP acme_http_router_request_seconds Latency \\\"here\\\".\n\
         acme_http_router_request_seconds_sum{path=\"/api/v1\"} 9036.32\n\
         acme_http_router_request_seconds_created{path=\"/api/v1\"} 1605281325.0\n\
         # TYPE foo counter\n\
         foo_total 17.0 1520879607.789 # {trace_id=\"KOO5S4vxi0o\",\"a b\"=\"x\"} 0.67 1520879607.7\n\
         # TYPE h histogram\nh_bucket{le=\"+Inf\"} 1 # {} 0.5\n\
         # TYPE s stateset\ns{s=\"a\"} 1\ns{s=\"b\"} 0\n# TYPE i info\ni_info{v=\"1\"} 1\n\
         # TYPE e unknown\n# HELP e \n{\"utf8 é\"} 1\n# EOF",
        &[
            "type acme_http_router_request_seconds summary",
            "unit acme_http_router_request_seconds seconds",
            "help acme_http_router_request_seconds \"Latency \\\"here\\\".\"",
            "acme_http_router_request_seconds_sum[path=\"/api/v1\"] 9036.32",
            "acme_http_router_request_seconds_created[path=\"/api/v1\"] 1605281325",
            "type foo counter",
            "foo_total[] 17 @1520879607789",
            "type h histogram",
            "h_bucket[le=\"+Inf\"] 1",
            "type s stateset",
            "s[s=\"a\"] 1",
            "s[s=\"b\"] 0",
            "type i info",
            "i_info[v=\"1\"] 1",
            "type e unknown",
            "help e \"\"",
            "utf8 é[] 1",
        ],
    );
}

#[test]
fn classic_errors_name_line_place_and_what_was_expected() {
    let cases = [
        ("a 1\nb{c=\"d\" e=\"f\"} 1\n", "line 2, byte 9: expected `,` or `}`, found `e=\"f\"} 1`"),
        ("a", "line 1, byte 2: expected a value, found the end of the line"),
        ("a ", "line 1, byte 3: expected a number, found the end of the line"),
        ("a x", "line 1, byte 3: expected a number, found `x`"),
        ("a 1 x", "line 1, byte 5: expected a timestamp in milliseconds"),
        ("a 1 1 1", "line 1, byte 7: expected the end of the line"),
        ("a{b=c} 1", "line 1, byte 5: expected a label value in quotes, found `c} 1`"),
        ("a{b=\"c} 1", "line 1, byte 10: expected the closing quote"),
        ("a{b} 1", "line 1, byte 4: expected `=` after the label name"),
        ("a{\"b\"} 1", "line 1, byte 6: expected `=` after the label name"),
        ("{\"a\",\"b\"} 1", "line 1, byte 9: expected `=` after the label name"),
        ("{b=\"c\"} 1", "line 1, byte 8: expected a metric name"),
        ("{\"\"} 1", "line 1, byte 2: expected a label name or `}`"),
        ("a{1b=\"c\"} 1", "line 1, byte 3: expected a label name or `}`"),
        ("a{,} 1", "line 1, byte 3: expected a label name or `}`"),
        ("a{b=\"1\",b=\"2\"} 1", "line 1, byte 9: label `b` is given twice"),
        ("a{__name__=\"b\"} 1", "line 1, byte 3: label `__name__` is given twice"),
        ("1a 1", "line 1, byte 1: expected a metric name"),
        ("a 0x1p3", "line 1, byte 3: expected a number"),
        ("a 1_000", "line 1, byte 3: expected a number"),
        ("a 1e999", "line 1, byte 3: expected a number"),
        ("a -nan", "line 1, byte 3: expected a number"),
        ("a 1\r\n", "line 1, byte 3: expected a number, found `1\\r`"),
        ("# TYPE a cuonter", "line 1, byte 10: expected counter, gauge, histogram, summary or"),
        ("# TYPE a info", "line 1, byte 10: expected counter, gauge, histogram, summary or"),
        ("# HELP 1a x", "line 1, byte 8: expected a metric name"),
        ("# HELP a-b x", "line 1, byte 9: expected a space after the metric name"),
        ("<!DOCTYPE html>", "line 1, byte 1: expected a metric name, found `<!DOCTYPE html>`"),
    ];
    for (page, expected) in cases {
        check_error(Format::Prometheus, page, expected);
    }
}

#[test]
fn openmetrics_is_strict_about_its_form() {
    let cases = [
        ("", "line 1, byte 1: the page does not end with `# EOF`"),
        ("a 1\n", "line 2, byte 1: the page does not end with `# EOF`"),
        ("a 1\n# EOF\n\n", "line 3, byte 1: nothing may follow `# EOF`"),
        ("\n# EOF\n", "line 1, byte 1: expected a sample"),
        (" a 1\n# EOF\n", "line 1, byte 1: expected a metric name"),
        ("a  1\n# EOF\n", "line 1, byte 3: expected a number"),
        ("a\t1\n# EOF\n", "line 1, byte 2: expected a space"),
        ("a 1 \n# EOF\n", "line 1, byte 5: expected a number"),
        ("a{b = \"c\"} 1\n# EOF\n", "line 1, byte 4: expected `=`"),
        ("a{b=\"c\"}1\n# EOF\n", "line 1, byte 9: expected a space"),
        ("# a comment\n# EOF\n", "line 1, byte 1: expected `# HELP `"),
        ("#TYPE a gauge\n# EOF\n", "line 1, byte 1: expected `# HELP `"),
        ("# TYPE a untyped\n# EOF\n", "line 1, byte 10: expected a metric type"),
        ("# TYPE a\n# EOF\n", "line 1, byte 9: expected a space after the metric name"),
        ("a 1 NaN\n# EOF\n", "line 1, byte 5: expected a timestamp in seconds"),
        ("a_total 1 # {a=\"b\"}\n# EOF\n", "line 1, byte 20: expected a space"),
        ("a_total 1 #{} 1\n# EOF\n", "line 1, byte 11: expected an exemplar"),
        ("# UNIT a_seconds bytes\n# EOF\n", "line 1, byte 18: unit `bytes` must be the last part"),
    ];
    for (page, expected) in cases {
        check_error(Format::OpenMetrics, page, expected);
    }
    let long = format!("a_total 1 # {{a=\"{}\"}} 1\n# EOF\n", "x".repeat(128));
    check_error(Format::OpenMetrics, &long, "line 1, byte 11: the labels of an exemplar");
}

/// A gauge and a counter whose names are one without `_total`, as .NET's exporter has them.
#[test]
fn samples_are_read_in_spite_of_metadata_that_is_wrong() {
    check(
        Format::OpenMetrics,
        "# HELP started Started\n# TYPE started gauge\nstarted 4.0\n\
         # HELP started Rate\n# TYPE started counter\nstarted_total -3.0 # {} 1\n\
         # TYPE v info\nv_info 2\n# TYPE other gauge\n# HELP v late\n# EOF\n",
        &[
            "help started \"Started\"",
            "type started gauge",
            "started[] 4",
            "help started \"Rate\"",
            "type started counter",
            "started_total[] -3",
            "type v info",
            "v_info[] 2",
            "type other gauge",
            "help v \"late\"",
        ],
    );
}

#[test]
fn limits_are_kept_and_named() {
    let limits = Limits { line_bytes: 20, samples: 2, labels: 1 };
    let error = |page: &[u8]| {
        let mut parser = TextParser::new(page, Format::Prometheus, limits)?;
        while parser.next_entry()?.is_some() {}
        Ok::<_, TextError>(())
    };
    let problem = |page: &[u8]| error(page).unwrap_err().problem;
    assert_eq!(problem(b"a 1\nb 1\nc 1"), Problem::TooManySamples { most: 2 });
    assert_eq!(problem(b"a{b=\"\",c=\"\"} 1"), Problem::TooManyLabels { most: 1 });
    assert_eq!(problem(b"# xxxxxxxxxxxxxxxxxxxxx"), Problem::LongLine { most: 20 });
    let broken = error(b"a 1\nb\xff 1").unwrap_err();
    assert_eq!((broken.line, broken.column, broken.problem), (2, 2, Problem::NotUtf8));
}

#[test]
fn no_value_of_a_page_is_a_staleness_marker() {
    let mut parser = TextParser::new(b"a nan", Format::Prometheus, Limits::default()).unwrap();
    let Some(Entry::Sample(sample)) = parser.next_entry().unwrap() else { panic!("no sample") };
    assert_eq!(sample.value.to_bits(), f64::NAN.to_bits());
}

#[test]
fn escaped_names_follow_the_schemes() {
    let name = "http.server_req/s:é";
    let by = |escaping| escape_name(name, escaping, Place::Metric).into_owned();
    assert_eq!(by(Escaping::AllowUtf8), name);
    assert_eq!(by(Escaping::Underscores), "http_server_req_s:_");
    assert_eq!(by(Escaping::Dots), "http_dot_server__req__s:__");
    assert_eq!(by(Escaping::Values), "U__http_2E_server__req_2F_s:_E9_");
    assert_eq!(escape_name("a:b", Escaping::Underscores, Place::Label), "a_b");
}

/// Accept headers for both formats, with names as they are.
const ACCEPT: [(&str, Format); 2] = [
    ("text/plain;version=1.0.0;escaping=allow-utf-8", Format::Prometheus),
    ("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8", Format::OpenMetrics),
];

#[test]
fn labels_without_a_value_are_left_out_unless_they_are_kept() {
    let page = |writer: PageWriter| {
        let mut writer = writer;
        writer.sample("up", [("job", "x"), ("instance", "")], 1.0, None);
        writer.finish().0
    };
    let plain = || PageWriter::new(Accept::choose(""));
    assert_eq!(page(plain()), "up{job=\"x\"} 1\n");
    assert_eq!(page(plain().keeping_empty_labels()), "up{job=\"x\",instance=\"\"} 1\n");
}

proptest! {
    #[test]
    fn any_bytes_are_a_page_or_an_error(page in prop::collection::vec(any::<u8>(), 0..300)) {
        for (_, format) in ACCEPT {
            if let Ok(mut parser) = TextParser::new(&page, format, Limits::default()) {
                while let Ok(Some(_)) = parser.next_entry() {}
            }
        }
    }

    #[test]
    fn almost_pages_are_a_page_or_an_error(page in "[a{}\"\\\\=,# \tHELPTYUNIOF1.eé\n]{0,120}") {
        for (_, format) in ACCEPT {
            read(&page, format).unwrap_or_default();
        }
    }

    #[test]
    fn what_is_written_is_read_back(
        name in "\\PC{1,12}",
        labels in prop::collection::btree_map("\\PC{1,8}", "(?s).{1,20}", 0..6),
        value in any::<f64>(),
        time_ms in prop::option::of(-8_000_000_000_000_i64..8_000_000_000_000),
    ) {
        prop_assume!(!labels.contains_key(barograph_model::METRIC_NAME));
        for (header, format) in ACCEPT {
            let mut writer = PageWriter::new(Accept::choose(header));
            writer.metric(&name, MetricType::Gauge, "Help \\ \"me\"\n.");
            writer.sample(&name, labels.iter().map(|(n, v)| (&**n, &**v)), value, time_ms);
            let (page, _) = writer.finish();
            let mut parser =
                TextParser::new(page.as_bytes(), format, Limits::default()).unwrap();
            let Some(Entry::About(Metadata::Help { metric, help })) = parser.next_entry().unwrap() else {
                panic!("no help in {page}")
            };
            prop_assert_eq!((&*metric, &*help), (&*name, "Help \\ \"me\"\n."));
            let is_type = matches!(
                parser.next_entry().unwrap(),
                Some(Entry::About(Metadata::Type { .. }))
            );
            prop_assert!(is_type);
            let Some(Entry::Sample(sample)) = parser.next_entry().unwrap() else {
                panic!("no sample in {page}")
            };
            prop_assert_eq!(sample.name, &name);
            prop_assert!(sample.labels.iter().map(|l| (&*l.name, &*l.value))
                .eq(labels.iter().map(|(n, v)| (&**n, &**v))));
            prop_assert!(sample.value.to_bits() == value.to_bits() || value.is_nan());
            prop_assert_eq!(sample.timestamp_ms, time_ms);
            prop_assert_eq!(parser.next_entry().unwrap(), None);
        }
    }
}
