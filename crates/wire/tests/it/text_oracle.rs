//! The text parser beside Python's `prometheus_client` and Prometheus' `promtool`.
//!
//! Pages are generated, then damaged. What the strict Python parser takes we must take, with the
//! same samples; what promtool refuses to parse we must refuse.

use std::io::Write;
use std::process::{Command, Stdio};

use barograph_testkit::{peer_program, python};
use barograph_wire::text::{Entry, Format, Limits, TextParser};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

const CASES: usize = 3000;

const SCRIPT: &str = r#"
import json, math, sys
from prometheus_client.parser import text_string_to_metric_families as classic
from prometheus_client.openmetrics.parser import text_string_to_metric_families as strict
def number(value):
    if math.isnan(value): return "nan"
    return repr(float(value))
def read(page, parse):
    try:
        return [[s.name, sorted(s.labels.items()), number(s.value),
                 None if s.timestamp is None else round(float(s.timestamp) * 1000)]
                for family in parse(page) for s in family.samples]
    except Exception as error:
        return "refused: %r" % (error,)
cases = json.load(sys.stdin)
json.dump([read(page, strict if is_strict else classic) for is_strict, page in cases], sys.stdout)
"#;

fn run(command: &mut Command, input: &[u8]) -> (bool, String, String) {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input).unwrap_or_default());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

/// In the form that the script prints.
fn ours(page: &str, format: Format) -> Result<Value, String> {
    let shown = |error: barograph_wire::text::TextError| error.to_string();
    let mut parser = TextParser::new(page.as_bytes(), format, Limits::default()).map_err(shown)?;
    let mut samples = Vec::new();
    while let Some(entry) = parser.next_entry().map_err(shown)? {
        let Entry::Sample(sample) = entry else { continue };
        let mut labels: Vec<_> = sample.labels.iter().map(|l| (&*l.name, &*l.value)).collect();
        labels.sort_unstable();
        samples.push(json!([sample.name, labels, sample.value.to_bits(), sample.timestamp_ms]));
    }
    Ok(Value::Array(samples))
}

/// Numbers travel as text, since JSON has neither infinities nor NaN.
fn with_bits(mut samples: Value) -> Value {
    for sample in samples.as_array_mut().unwrap() {
        let text = sample[2].as_str().unwrap();
        let number = if text == "nan" { f64::NAN } else { text.parse().unwrap() };
        sample[2] = json!(number.to_bits());
    }
    samples
}

fn pages(format: Format) -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["a", "a_total", "b_bucket", "c:d", "e_info", "x_seconds"]);
    let label = ("[a-z_]{1,3}", "[a-zA-Z0-9 é{}=,#]{0,6}|[\\\\]n|[\\\\]\"|[\\\\][\\\\]");
    let labels = prop::collection::btree_map(label.0, label.1, 0..4).prop_map(|labels| {
        let pairs: Vec<_> = labels.iter().map(|(n, v)| format!("{n}=\"{v}\"")).collect();
        if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) }
    });
    let value = prop::sample::select(vec![
        "0",
        "1",
        "-1",
        "1.5",
        "+Inf",
        "-Inf",
        "NaN",
        "1e3",
        "1E-3",
        "+2",
        ".5",
        "12345678901",
        "1.",
        "x",
        "0x1",
        "1_0",
        "",
    ]);
    let times = match format {
        Format::Prometheus => vec!["", "", " 1395066363000", " 0", " x"],
        Format::OpenMetrics => {
            vec!["", "", " 1520879607.789", " 0", " 1 # {a=\"b\"} 1", " # {} 1 2"]
        }
    };
    let sample = (name.clone(), labels, value, prop::sample::select(times))
        .prop_map(|(name, labels, value, time)| format!("{name}{labels} {value}{time}\n"));
    let kind = prop::sample::select(vec!["counter", "gauge", "unknown", "untyped", "info", "x"]);
    let about = (name, kind, any::<bool>()).prop_map(|(name, kind, is_type)| {
        if is_type {
            format!("# TYPE {name} {kind}\n")
        } else {
            format!("# HELP {name} say {kind}\n")
        }
    });
    let lines = prop::collection::vec(prop_oneof![3 => sample, 1 => about], 0..4);
    let end = if format == Format::OpenMetrics { "# EOF\n" } else { "" };
    // A third is damaged by a byte put in, taken out, or doubled.
    let damage = prop::option::weighted(0.33, (any::<prop::sample::Index>(), "[ {}\"\\\\=,#\n1a]"));
    (lines, damage).prop_map(move |(lines, damage)| {
        let mut page: Vec<char> = (lines.concat() + end).chars().collect();
        if let (Some((place, insert)), false) = (damage, page.is_empty()) {
            let at = place.index(page.len());
            match insert.as_str() {
                "1" => drop(page.remove(at)),
                _ => page.insert(at, insert.chars().next().unwrap()),
            }
        }
        page.into_iter().collect()
    })
}

fn generated(format: Format, count: usize) -> Vec<String> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = pages(format);
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

#[test]
fn what_the_strict_python_parser_takes_we_take_alike() {
    let Some(mut python) = python() else { return };
    let pages = generated(Format::OpenMetrics, CASES);
    let cases: Vec<_> = pages.iter().map(|page| json!([true, page])).collect();
    let (ok, answer, errors) =
        run(python.args(["-c", SCRIPT]), &serde_json::to_vec(&cases).unwrap());
    assert!(ok, "{errors}");
    let answers: Vec<Value> = serde_json::from_str(&answer).unwrap();
    let (mut taken, mut different) = (0, Vec::new());
    for (page, theirs) in pages.iter().zip(answers) {
        let we = ours(page, Format::OpenMetrics);
        if theirs.is_string() {
            continue;
        }
        taken += 1;
        match we {
            Ok(we) if we == with_bits(theirs.clone()) => {}
            Err(_) if python_is_lax(page) => {}
            we => different.push(format!("{page}\nthey: {theirs}\nwe: {we:?}\n")),
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert!(taken > CASES / 20, "only {taken} pages were good: the comparison says nothing");
}

/// What Python takes although the standard's grammar does not have it.
fn python_is_lax(page: &str) -> bool {
    let bad_number = page.contains("1_0") || page.contains("0x");
    // It cuts a number at a quote.
    let stray_quote = page.matches('"').count() % 2 == 1;
    bad_number
        || stray_quote
        || page.lines().any(|line| line.starts_with('#') && !line.starts_with("# "))
}

#[test]
fn what_promtool_refuses_we_refuse() {
    const REFUSALS: usize = 150;
    let mut refused = 0;
    for page in generated(Format::Prometheus, REFUSALS) {
        let Some(mut promtool) = peer_program("promtool") else { return };
        let (_, _, errors) = run(promtool.args(["check", "metrics"]), page.as_bytes());
        if !errors.contains("text format parsing error") {
            continue;
        }
        // It reads a page as a set of families, each once; a scraper reads lines.
        let about_families = ["second TYPE line", "second HELP line", "TYPE reported after"];
        if about_families.iter().any(|known| errors.contains(known)) {
            continue;
        }
        refused += 1;
        let we = ours(&page, Format::Prometheus);
        assert!(we.is_err(), "promtool says {errors}\n{page}");
    }
    assert!(refused > 20, "only {refused} pages were bad: the comparison says nothing");
}
