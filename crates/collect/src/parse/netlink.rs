//! Messages of Linux' netlink sockets: a buffer is a row of messages, a message a header and a
//! payload, and many payloads a fixed part followed by attributes. Numbers are in the byte order
//! of the machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bytes that are not what they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset} of the kernel's answer: expected {expected}")]
pub struct NetlinkError {
    pub offset: usize,
    pub expected: &'static str,
}

/// One message of a dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message<'a> {
    /// A piece of what was asked for, with its kind.
    Data { kind: u16, payload: &'a [u8] },
    /// Nothing more comes.
    Done,
    /// The kernel refused, with this error number.
    Refused { errno: i32 },
}

const HEADER_BYTES: usize = 16;
const NLMSG_NOOP: u16 = 1;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_DUMP: u16 = 0x300;

/// The bytes of a question for a whole table.
pub fn dump_request(kind: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADER_BYTES + payload.len()).unwrap_or(u32::MAX);
    let mut bytes = Vec::with_capacity(HEADER_BYTES + payload.len());
    bytes.extend(length.to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend((NLM_F_REQUEST | NLM_F_DUMP).to_ne_bytes());
    bytes.extend(sequence.to_ne_bytes());
    bytes.extend(0_u32.to_ne_bytes());
    bytes.extend(payload);
    bytes
}

/// Hands on the messages of a buffer that answer the question of this number; answers to earlier
/// ones, which was not waited for, are passed over.
///
/// # Errors
/// A message that does not fit into the buffer. Those before it were handed on.
pub fn messages(
    bytes: &[u8],
    sequence: u32,
    mut each: impl FnMut(Message<'_>),
) -> Result<(), NetlinkError> {
    let mut offset = 0;
    while offset < bytes.len() {
        let broken = NetlinkError { offset, expected: "a message that fits into the buffer" };
        let rest = &bytes[offset..];
        let header = rest.first_chunk::<HEADER_BYTES>().ok_or(broken)?;
        let length = u32_at(header, 0).and_then(|n| usize::try_from(n).ok()).ok_or(broken)?;
        let payload = rest.get(HEADER_BYTES..length).ok_or(broken)?;
        let kind = u16_at(header, 4).unwrap_or_default();
        if u32_at(header, 8) == Some(sequence) {
            match kind {
                NLMSG_NOOP => {}
                NLMSG_DONE => each(Message::Done),
                NLMSG_ERROR => {
                    let errno = u32_at(payload, 0).ok_or(broken)?.cast_signed().wrapping_neg();
                    each(Message::Refused { errno });
                }
                kind => each(Message::Data { kind, payload }),
            }
        }
        offset += aligned(length);
    }
    Ok(())
}

/// Hands on the attributes of a payload's end: kind and content. What does not fit ends them.
pub fn attributes(mut bytes: &[u8], mut each: impl FnMut(u16, &[u8])) {
    const NESTED_AND_ORDER: u16 = 0xC000;
    while let (Some(length), Some(kind)) = (u16_at(bytes, 0), u16_at(bytes, 2)) {
        let Some(content) = bytes.get(4..usize::from(length)) else { return };
        each(kind & !NESTED_AND_ORDER, content);
        bytes = bytes.get(aligned(usize::from(length))..).unwrap_or_default();
    }
}

const fn aligned(length: usize) -> usize {
    length.next_multiple_of(4)
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_ne_bytes)
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_ne_bytes)
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().copied().map(u64::from_ne_bytes)
}

/// An address in network order: the first four bytes, or sixteen of them.
pub(super) fn address(bytes: &[u8], is_v6: bool) -> Option<IpAddr> {
    if is_v6 {
        bytes.first_chunk::<16>().map(|bytes| Ipv6Addr::from(*bytes).into())
    } else {
        bytes.first_chunk::<4>().map(|bytes| Ipv4Addr::from(*bytes).into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(kind: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
        let mut bytes = dump_request(kind, sequence, payload);
        bytes.resize(aligned(bytes.len()), 0);
        bytes
    }

    fn read(bytes: &[u8]) -> (Vec<String>, Result<(), NetlinkError>) {
        let mut found = Vec::new();
        let result = messages(bytes, 7, |message| found.push(format!("{message:?}")));
        (found, result)
    }

    #[test]
    fn messages_come_in_order_and_others_are_passed_over() {
        let refusal = (-13_i32).to_ne_bytes();
        let bytes = [
            message(20, 7, &[1, 2, 3]),
            message(20, 6, &[9]),
            message(NLMSG_ERROR, 7, &refusal),
            message(NLMSG_DONE, 7, &[]),
        ]
        .concat();
        let expect = ["Data { kind: 20, payload: [1, 2, 3] }", "Refused { errno: 13 }", "Done"];
        assert_eq!(read(&bytes), (expect.map(String::from).to_vec(), Ok(())));
    }

    #[test]
    fn a_message_that_is_cut_is_named_by_its_place() {
        let mut bytes = [message(20, 7, &[]), message(20, 7, &[1; 8])].concat();
        bytes.truncate(30);
        let (found, result) = read(&bytes);
        assert_eq!((found.len(), result.unwrap_err().offset), (1, 16));
        // A length that is shorter than the header would go round for ever.
        assert!(read(&[0; 64]).1.is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_go_on_for_ever(
            bytes in prop::collection::vec(any::<u8>(), 0..300), sequence: u32
        ) {
            messages(&bytes, sequence, |_| ()).ok();
            attributes(&bytes, |_, _| ());
        }

        #[test]
        fn what_is_written_is_read(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..6)
        ) {
            let bytes: Vec<u8> = payloads.iter().flat_map(|one| message(20, 7, one)).collect();
            let mut found = Vec::new();
            messages(&bytes, 7, |message| {
                if let Message::Data { payload, .. } = message {
                    found.push(payload.to_vec());
                }
            })
            .unwrap();
            prop_assert_eq!(found, payloads);
        }
    }
}
