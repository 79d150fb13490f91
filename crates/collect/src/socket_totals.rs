//! How many sockets there are, and the memory that they hold.

use std::time::Duration;

use barograph_model::{Desc, Unit};

use crate::desc::gauge;
use crate::detail::{About, Detail, Form, Table};

static USED: Desc = gauge("sockets_used", Unit::Count, &[], "Sockets of all kinds.");
static SOCKETS: Desc = gauge(
    "sockets",
    Unit::Count,
    &["protocol", "state"],
    "Sockets of a protocol: `inuse`, and of TCP also `orphan` (no program has it any more), `tw` \
     (waits for late packets) and `alloc` (all that take memory).",
);
static MEMORY: Desc = gauge(
    "sockets_memory_pages",
    Unit::Count,
    &["protocol"],
    "Pages of memory that hold what a protocol has received or is to send.",
);
static FRAGMENTS: Desc = gauge(
    "sockets_fragments_memory_bytes",
    Unit::Bytes,
    &["protocol"],
    "Memory of packets whose parts have not all come yet.",
);

const fn row(
    section: &'static str,
    name: &'static str,
    desc: &'static Desc,
    labels: &'static [&'static str],
) -> Detail {
    Detail { section, name, desc, labels, scale: 1.0 }
}

pub(crate) static ABOUT: About = About {
    name: "sockets",
    descs: &[&USED, &SOCKETS, &MEMORY, &FRAGMENTS],
    interval: Duration::from_secs(1),
    tables: &[
        Table {
            file: "net/sockstat",
            form: Form::Sections,
            rows: &[
                row("sockets", "used", &USED, &[]),
                row("TCP", "inuse", &SOCKETS, &["tcp", "inuse"]),
                row("TCP", "orphan", &SOCKETS, &["tcp", "orphan"]),
                row("TCP", "tw", &SOCKETS, &["tcp", "tw"]),
                row("TCP", "alloc", &SOCKETS, &["tcp", "alloc"]),
                row("TCP", "mem", &MEMORY, &["tcp"]),
                row("UDP", "inuse", &SOCKETS, &["udp", "inuse"]),
                row("UDP", "mem", &MEMORY, &["udp"]),
                row("UDPLITE", "inuse", &SOCKETS, &["udplite", "inuse"]),
                row("RAW", "inuse", &SOCKETS, &["raw", "inuse"]),
                row("FRAG", "inuse", &SOCKETS, &["frag", "inuse"]),
                row("FRAG", "memory", &FRAGMENTS, &["frag"]),
            ],
        },
        Table {
            file: "net/sockstat6",
            form: Form::Sections,
            rows: &[
                row("TCP6", "inuse", &SOCKETS, &["tcp6", "inuse"]),
                row("UDP6", "inuse", &SOCKETS, &["udp6", "inuse"]),
                row("UDPLITE6", "inuse", &SOCKETS, &["udplite6", "inuse"]),
                row("RAW6", "inuse", &SOCKETS, &["raw6", "inuse"]),
                row("FRAG6", "inuse", &SOCKETS, &["frag6", "inuse"]),
                row("FRAG6", "memory", &FRAGMENTS, &["frag6"]),
            ],
        },
    ],
};
