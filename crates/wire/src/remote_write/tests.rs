//! Requests built field by field, and garbage.

use barograph_model::METRIC_NAME;
use proptest::prelude::*;

use super::*;

/// Writes messages for the tests.
#[derive(Debug, Default, Clone)]
struct Message(Vec<u8>);

impl Message {
    fn number(mut self, number: u64) -> Self {
        crate::protobuf::put_varint(&mut self.0, number);
        self
    }

    fn varint(self, field: u64, value: u64) -> Self {
        self.number(field << 3).number(value)
    }

    fn bytes(self, field: u64, bytes: &[u8]) -> Self {
        let mut message = self.number(field << 3 | 2).number(bytes.len() as u64);
        message.0.extend_from_slice(bytes);
        message
    }

    fn message(self, field: u64, message: &Message) -> Self {
        self.bytes(field, &message.0)
    }

    fn double(self, field: u64, value: f64) -> Self {
        let mut message = self.number(field << 3 | 1);
        message.0.extend_from_slice(&value.to_le_bytes());
        message
    }
}

fn label(name: &str, value: &str) -> Message {
    Message::default().bytes(1, name.as_bytes()).bytes(2, value.as_bytes())
}

fn sample_message(time_ms: i64, value: f64) -> Message {
    Message::default().double(1, value).varint(2, time_ms.cast_unsigned())
}

/// Name or why there is none, samples, number of histograms.
type HeardSeries = (Result<String, String>, Vec<(i64, f64)>, u64);

#[derive(Debug, Default)]
struct Heard {
    series: Vec<HeardSeries>,
    keys: Vec<Vec<u8>>,
    metadata: Vec<(String, MetricType, String, String)>,
    /// Expects each series to be the one before.
    expects: bool,
    expected: usize,
}

impl Receiver for Heard {
    type Error = RequestError;

    fn expected(&mut self, bytes: &[u8]) -> usize {
        let last = self.keys.last().filter(|key| self.expects && bytes.starts_with(key));
        last.map_or(0, Vec::len)
    }

    fn series(&mut self, series: &Series<'_>) -> Result<(), RequestError> {
        let name = series.labels().map(|labels| labels.to_string());
        let name = name.map_err(|error| error.to_string());
        self.series.push((name, series.samples.to_vec(), series.histograms));
        if series.is_expected {
            assert_eq!(self.keys.last().map(|key| &key[..]), Some(series.key));
            self.expected += 1;
        }
        self.keys.push(series.key.to_vec());
        Ok(())
    }

    fn metadata(&mut self, metric: &str, kind: MetricType, help: &str, unit: &str) {
        self.metadata.push((metric.to_owned(), kind, help.to_owned(), unit.to_owned()));
    }
}

fn v1(message: &Message) -> Result<Heard, RequestError> {
    let mut heard = Heard::default();
    read_v1(&message.0, &mut heard).map(|()| heard)
}

fn v2(message: &Message) -> Result<Heard, RequestError> {
    let mut heard = Heard::default();
    read_v2(&message.0, &mut heard).map(|()| heard)
}

