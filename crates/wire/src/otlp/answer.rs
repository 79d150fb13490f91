//! Answers of a receiver.

use crate::protobuf::put_varint;

fn put_bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    put_varint(out, field << 3 | 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// `ExportMetricsServiceResponse`; empty when nothing was rejected.
pub fn partial_success_proto(rejected: u64, message: &str) -> Vec<u8> {
    let mut out = Vec::new();
    if rejected > 0 {
        let mut partial = Vec::new();
        put_varint(&mut partial, 1 << 3);
        put_varint(&mut partial, rejected);
        put_bytes(&mut partial, 2, message.as_bytes());
        put_bytes(&mut out, 1, &partial);
    }
    out
}

/// The same in JSON.
pub fn partial_success_json(rejected: u64, message: &str) -> serde_json::Value {
    if rejected == 0 {
        return serde_json::json!({});
    }
    let rejected = rejected.to_string();
    serde_json::json!({
        "partialSuccess": { "rejectedDataPoints": rejected, "errorMessage": message }
    })
}

/// `google.rpc.Status`, which says what went wrong.
pub fn failure_proto(message: &str) -> Vec<u8> {
    let mut out = Vec::new();
    put_bytes(&mut out, 2, message.as_bytes());
    out
}

/// The same with its code and a `google.rpc.RetryInfo`: when to come back.
pub fn retry_proto(code: u8, message: &str, retry_after_s: u32) -> Vec<u8> {
    let mut delay = Vec::new();
    put_varint(&mut delay, 1 << 3);
    put_varint(&mut delay, u64::from(retry_after_s));
    let mut info = Vec::new();
    put_bytes(&mut info, 1, &delay);
    let mut any = Vec::new();
    put_bytes(&mut any, 1, b"type.googleapis.com/google.rpc.RetryInfo");
    put_bytes(&mut any, 2, &info);
    let mut out = Vec::new();
    put_varint(&mut out, 1 << 3);
    put_varint(&mut out, u64::from(code));
    out.extend(failure_proto(message));
    put_bytes(&mut out, 3, &any);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protobuf::{Fields, Value};

    #[test]
    fn what_was_rejected_is_told() {
        assert!(partial_success_proto(0, "").is_empty());
        let answer = partial_success_proto(300, "too many");
        let (number, partial) = Fields::of(&answer).next().unwrap().unwrap();
        let fields: Vec<_> =
            Fields::of(partial.bytes().unwrap()).collect::<Result<_, _>>().unwrap();
        assert_eq!(number, 1);
        assert_eq!(fields, [(1, Value::Varint(300)), (2, Value::Bytes(b"too many"))]);
        assert_eq!(partial_success_json(3, "x")["partialSuccess"]["rejectedDataPoints"], "3");
    }

    #[test]
    fn when_to_come_back_is_told() {
        let status = retry_proto(14, "full", 300);
        let fields: Vec<_> = Fields::of(&status).collect::<Result<_, _>>().unwrap();
        let info = b"\x0a\x03\x08\xac\x02";
        let any =
            [&b"\x0a\x28type.googleapis.com/google.rpc.RetryInfo\x12\x05"[..], &info[..]].concat();
        let expected =
            [(1, Value::Varint(14)), (2, Value::Bytes(b"full")), (3, Value::Bytes(&any))];
        assert_eq!(fields, expected);
    }
}
