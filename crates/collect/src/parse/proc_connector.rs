//! What Linux' process connector says: a netlink datagram for each start and end of a process.
//! Numbers are in the machine's own byte order.

use std::time::Duration;

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

/// What of the news a socket is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// Programs that begin.
    Programs,
    /// Forks and ends.
    Lives,
}

/// One instruction of a filter, as `struct sock_filter` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    pub code: u16,
    pub if_true: u8,
    pub if_false: u8,
    pub value: u32,
}

impl News {
    /// `PROC_CN_MCAST_LISTEN` as two datagrams, to be sent one after the other: kernels before
    /// 6.6 understand only the first and tell everything; later ones then tell no more than this.
    pub fn listen_requests(self) -> [Vec<u8>; 2] {
        const LISTEN: u32 = 1;
        let wanted = match self {
            Self::Programs => EXEC,
            Self::Lives => FORK | EXIT,
        };
        [request(&[LISTEN]), request(&[LISTEN, wanted])]
    }

    /// A filter that lets this news through where it is about a process and not a thread, and the
    /// kernel's answers.
    pub fn filter(self) -> Vec<Instruction> {
        const HEADERS: u32 = 36;
        const DATA: u32 = HEADERS + 16;
        let same = |first: u32, second: u32, yes: u8, no: u8| {
            [
                load(first),
                Instruction { code: TO_X, if_true: 0, if_false: 0, value: 0 },
                load(second),
                Instruction { code: JUMP_IF_X, if_true: yes, if_false: no, value: 0 },
            ]
        };
        let mut filter = vec![load(HEADERS)];
        match self {
            Self::Programs => filter.extend([jump_if(NONE, 2, 0), jump_if(EXEC, 1, 0)]),
            Self::Lives => {
                filter.extend([jump_if(NONE, 11, 0), jump_if(EXIT, 5, 0), jump_if(FORK, 0, 8)]);
                filter.extend(same(DATA + 8, DATA + 12, 5, 4));
                filter.extend(same(DATA, DATA + 4, 1, 0));
            }
        }
        let result = |value| Instruction { code: RETURN, if_true: 0, if_false: 0, value };
        filter.extend([result(0), result(u32::MAX)]);
        filter
    }
}

const LOAD: u16 = 0x20;
const TO_X: u16 = 0x07;
const JUMP_IF: u16 = 0x15;
const JUMP_IF_X: u16 = 0x1d;
const RETURN: u16 = 0x06;

fn load(offset: u32) -> Instruction {
    Instruction { code: LOAD, if_true: 0, if_false: 0, value: offset }
}

/// Filters load numbers with the highest byte first.
fn jump_if(what: u32, if_true: u8, if_false: u8) -> Instruction {
    Instruction { code: JUMP_IF, if_true, if_false, value: u32::from_be_bytes(what.to_ne_bytes()) }
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

const NONE: u32 = 0;
const FORK: u32 = 1;
const EXEC: u32 = 2;
const EXIT: u32 = 0x8000_0000;

/// `CN_IDX_PROC`, also the number of the group that is listened to.
pub const CONNECTOR_INDEX: u32 = 1;
const CONNECTOR_VALUE: u32 = 1;

/// Calls `each` for every event of a datagram, with its time by the system's monotonic clock; what
/// is unknown or cut off is passed over.
pub fn parse(mut datagram: &[u8], mut each: impl FnMut(ProcEvent, Duration)) {
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
        if let Some((event, at)) =
            connector.get(CONNECTOR_HEADER..).filter(|_| is_ours).and_then(event)
        {
            each(event, at);
        }
        // Messages begin at multiples of four.
        datagram = datagram.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
}

fn event(event: &[u8]) -> Option<(ProcEvent, Duration)> {
    let what = number(event, 0)?;
    let at = Duration::from_nanos(u64::from_ne_bytes(event.get(8..16)?.try_into().ok()?));
    let data = event.get(16..)?;
    let field = |index: usize| number(data, 4 * index);
    let event = match what {
        NONE => ProcEvent::Listening { error: field(0)? },
        FORK => {
            let (parent, child, child_group) = (field(1)?, field(2)?, field(3)?);
            (child == child_group).then_some(ProcEvent::Forked { parent, child })?
        }
        EXEC => ProcEvent::Executed { pid: field(1)? },
        EXIT => {
            let (thread, pid, status) = (field(0)?, field(1)?, field(2)?);
            let parent = field(5).filter(|parent| *parent > 0);
            (thread == pid).then_some(ProcEvent::Exited { pid, status, parent })?
        }
        _ => return None,
    };
    Some((event, at))
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
        parse(datagram, |event, _| events.push(event));
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

    #[test]
    fn an_event_has_its_time() {
        let mut bytes = message(2, &[5, 5]);
        bytes[44..52].copy_from_slice(&1_500_000_000_u64.to_ne_bytes());
        parse(&bytes, |_, at| assert_eq!(at, Duration::from_millis(1500)));
    }

    /// Runs a filter as the kernel does; what lies outside of the datagram ends it.
    fn lets_through(filter: &[Instruction], datagram: &[u8]) -> bool {
        let (mut at, mut a, mut x) = (0, 0, 0);
        while let Some(Instruction { code, if_true, if_false, value }) = filter.get(at).copied() {
            let jump = |is: bool| usize::from(if is { if_true } else { if_false });
            at += 1;
            match code {
                LOAD => match datagram.get(value as usize..value as usize + 4) {
                    Some(bytes) => a = u32::from_be_bytes(bytes.try_into().unwrap()),
                    None => return false,
                },
                TO_X => x = a,
                JUMP_IF => at += jump(a == value),
                JUMP_IF_X => at += jump(a == x),
                RETURN => return value > 0,
                code => panic!("{code}"),
            }
        }
        panic!("no end")
    }

    proptest! {
        #[test]
        fn filters_let_through_what_is_taken(
            what in prop::sample::select(vec![0_u32, 1, 2, 4, 0x40, 0x200, 0x8000_0000]),
            fields in prop::collection::vec(1..3_u32, 6),
        ) {
            let datagram = message(what, &fields);
            let taken = events(&datagram).pop();
            let [programs, lives] = [News::Programs, News::Lives].map(|news| {
                lets_through(&news.filter(), &datagram)
            });
            let expect = match taken {
                None => (false, false),
                Some(ProcEvent::Listening { .. }) => (true, true),
                Some(ProcEvent::Executed { .. }) => (true, false),
                Some(ProcEvent::Forked { .. } | ProcEvent::Exited { .. }) => (false, true),
            };
            prop_assert_eq!((programs, lives), expect);
        }

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