#[test]
fn a_request_of_version_one_is_read_with_its_metadata() {
    let series = Message::default()
        .message(1, &label(METRIC_NAME, "up"))
        .message(1, &label("job", "node"))
        .message(2, &sample_message(1000, 1.5))
        .message(2, &sample_message(-5, f64::NAN))
        .message(4, &Message::default());
    let about = Message::default().varint(1, 2).bytes(2, b"up").bytes(4, b"Is it.").bytes(5, b"s");
    let heard = v1(&Message::default().message(1, &series).message(3, &about)).unwrap();
    let (name, samples, histograms) = &heard.series[0];
    assert_eq!(name.as_deref(), Ok(r#"up{job="node"}"#));
    assert_eq!((samples[0], samples[1].0, *histograms), ((1000, 1.5), -5, 1));
    assert_eq!(samples[1].1.to_bits(), f64::NAN.to_bits());
    let expected = ("up".to_owned(), MetricType::Gauge, "Is it.".to_owned(), "s".to_owned());
    assert_eq!(heard.metadata, [expected]);
}

#[test]
fn labels_behind_samples_make_the_same_series() {
    let (name, job) = (label(METRIC_NAME, "up"), label("job", "node"));
    let sample = sample_message(1, 1.0);
    let front = Message::default().message(1, &name).message(1, &job).message(2, &sample);
    let apart = Message::default().message(1, &name).message(2, &sample).message(1, &job);
    let heard = v1(&Message::default().message(1, &front).message(1, &apart)).unwrap();
    assert_eq!(heard.series[0], heard.series[1]);
    assert_eq!(heard.keys[0], heard.keys[1]);
}

#[test]
fn a_series_that_was_expected_is_the_same_as_one_that_was_not() {
    let (name, job) = (label(METRIC_NAME, "up"), label("job", "node"));
    let sample = sample_message(1_790_000_000_123, 1.0);
    let short = Message::default().message(1, &name);
    let long = Message::default().message(1, &name).message(1, &job);
    let with_sample = |labels: &Message| Message(labels.0.clone()).message(2, &sample);
    let behind = Message(short.0.clone()).message(2, &sample).message(1, &job);
    let all = [&short, &short, &long, &long].map(with_sample);
    let all = all.iter().chain([&short, &behind, &long, &short, &short]);
    let request = all.fold(Message::default(), |request, one| request.message(1, one));
    let plain = v1(&request).unwrap();
    let mut heard = Heard { expects: true, ..Heard::default() };
    read_v1(&request.0, &mut heard).unwrap();
    assert_eq!((heard.series, heard.keys), (plain.series, plain.keys));
    // The second, the fourth, the long one with the labels of that before it, and the last.
    assert_eq!(heard.expected, 4);
}

#[test]
fn a_sample_may_leave_out_its_zeros_and_turn_its_fields_around() {
    let turned = Message::default().varint(2, 7).double(1, 3.0);
    let series = Message::default()
        .message(1, &label(METRIC_NAME, "m"))
        .message(2, &Message::default())
        .message(2, &turned);
    let heard = v1(&Message::default().message(1, &series)).unwrap();
    assert_eq!(heard.series[0].1, [(0, 0.0), (7, 3.0)]);
}

#[test]
fn bad_names_are_told_and_the_rest_is_read() {
    let with = |labels: &[Message]| {
        let series = labels.iter().fold(Message::default(), |all, one| all.message(1, one));
        series.message(2, &sample_message(1, 1.0))
    };
    let name = label(METRIC_NAME, "m");
    let not_utf8 = Message::default().bytes(1, b"a").bytes(2, &[0xff, b'x']);
    let request = Message::default()
        .message(1, &with(&[name.clone(), label("a", "1"), label("a", "2")]))
        .message(1, &with(&[name.clone(), label("", "x")]))
        .message(1, &with(&[name.clone(), not_utf8]))
        .message(1, &with(&vec![label("x", "y"); 100_000]))
        .message(1, &with(&[name]));
    let heard = v1(&request).unwrap();
    let names: Vec<_> = heard.series.into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names[0], Err("label `a` is given twice".to_owned()));
    assert_eq!(names[1], Err("a label has an empty name (its value is `x`)".to_owned()));
    assert_eq!(names[2], Err("a label is not UTF-8: `\u{fffd}x`".to_owned()));
    assert_eq!(names[3], Err("128 labels on one series, at most 64 are allowed".to_owned()));
    assert_eq!(names[4], Ok("m".to_owned()));
}

#[test]
fn a_request_of_version_two_is_read() {
    let refs = Message::default().number(1).number(2).number(3).number(4);
    let about = Message::default().varint(1, 1).varint(3, 5).varint(4, 6);
    let series = Message::default()
        .message(1, &refs)
        .message(2, &sample_message(9, 2.0))
        .message(3, &Message::default())
        .message(5, &about);
    let lonely = Message::default().message(1, &Message::default().number(1).number(77));
    let odd = Message::default().message(1, &Message::default().number(1));
    let mut request = Message::default();
    for symbol in ["", METRIC_NAME, "m_total", "job", "x", "Help.", "seconds"] {
        request = request.bytes(4, symbol.as_bytes());
    }
    let request = request.message(5, &series).message(5, &lonely).message(5, &odd);
    let heard = v2(&request).unwrap();
    let expected = (Ok(r#"m_total{job="x"}"#.to_owned()), vec![(9, 2.0)], 1);
    assert_eq!(heard.series[0], expected);
    assert_eq!(heard.series[1].0, Err("a label refers to symbol 77, there are 7".to_owned()));
    assert!(heard.series[2].0.as_ref().unwrap_err().contains("odd number"));
    let about = ("m_total", MetricType::Counter, "Help.", "seconds");
    let (metric, kind, help, unit) = &heard.metadata[0];
    assert_eq!((metric.as_str(), *kind, help.as_str(), unit.as_str()), about);
}

#[test]
fn series_whose_symbols_run_together_have_keys_of_their_own() {
    let refs = |a, b| Message::default().message(1, &Message::default().number(a).number(b));
    let mut request = Message::default();
    for symbol in ["", "ab", "c", "a", "bc"] {
        request = request.bytes(4, symbol.as_bytes());
    }
    let heard = v2(&request.message(5, &refs(1, 2)).message(5, &refs(3, 4))).unwrap();
    assert_ne!(heard.keys[0], heard.keys[1]);
}

#[test]
fn too_much_of_anything_is_an_error() {
    let mut series = Message::default().message(1, &label(METRIC_NAME, "m"));
    for _ in 0..=MAX_SAMPLES_PER_SERIES {
        series = series.message(2, &Message::default());
    }
    let error = v1(&Message::default().message(1, &series)).unwrap_err();
    assert_eq!(error, RequestError::TooManySamples { series: 1 });
    let symbols = Message([0x22, 0].repeat(1_000_001));
    assert_eq!(v2(&symbols).unwrap_err(), RequestError::TooManySymbols { max: 1_000_000 });
}

#[test]
fn what_is_malformed_says_in_which_series() {
    let good = Message::default().message(1, &label(METRIC_NAME, "m"));
    let bad = Message(vec![0x12, 9, 1]);
    let error = v1(&Message::default().message(1, &good).message(1, &bad)).unwrap_err();
    assert_eq!(error, RequestError::Series { series: 2, problem: Malformed::Length });
}

proptest! {
    #[test]
    fn any_bytes_are_a_request_or_malformed(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        drop(v1(&Message(bytes.clone())));
        drop(v2(&Message(bytes)));
    }

    #[test]
    fn a_damaged_request_is_a_request_or_malformed(at in 0_usize..200, byte in any::<u8>()) {
        let series = Message::default()
            .message(1, &label(METRIC_NAME, "up"))
            .message(1, &label("instance", "localhost:9100"))
            .message(2, &sample_message(1_790_000_000_000, 1.5));
        let refs = Message::default().number(1).number(2);
        let modern = Message::default().message(1, &refs).message(2, &sample_message(9, 2.0));
        for mut request in [
            Message::default().message(1, &series).message(1, &series),
            Message::default().bytes(4, b"").bytes(4, b"__name__").bytes(4, b"m").message(5, &modern),
        ] {
            let at = at % request.0.len();
            request.0[at] = byte;
            drop(v1(&request));
            drop(v2(&request));
        }
    }
}
