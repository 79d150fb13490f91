//! What only Linux counts of the network's protocols, mostly under the kernel's own names. Writing
//! `netstat` alone costs the kernel as much as all that is read each second of memory, and hardly
//! anybody looks at these numbers before something is wrong: so they are read more rarely.

use std::time::Duration;

use barograph_model::{Desc, Unit};

use crate::desc::counter;
use crate::detail::{About, Detail, Form, Table};

pub(crate) static EVENTS: Desc = counter(
    "network_protocol_events_total",
    Unit::Count,
    &["protocol", "event"],
    "What Linux counts of a protocol, by the kernel's names in /proc/net/snmp, netstat and snmp6: \
     `TcpExt` `TCPAbortOnMemory`, `Udp` `RcvbufErrors`, `Ip` `InDiscards` and others.",
);

static LISTEN_OVERFLOWS: Desc = counter(
    "tcp_listen_overflows_total",
    Unit::Count,
    &[],
    "TCP connections refused because the program did not accept them fast enough.",
);
static LISTEN_DROPS: Desc = counter(
    "tcp_listen_drops_total",
    Unit::Count,
    &[],
    "TCP connections refused at a listening socket, for any reason.",
);
static TIMEOUTS: Desc = counter(
    "tcp_timeouts_total",
    Unit::Count,
    &[],
    "Times that the other end of a TCP connection did not answer.",
);

const fn of_tcp(name: &'static str, desc: &'static Desc) -> Detail {
    Detail { section: "TcpExt", name, desc, labels: &[], scale: 1.0 }
}

pub(crate) static ABOUT: About = About {
    name: "network_protocols",
    descs: &[&EVENTS, &LISTEN_OVERFLOWS, &LISTEN_DROPS, &TIMEOUTS],
    interval: Duration::from_secs(10),
    tables: &[
        Table { file: "net/snmp", form: Form::Pairs, rows: &SNMP },
        Table { file: "net/netstat", form: Form::Pairs, rows: &NETSTAT },
        Table { file: "net/snmp6", form: Form::Lines, rows: &SNMP6 },
    ],
};

macro_rules! events {
    ($table:ident $count:literal [$($row:expr),*]: $($section:literal { $($name:literal)* })*) => {
        static $table: [Detail; $count] = [$($row,)* $($(Detail {
            section: $section, name: $name, desc: &EVENTS, labels: &[$section, $name], scale: 1.0,
        }),*),*];
    };
}

events! { SNMP 40 []:
    "Ip" {
        "InReceives" "InHdrErrors" "InAddrErrors" "ForwDatagrams" "InUnknownProtos" "InDiscards"
        "InDelivers" "OutRequests" "OutDiscards" "OutNoRoutes" "ReasmTimeout" "ReasmReqds"
        "ReasmOKs" "ReasmFails" "FragOKs" "FragFails" "FragCreates"
    }
    "Icmp" {
        "InMsgs" "InErrors" "InCsumErrors" "InDestUnreachs" "InTimeExcds" "InRedirects" "InEchos"
        "InEchoReps" "OutMsgs" "OutErrors" "OutDestUnreachs" "OutTimeExcds" "OutRedirects"
        "OutEchos" "OutEchoReps"
    }
    "Tcp" { "InCsumErrors" }
    "Udp" { "RcvbufErrors" "SndbufErrors" "InCsumErrors" "IgnoredMulti" "MemErrors" }
    "UdpLite" { "InDatagrams" "OutDatagrams" }
}

