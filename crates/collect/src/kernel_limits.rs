//! What the kernel has only so much of: open files, processes, tracked connections, randomness.

use std::time::Duration;

use barograph_model::{Desc, Unit};

use crate::desc::gauge;
use crate::detail::{About, Detail, Form, Table};

macro_rules! gauges {
    ($($desc:ident $name:literal $unit:ident $help:literal;)*) => {
        $(static $desc: Desc = gauge($name, Unit::$unit, &[], $help);)*
        static DESCS: &[&Desc] = &[$(&$desc),*];
    };
}

gauges! {
    FILES_OPEN "system_open_files" Count "Files, sockets and others that programs have open.";
    FILES_LIMIT "system_open_files_limit" Count "How many of them the kernel allows.";
    INODES "system_inodes" Count "Files and folders that the kernel knows in memory.";
    INODES_FREE "system_inodes_free" Count "Those of them that are not in use.";
    PIDS_LIMIT "system_process_ids_limit" Count "Numbers for processes and threads.";
    THREADS_LIMIT "system_threads_limit" Count "Threads that the kernel allows in all.";
    ENTROPY "system_entropy_bits" Count "Bits of randomness that the kernel has gathered.";
    CONNTRACK "conntrack_entries" Count "Connections that the firewall follows.";
    CONNTRACK_LIMIT "conntrack_entries_limit" Count
        "Connections that the firewall can follow; beyond it packets are dropped.";
}

const fn row(desc: &'static Desc) -> Detail {
    Detail { section: "", name: desc.name, desc, labels: &[], scale: 1.0 }
}

const fn passed_over() -> Detail {
    Detail { section: "", name: "", desc: &FILES_OPEN, labels: &[], scale: 1.0 }
}

const fn table(file: &'static str, rows: &'static [Detail]) -> Table {
    Table { file, form: Form::Numbers, rows }
}

pub(crate) static ABOUT: About = About {
    name: "kernel_limits",
    descs: DESCS,
    // The kernel takes some 30 µs for each of these files, far more than for others.
    interval: Duration::from_secs(10),
    tables: &[
        table("sys/fs/file-nr", &[row(&FILES_OPEN), passed_over(), row(&FILES_LIMIT)]),
        table("sys/fs/inode-nr", &[row(&INODES), row(&INODES_FREE)]),
        table("sys/kernel/pid_max", &[row(&PIDS_LIMIT)]),
        table("sys/kernel/threads-max", &[row(&THREADS_LIMIT)]),
        table("sys/kernel/random/entropy_avail", &[row(&ENTROPY)]),
        table("sys/net/netfilter/nf_conntrack_count", &[row(&CONNTRACK)]),
        table("sys/net/netfilter/nf_conntrack_max", &[row(&CONNTRACK_LIMIT)]),
    ],
};
