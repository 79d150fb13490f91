//! `prometheus.WriteRequest`, written.
//!
//! Requests one after the other are one request, so that what is queued apart can be sent at once.

use barograph_model::Labels;

use super::RequestError;
use crate::protobuf::{Fields, put_bytes, put_varint};

/// Field 1 of the request, a message: a series. Of a series: a label.
const FIRST_MESSAGE: u8 = 0x0a;
const SECOND_MESSAGE: u8 = 0x12;

/// The labels of a series as they stand in its message; the same for each of its samples.
pub fn label_bytes(labels: &Labels) -> Vec<u8> {
    let mut out = Vec::with_capacity(labels.encoded().len() * 2);
    let mut label = Vec::new();
    for (name, value) in labels.iter() {
        label.clear();
        put_bytes(&mut label, FIRST_MESSAGE, name.as_bytes());
        put_bytes(&mut label, SECOND_MESSAGE, value.as_bytes());
        put_bytes(&mut out, FIRST_MESSAGE, &label);
    }
    out
}

/// Adds a series with one sample to a request. The time is in milliseconds since 1970.
pub fn put_sample(request: &mut Vec<u8>, labels: &[u8], time_ms: i64, value: f64) {
    let mut sample = Vec::with_capacity(20);
    sample.push(0x09);
    sample.extend_from_slice(&value.to_le_bytes());
    sample.push(0x10);
    put_varint(&mut sample, time_ms.cast_unsigned());
    request.push(FIRST_MESSAGE);
    // The sample's tag and length take a byte each.
    put_varint(request, (labels.len() + 2 + sample.len()) as u64);
    request.extend_from_slice(labels);
    put_bytes(request, SECOND_MESSAGE, &sample);
}

/// The series of a request, each as a request of its own would hold it.
///
/// # Errors
/// The request is malformed.
pub fn split(request: &[u8]) -> Result<Vec<Vec<u8>>, RequestError> {
    let mut pieces = Vec::new();
    for field in Fields::of(request) {
        if let (1, value) = field.map_err(RequestError::Message)? {
            let mut piece = Vec::new();
            put_bytes(&mut piece, FIRST_MESSAGE, value.bytes().map_err(RequestError::Message)?);
            pieces.push(piece);
        }
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::super::{Receiver, Series, read_v1};
    use super::*;
    use crate::MetricType;

    #[derive(Default)]
    struct Seen(Vec<(String, i64, u64)>);

    impl Receiver for Seen {
        type Error = RequestError;

        fn series(&mut self, series: &Series<'_>) -> Result<(), RequestError> {
            let labels = series.labels().unwrap().to_string();
            let samples = series.samples.iter();
            self.0.extend(samples.map(|(time, value)| (labels.clone(), *time, value.to_bits())));
            Ok(())
        }

        fn metadata(&mut self, _: &str, _: MetricType, _: &str, _: &str) {}
    }

    #[test]
    fn what_is_written_is_read_back_whole_and_in_pieces() {
        let labels = Labels::new([("__name__", "m"), ("host", "ü"), ("x", &"v".repeat(300))]);
        let labels = labels.unwrap();
        let bytes = label_bytes(&labels);
        let mut request = Vec::new();
        let samples = [(-1, barograph_model::STALE), (1_790_000_000_000, 1.5), (0, f64::INFINITY)];
        for (time_ms, value) in samples {
            put_sample(&mut request, &bytes, time_ms, value);
        }
        let expected: Vec<_> =
            samples.iter().map(|(t, v)| (labels.to_string(), *t, v.to_bits())).collect();
        let mut seen = Seen::default();
        read_v1(&request, &mut seen).unwrap();
        assert_eq!(seen.0, expected);
        let pieces = split(&request).unwrap();
        assert_eq!((pieces.len(), pieces.concat()), (3, request));
    }
}
