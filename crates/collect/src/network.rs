//! Network adapters: bytes, packets, errors.

use std::sync::Arc;

use barograph_model::{Clock, Desc, Unit};

use crate::desc::{counter, gauge};
use crate::increase::{Elapsed, Increases};
use crate::platform::AdapterReader;
use crate::readings::Adapter;
use crate::{Collector, Error, Roots, Sink};

pub(crate) static NETWORK_BYTES_TOTAL: Desc = gauge(
    "network_bytes_total",
    Unit::BytesPerSecond,
    &["adapter"],
    "Bytes per second, sent and received, since the last reading; over all adapters without label.",
);
pub(crate) static NETWORK_BYTES_SENT: Desc = counter(
    "network_bytes_sent",
    Unit::Bytes,
    &["adapter"],
    "Bytes sent; over all adapters without label, where an adapter that goes takes nothing with it.",
);
pub(crate) static NETWORK_BYTES_RECV: Desc = counter(
    "network_bytes_recv",
    Unit::Bytes,
    &["adapter"],
    "Bytes received; over all adapters without label, where an adapter that goes takes nothing \
     with it.",
);

macro_rules! totals {
    ($($desc:ident $name:literal $unit:ident $help:literal;)*) => {
        $(pub(crate) static $desc: Desc = counter($name, Unit::$unit, &["adapter"], $help);)*
    };
}

totals! {
    RECEIVE_BYTES "network_receive_bytes_total" Bytes "Bytes received.";
    TRANSMIT_BYTES "network_transmit_bytes_total" Bytes "Bytes sent.";
    RECEIVE_PACKETS "network_receive_packets_total" Count "Packets received.";
    TRANSMIT_PACKETS "network_transmit_packets_total" Count "Packets sent.";
    RECEIVE_ERRORS "network_receive_errors_total" Count "Packets received damaged.";
    TRANSMIT_ERRORS "network_transmit_errors_total" Count "Packets that could not be sent.";
    RECEIVE_DROPPED "network_receive_dropped_total" Count
        "Packets received whole and thrown away, for instance for lack of memory.";
    TRANSMIT_DROPPED "network_transmit_dropped_total" Count
        "Packets thrown away instead of being sent.";
    RECEIVE_MULTICAST "network_receive_multicast_total" Count
        "Packets received that were addressed to many.";
    RECEIVE_FIFO_ERRORS "network_receive_fifo_errors_total" Count
        "Packets that found no room in the adapter.";
    RECEIVE_FRAME_ERRORS "network_receive_frame_errors_total" Count
        "Packets received whose frame was damaged.";
    TRANSMIT_FIFO_ERRORS "network_transmit_fifo_errors_total" Count
        "Packets that the adapter could not take fast enough.";
    TRANSMIT_COLLISIONS "network_transmit_collisions_total" Count
        "Packets that met another one on the cable.";
    TRANSMIT_CARRIER_ERRORS "network_transmit_carrier_errors_total" Count
        "Packets that could not be sent because the connection was lost.";
    RECEIVE_UNKNOWN "network_receive_unknown_total" Count
        "Packets received of a protocol that nobody here speaks; read every ten seconds.";
}

pub(crate) static SPEED: Desc = gauge(
    "network_speed_bits_per_second",
    Unit::BitsPerSecond,
    &["adapter"],
    "Speed that the adapter has agreed on; virtual adapters and those that are down have none.",
);

static DESCS: [&Desc; 19] = [
    &NETWORK_BYTES_TOTAL,
    &NETWORK_BYTES_SENT,
    &NETWORK_BYTES_RECV,
    &RECEIVE_BYTES,
    &TRANSMIT_BYTES,
    &RECEIVE_PACKETS,
    &TRANSMIT_PACKETS,
    &RECEIVE_ERRORS,
    &TRANSMIT_ERRORS,
    &RECEIVE_DROPPED,
    &TRANSMIT_DROPPED,
    &RECEIVE_MULTICAST,
    &RECEIVE_UNKNOWN,
    &RECEIVE_FIFO_ERRORS,
    &RECEIVE_FRAME_ERRORS,
    &TRANSMIT_FIFO_ERRORS,
    &TRANSMIT_COLLISIONS,
    &TRANSMIT_CARRIER_ERRORS,
    &SPEED,
];

