//! Addresses of network adapters, as the kernel lists them (`RTM_GETADDR`).

use std::net::IpAddr;

use super::netlink::{address, attributes, dump_request, u32_at};

/// `RTM_NEWADDR`, which the answer is made of.
pub const KIND: u16 = 20;
/// `RTM_GETADDR`
const ASK: u16 = 22;

/// An adapter's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// The adapter's number.
    pub adapter: u32,
    pub ip: IpAddr,
    /// The bits that its network shares.
    pub prefix: u8,
}

/// The question for the addresses of all adapters.
pub fn request(sequence: u32) -> Vec<u8> {
    let any_family = [0; 8];
    dump_request(ASK, sequence, &any_family)
}

/// Reads one message of the answer; nothing for families other than IP, and for messages that
/// hold no address.
pub fn parse(payload: &[u8]) -> Option<Address> {
    const FIXED_BYTES: usize = 8;
    /// The other end's address where the connection has two ends, else our own.
    const IFA_ADDRESS: u16 = 1;
    const IFA_LOCAL: u16 = 2;
    let [family, prefix, ..] = *payload.first_chunk::<FIXED_BYTES>()?;
    let is_v6 = match family {
        2 => false,
        10 => true,
        _ => return None,
    };
    let (mut local, mut other) = (None, None);
    attributes(&payload[FIXED_BYTES..], |kind, content| match kind {
        IFA_LOCAL => local = address(content, is_v6),
        IFA_ADDRESS => other = address(content, is_v6),
        _ => {}
    });
    Some(Address { adapter: u32_at(payload, 4)?, ip: local.or(other)?, prefix })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_own_end_of_a_connection_is_taken() {
        let mut bytes = vec![2, 24, 0, 0];
        bytes.extend(3_u32.to_ne_bytes());
        for (kind, ip) in [(1_u16, [10, 0, 0, 9]), (2, [10, 0, 0, 1])] {
            bytes.extend(8_u16.to_ne_bytes());
            bytes.extend(kind.to_ne_bytes());
            bytes.extend(ip);
        }
        let expect = Address { adapter: 3, ip: "10.0.0.1".parse().unwrap(), prefix: 24 };
        assert_eq!(parse(&bytes), Some(expect));
        bytes[0] = 17;
        assert_eq!(parse(&bytes), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            parse(&bytes);
        }
    }
}
