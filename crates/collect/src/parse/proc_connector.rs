//! What Linux' process connector says: a netlink datagram for each start and end of a process.
//! Numbers are in the machine's own byte order.

/// What happened to a process. Threads are not processes here and are passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcEvent {
    /// The kernel's answer to the wish to listen: 0, or the number of an error.
    Listening {
        error: u32,
    },
    Forked {
        parent: u32,
        child: u32,
    },
    /// The process runs another program from now on.
    Executed {
        pid: u32,
    },
    /// `status` as `wait` gives it. Older kernels do not tell the parent.
    Exited {
        pid: u32,
        status: u32,
        parent: Option<u32>,
    },
}

/// `PROC_CN_MCAST_LISTEN` as two datagrams, to be sent one after the other: kernels before 6.6
/// understand only the first and tell everything; later ones then tell no more than what
/// [`ProcEvent`] knows, and not each name that a thread gives itself.
pub fn listen_requests() -> [Vec<u8>; 2] {
    const LISTEN: u32 = 1;
    [request(&[LISTEN]), request(&[LISTEN, FORK | EXEC | EXIT])]
}

fn request(words: &[u32]) -> Vec<u8> {
    const DONE: u16 = 3;
    const HEADERS: u16 = 36;
    let payload = u16::try_from(4 * words.len()).unwrap_or(u16::MAX);
    let mut request = Vec::with_capacity(64);
    request.extend(u32::from(HEADERS + payload).to_ne_bytes());
    request.extend(DONE.to_ne_bytes());
    request.resize(16, 0);
    request.extend(CONNECTOR_INDEX.to_ne_bytes());
    request.extend(CONNECTOR_VALUE.to_ne_bytes());
    request.resize(32, 0);
    request.extend(payload.to_ne_bytes());
    request.resize(usize::from(HEADERS), 0);
    request.extend(words.iter().flat_map(|word| word.to_ne_bytes()));
    request
}

const FORK: u32 = 1;
const EXEC: u32 = 2;
const EXIT: u32 = 0x8000_0000;

/// `CN_IDX_PROC`, also the number of the group that is listened to.
pub const CONNECTOR_INDEX: u32 = 1;
const CONNECTOR_VALUE: u32 = 1;

/// Calls `each` for every event of a datagram; what is unknown or cut off is passed over.
pub fn parse(mut datagram: &[u8], mut each: impl FnMut(ProcEvent)) {
    const NETLINK_HEADER: usize = 16;
    const CONNECTOR_HEADER: usize = 20;
    while let Some(length) = number(datagram, 0) {
        let length = length as usize;
        let Some(message) = datagram.get(..length).filter(|_| length >= NETLINK_HEADER) else {
            return;
        };
        let connector = &message[NETLINK_HEADER..];
        let is_ours = number(connector, 0) == Some(CONNECTOR_INDEX)
            && number(connector, 4) == Some(CONNECTOR_VALUE);
        if let Some(event) = connector.get(CONNECTOR_HEADER..).filter(|_| is_ours).and_then(event) {
            each(event);
        }
        // Messages begin at multiples of four.
        datagram = datagram.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
}

fn event(event: &[u8]) -> Option<ProcEvent> {
    const NONE: u32 = 0;
    let what = number(event, 0)?;
    let data = event.get(16..)?;
    let field = |index: usize| number(data, 4 * index);
    match what {
        NONE => Some(ProcEvent::Listening { error: field(0)? }),
        FORK => {
            let (parent, child, child_group) = (field(1)?, field(2)?, field(3)?);
            (child == child_group).then_some(ProcEvent::Forked { parent, child })
        }
        EXEC => Some(ProcEvent::Executed { pid: field(1)? }),
        EXIT => {
            let (thread, pid, status) = (field(0)?, field(1)?, field(2)?);
            let parent = field(5).filter(|parent| *parent > 0);
            (thread == pid).then_some(ProcEvent::Exited { pid, status, parent })
        }
        _ => None,
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_ne_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(what: u32, fields: &[u32]) -> Vec<u8> {
        let mut message = request(&[])[..36].to_vec();
        message.extend(what.to_ne_bytes());
        message.extend([0; 12]);
        message.extend(fields.iter().flat_map(|field| field.to_ne_bytes()));
        let length = u32::try_from(message.len()).unwrap();
        message[..4].copy_from_slice(&length.to_ne_bytes());
        message
    }

    fn events(datagram: &[u8]) -> Vec<ProcEvent> {
        let mut events = Vec::new();
        parse(datagram, |event| events.push(event));
        events
    }

    #[test]
    fn several_messages_in_one_datagram() {
        let datagram = [
            message(0, &[0]),
            message(1, &[10, 10, 11, 11]),
            message(2, &[11, 11]),
            message(0x8000_0000, &[11, 11, 0x100, 17, 10, 10]),
        ]
        .concat();
        let expect = [
            ProcEvent::Listening { error: 0 },
            ProcEvent::Forked { parent: 10, child: 11 },
            ProcEvent::Executed { pid: 11 },
            ProcEvent::Exited { pid: 11, status: 0x100, parent: Some(10) },
        ];
        assert_eq!(events(&datagram), expect);
    }

    #[test]
    fn threads_and_other_news_are_passed_over() {
        assert_eq!(events(&message(1, &[10, 10, 12, 10])), []);
        assert_eq!(events(&message(0x8000_0000, &[12, 10, 0, 0])), []);
        assert_eq!(events(&message(0x200, &[1, 1])), []);
    }

    #[test]
    fn an_old_kernel_does_not_tell_the_parent() {
        let expect = ProcEvent::Exited { pid: 5, status: 9, parent: None };
        assert_eq!(events(&message(0x8000_0000, &[5, 5, 9, 17])), [expect]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            what in prop::sample::select(vec![0_u32, 1, 2, 0x8000_0000]),
            fields in prop::collection::vec(any::<u32>(), 0..7),
            cut in 0_usize..80,
            tail in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let mut datagram = message(what, &fields);
            datagram.truncate(cut);
            datagram.extend(tail);
            events(&datagram);
        }
    }
}
