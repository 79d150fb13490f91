//! Prometheus' remote read (<https://prometheus.io/docs/prometheus/latest/querying/remote_read_api/>),
//! as one who asks: whole samples, not chunks in a stream, as every server of it speaks those.

use barograph_model::{MatchOp, Matcher};

use crate::protobuf::{Fields, put_bytes, put_varint};
use crate::remote_write::{self, Receiver, RequestError};

/// Field 1 of request and query, field 3 of the query, fields 2 and 3 of a matcher: messages or
/// texts, each as its number and kind.
const QUERY: u8 = 0x0a;
const MATCHER: u8 = 0x1a;
const MATCHER_NAME: u8 = 0x12;
const MATCHER_VALUE: u8 = 0x1a;
/// Numbers: where the range begins and ends, and how a matcher compares.
const START: u8 = 0x08;
const END: u8 = 0x10;
const MATCHER_KIND: u8 = 0x08;

/// A `ReadRequest` for the samples of a range, both ends included.
pub fn request(matchers: &[Matcher], (from_ms, to_ms): (i64, i64)) -> Vec<u8> {
    let mut query = vec![START];
    put_varint(&mut query, from_ms.cast_unsigned());
    query.push(END);
    put_varint(&mut query, to_ms.cast_unsigned());
    for matcher in matchers {
        let kind = match matcher.op() {
            MatchOp::Equal => 0,
            MatchOp::NotEqual => 1,
            MatchOp::Regex => 2,
            MatchOp::NotRegex => 3,
        };
        let mut message = vec![MATCHER_KIND, kind];
        put_bytes(&mut message, MATCHER_NAME, matcher.label().as_bytes());
        put_bytes(&mut message, MATCHER_VALUE, matcher.value().as_bytes());
        put_bytes(&mut query, MATCHER, &message);
    }
    let mut out = Vec::new();
    put_bytes(&mut out, QUERY, &query);
    out
}

/// Reads an unpacked `ReadResponse`. A result holds its series as a request of remote write does.
///
/// # Errors
/// The message is malformed, or the receiver wants no more.
pub fn read_answer<R: Receiver>(message: &[u8], receiver: &mut R) -> Result<(), R::Error> {
    for field in Fields::of(message) {
        if let (1, result) = field.map_err(RequestError::Message)? {
            let result = result.bytes().map_err(RequestError::Message)?;
            remote_write::read_v1(result, receiver)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use barograph_model::Labels;
    use proptest::prelude::*;

    use super::*;
    use crate::MetricType;
    use crate::remote_write::{Series, label_bytes, put_sample};

    #[derive(Default)]
    struct Seen(Vec<(String, Vec<(i64, f64)>)>);

    impl Receiver for Seen {
        type Error = RequestError;

        fn series(&mut self, series: &Series<'_>) -> Result<(), RequestError> {
            let labels =
                series.labels().map_or_else(|error| error.to_string(), |it| it.to_string());
            self.0.push((labels, series.samples.to_vec()));
            Ok(())
        }

        fn metadata(&mut self, _: &str, _: MetricType, _: &str, _: &str) {}
    }

    #[test]
    fn a_request_is_as_the_format_says() {
        let not = Matcher::new("job", MatchOp::NotEqual, "a").unwrap();
        let bytes = request(&[Matcher::equal("__name__", "m"), not], (1, 300));
        let query = b"\x08\x01\x10\xac\x02\x1a\x0f\x08\x00\x12\x08__name__\x1a\x01m\
                      \x1a\x0a\x08\x01\x12\x03job\x1a\x01a";
        assert_eq!(bytes, [b"\x0a\x22".as_slice(), query].concat());
    }

    #[test]
    fn an_answer_of_several_results_is_read() {
        let labels = Labels::new([("__name__", "m"), ("job", "a")]).unwrap();
        let mut result = Vec::new();
        put_sample(&mut result, &label_bytes(&labels), 1000, 2.5);
        let mut answer = Vec::new();
        put_bytes(&mut answer, 0x0a, &result);
        put_bytes(&mut answer, 0x0a, &[]);
        put_bytes(&mut answer, 0x0a, &result);
        let mut seen = Seen::default();
        read_answer(&answer, &mut seen).unwrap();
        let one = (labels.to_string(), vec![(1000, 2.5)]);
        assert_eq!(seen.0, [one.clone(), one]);
        assert!(read_answer(&answer[..answer.len() - 1], &mut Seen::default()).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_answer_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            drop(read_answer(&bytes, &mut Seen::default()));
        }
    }
}
