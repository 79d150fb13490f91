//! Messages as they are, and bytes of any kind.

use proptest::prelude::*;

use super::*;

fn call<'a>(arguments: &'a [Argument<'a>]) -> Call<'a> {
    Call {
        destination: Some("org.example"),
        path: "/a/b",
        interface: "org.example.I",
        member: "Get",
        arguments,
    }
}

/// A message with this body, as somebody else may send it.
fn message(signature: &str, body: &[u8]) -> Vec<u8> {
    let mut out = Writer::default();
    out.0.extend([b'l', 2, 0, 1]);
    out.number(u32::try_from(body.len()).unwrap());
    out.number(9);
    out.array(8, |out| {
        out.field(5, "u", |out| out.number(3));
        out.field(8, "g", |out| out.signature(signature));
    });
    out.align(8);
    out.0.extend(body);
    out.0
}

fn body(signature: &str, bytes: &[u8]) -> Result<Vec<Value>, DbusError> {
    decode(&message(signature, bytes)).map(|incoming| incoming.body)
}

#[test]
fn a_call_is_a_message_that_can_be_read() {
    let bytes = call(&[Argument::Text("ä"), Argument::Texts(&["x", "yz"])]).encode(7);
    let length = message_length(bytes.first_chunk().unwrap()).unwrap();
    assert_eq!(length, bytes.len());
    let found = decode(&bytes).unwrap();
    let text = |text: &str| Value::Text(text.into());
    assert_eq!(found.body, [text("ä"), Value::Array(vec![text("x"), text("yz")])]);
    assert_eq!((found.answers, found.error), (None, None));
}

#[test]
fn values_are_aligned_and_signed() {
    let bytes = [5, 0, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0, 1, b'q', 0, 0, 7, 1];
    let expect = [
        Value::Unsigned(5),
        Value::Signed(-2),
        Value::Signed(-1),
        Value::Bool(true),
        Value::Variant(Box::new(Value::Unsigned(0x107))),
    ];
    assert_eq!(body("ynibv", &bytes), Ok(expect.into()));
}

#[test]
fn bytes_of_the_other_order_are_read() {
    let header = [b'B', 2, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 15];
    let fields = [5, 1, b'u', 0, 0, 0, 0, 3, 8, 1, b'g', 0, 1, b'u', 0, 0];
    let bytes = [&header[..], &fields, &[0, 0, 1, 2]].concat();
    let found = decode(&bytes).unwrap();
    assert_eq!((found.answers, found.body), (Some(3), vec![Value::Unsigned(258)]));
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    let refused = |signature: &str, bytes: &[u8]| body(signature, bytes).unwrap_err().expected;
    assert_eq!(refused("u", &[1, 2]), "more bytes");
    assert_eq!(refused("(u", &[0; 8]), "a sound signature");
    assert_eq!(refused("a()", &[8, 0, 0, 0, 0, 0, 0, 0]), "a sound signature");
    assert_eq!(refused("(a)", &[0; 8]), "a sound signature");
    assert_eq!(refused("au", &[5, 0, 0, 0, 1, 0, 0, 0]), "an array that fits into the message");
    assert_eq!(refused("s", &[1, 0, 0, 0, 0xFF, 0]), "text in UTF-8");
    let too_long = [b'l', 1, 0, 1, 0xFF, 0xFF, 0xFF, 0, 1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0];
    assert!(message_length(&too_long).is_err());
    assert_eq!(decode(b"HTTP/1.1 400").unwrap_err().offset, 0);
}

#[test]
fn variants_within_variants_end() {
    let deep = [&b"\x01v\0".repeat(200)[..], b"\x01y\0\x05"].concat();
    assert_eq!(body("v", &deep).unwrap_err().expected, "fewer values within each other");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        decode(&bytes).ok();
        if let Some(start) = bytes.first_chunk() {
            message_length(start).ok();
        }
    }

    #[test]
    fn no_signature_makes_it_panic(
        signature in "[ybnqiuxtdsogvha(){}]{0,12}",
        bytes in prop::collection::vec(0_u8..9, 0..100),
    ) {
        body(&signature, &bytes).ok();
    }

    #[test]
    fn texts_come_back(texts in prop::collection::vec("[^\0]{0,20}", 0..6)) {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let bytes = call(&[Argument::Texts(&texts)]).encode(1);
        let found = decode(&bytes).unwrap();
        let found: Vec<_> = found.body[0].parts().iter().map(|v| v.text().unwrap()).collect();
        prop_assert_eq!(found, texts);
    }
}