/// Emits each [`Adapter`], and sums over those through which data enters and leaves the machine.
#[derive(Debug)]
pub(crate) struct NetworkCollector {
    reader: AdapterReader,
    clock: Arc<dyn Clock>,
    elapsed: Elapsed,
    increases: Increases<2>,
    /// Bytes sent and received, over the adapters that were seen.
    bytes: Option<[f64; 2]>,
}

impl NetworkCollector {
    pub(crate) fn new(roots: &Roots, clock: &Arc<dyn Clock>) -> Self {
        Self {
            reader: AdapterReader::new(roots),
            clock: Arc::clone(clock),
            elapsed: Elapsed::default(),
            increases: Increases::new(),
            bytes: None,
        }
    }
}

impl Collector for NetworkCollector {
    fn name(&self) -> &'static str {
        "network"
    }

    fn descs(&self) -> &'static [&'static Desc] {
        &DESCS
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        let adapters = self.reader.read()?;
        let seconds = self.elapsed.until(self.clock.monotonic());
        self.increases.begin();
        let mut sums = [0.0; 2];
        let mut has_increase = false;
        let mut first_bytes = [0.0; 2];
        for adapter in adapters {
            let totals = [adapter.sent_bytes, adapter.received_bytes].map(|n| n as f64);
            let increases = self.increases.of(&adapter.name, totals);
            push_adapter(adapter, out);
            if let (Some(seconds), Some([sent, received])) = (seconds, increases) {
                let labels = [adapter.name.as_str()];
                out.push(&NETWORK_BYTES_TOTAL, &labels, (sent + received) / seconds);
            }
            if !adapter.in_total {
                continue;
            }
            first_bytes = std::array::from_fn(|i| first_bytes[i] + totals[i]);
            if let Some(increases) = increases {
                has_increase = true;
                sums = std::array::from_fn(|i| sums[i] + increases[i]);
            }
        }
        let bytes = match self.bytes {
            None => first_bytes,
            Some(before) => std::array::from_fn(|i| before[i] + sums[i]),
        };
        self.bytes = Some(bytes);
        if let Some(seconds) = seconds.filter(|_| has_increase) {
            out.push(&NETWORK_BYTES_TOTAL, &[], (sums[0] + sums[1]) / seconds);
        }
        out.push(&NETWORK_BYTES_SENT, &[], bytes[0]);
        out.push(&NETWORK_BYTES_RECV, &[], bytes[1]);
        Ok(())
    }
}

fn push_adapter(adapter: &Adapter, out: &mut dyn Sink) {
    let labels = [adapter.name.as_str()];
    for (desc, value) in [
        (&NETWORK_BYTES_SENT, Some(adapter.sent_bytes)),
        (&NETWORK_BYTES_RECV, Some(adapter.received_bytes)),
        (&RECEIVE_BYTES, Some(adapter.received_bytes)),
        (&TRANSMIT_BYTES, Some(adapter.sent_bytes)),
        (&RECEIVE_PACKETS, Some(adapter.received_packets)),
        (&TRANSMIT_PACKETS, Some(adapter.sent_packets)),
        (&RECEIVE_ERRORS, Some(adapter.receive_errors)),
        (&TRANSMIT_ERRORS, Some(adapter.send_errors)),
        (&RECEIVE_DROPPED, Some(adapter.receive_dropped)),
        (&TRANSMIT_DROPPED, Some(adapter.send_dropped)),
        (&RECEIVE_MULTICAST, adapter.received_multicast),
        (&RECEIVE_FIFO_ERRORS, adapter.receive_fifo_errors),
        (&RECEIVE_FRAME_ERRORS, adapter.receive_frame_errors),
        (&TRANSMIT_FIFO_ERRORS, adapter.send_fifo_errors),
        (&TRANSMIT_COLLISIONS, adapter.send_collisions),
        (&TRANSMIT_CARRIER_ERRORS, adapter.send_carrier_errors),
        (&RECEIVE_UNKNOWN, adapter.received_unknown),
        (&SPEED, adapter.speed_bits_per_second),
    ] {
        out.push_some(desc, &labels, value.map(|value| value as f64));
    }
}