events! { NETSTAT 108 [
    of_tcp("ListenOverflows", &LISTEN_OVERFLOWS),
    of_tcp("ListenDrops", &LISTEN_DROPS),
    of_tcp("TCPTimeouts", &TIMEOUTS)
]:
    "TcpExt" {
        "SyncookiesSent" "SyncookiesRecv" "SyncookiesFailed" "EmbryonicRsts" "PruneCalled"
        "RcvPruned" "OfoPruned" "OutOfWindowIcmps" "LockDroppedIcmps" "ArpFilter" "TW"
        "TWRecycled" "TWKilled" "PAWSActive" "PAWSEstab" "DelayedACKs" "DelayedACKLocked"
        "DelayedACKLost" "TCPHPHits" "TCPPureAcks" "TCPHPAcks" "TCPRenoRecovery"
        "TCPSackRecovery" "TCPSACKReneging" "TCPSACKReorder" "TCPRenoReorder" "TCPTSReorder"
        "TCPFullUndo" "TCPPartialUndo" "TCPDSACKUndo" "TCPLossUndo" "TCPLostRetransmit"
        "TCPRenoFailures" "TCPSackFailures" "TCPLossFailures" "TCPFastRetrans"
        "TCPSlowStartRetrans" "TCPLossProbes" "TCPLossProbeRecovery" "TCPRcvCollapsed"
        "TCPBacklogCoalesce" "TCPDSACKOldSent" "TCPDSACKOfoSent" "TCPDSACKRecv"
        "TCPDSACKOfoRecv" "TCPAbortOnData" "TCPAbortOnClose" "TCPAbortOnMemory"
        "TCPAbortOnTimeout" "TCPAbortOnLinger" "TCPAbortFailed" "TCPMemoryPressures"
        "TCPMemoryPressuresChrono" "TCPSpuriousRTOs" "TCPBacklogDrop" "PFMemallocDrop"
        "TCPMinTTLDrop" "TCPDeferAcceptDrop" "IPReversePathFilter" "TCPTimeWaitOverflow"
        "TCPReqQFullDoCookies" "TCPReqQFullDrop" "TCPRetransFail" "TCPRcvCoalesce" "TCPOFOQueue"
        "TCPOFODrop" "TCPOFOMerge" "TCPChallengeACK" "TCPSYNChallenge" "TCPFastOpenActive"
        "TCPFastOpenActiveFail" "TCPFastOpenPassive" "TCPFastOpenPassiveFail"
        "TCPFastOpenListenOverflow" "TCPSpuriousRtxHostQueues" "BusyPollRxPackets"
        "TCPAutoCorking" "TCPFromZeroWindowAdv" "TCPToZeroWindowAdv" "TCPWantZeroWindowAdv"
        "TCPSynRetrans" "TCPOrigDataSent" "TCPACKSkippedSynRecv" "TCPACKSkippedSeq" "TCPWinProbe"
        "TCPKeepAlive" "TCPMTUPFail" "TCPMTUPSuccess" "TCPDelivered" "TCPDeliveredCE"
        "TCPAckCompressed" "TCPZeroWindowDrop" "TCPRcvQDrop" "TCPWqueueTooBig"
        "TcpTimeoutRehash"
    }
    "IpExt" {
        "InNoRoutes" "InTruncatedPkts" "InMcastPkts" "OutMcastPkts" "InBcastPkts" "OutBcastPkts"
        "InOctets" "OutOctets" "InCsumErrors" "InCEPkts"
    }
}

macro_rules! events6 {
    ($count:literal: $($protocol:literal { $($name:literal = $event:literal)* })*) => {
        /// Of `/proc/net/snmp6`, where the protocol is part of the name.
        static SNMP6: [Detail; $count] = [$($(Detail {
            section: "", name: $name, desc: &EVENTS, labels: &[$protocol, $event], scale: 1.0,
        }),*),*];
    };
}

events6! { 22:
    "Ip6" {
        "Ip6InReceives" = "InReceives" "Ip6InHdrErrors" = "InHdrErrors"
        "Ip6InNoRoutes" = "InNoRoutes" "Ip6InAddrErrors" = "InAddrErrors"
        "Ip6InDiscards" = "InDiscards" "Ip6InDelivers" = "InDelivers"
        "Ip6OutForwDatagrams" = "OutForwDatagrams" "Ip6OutRequests" = "OutRequests"
        "Ip6OutDiscards" = "OutDiscards" "Ip6OutNoRoutes" = "OutNoRoutes"
        "Ip6ReasmFails" = "ReasmFails" "Ip6FragFails" = "FragFails"
        "Ip6InMcastPkts" = "InMcastPkts" "Ip6OutMcastPkts" = "OutMcastPkts"
        "Ip6InOctets" = "InOctets" "Ip6OutOctets" = "OutOctets"
    }
    "Icmp6" {
        "Icmp6InMsgs" = "InMsgs" "Icmp6InErrors" = "InErrors" "Icmp6OutMsgs" = "OutMsgs"
        "Icmp6OutErrors" = "OutErrors"
    }
    "Udp6" { "Udp6RcvbufErrors" = "RcvbufErrors" "Udp6SndbufErrors" = "SndbufErrors" }
}
