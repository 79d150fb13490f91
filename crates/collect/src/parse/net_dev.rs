//! `/proc/net/dev`: totals per network adapter.

use super::ParseError;
use super::fields::{Words, lines, set_lossy};
use crate::readings::Adapter;
use crate::rows::Rows;

const EXPECTED: &str = "sixteen numbers behind the adapter's name";

/// Reads all adapters into `adapters`; speed and `in_total` are not in this file and are reset.
///
/// # Errors
/// A line behind the two of the heading without its numbers.
pub fn parse(text: &[u8], adapters: &mut Rows<Adapter>) -> Result<(), ParseError> {
    adapters.clear();
    for line in lines(text).filter(|line| line.number > 2) {
        // Older kernels put no blank behind the colon.
        let colon = line
            .text
            .iter()
            .position(|b| *b == b':')
            .ok_or_else(|| line.error("an adapter's name and a colon"))?;
        let (name, numbers) = line.text.split_at(colon);
        let mut words = Words::of_part(line, &numbers[1..]);
        let mut values = [0_u64; 16];
        for value in &mut values {
            *value = words.number(EXPECTED)?;
        }
        fill(adapters.add(), name.trim_ascii(), &values);
    }
    Ok(())
}

fn fill(adapter: &mut Adapter, name: &[u8], values: &[u64; 16]) {
    let [
        received_bytes,
        received_packets,
        receive_errors,
        receive_dropped,
        fifo,
        frame,
        _compressed,
        multicast,
        sent_bytes,
        sent_packets,
        send_errors,
        send_dropped,
        sent_fifo,
        collisions,
        carrier,
        _sent_compressed,
    ] = *values;
    set_lossy(&mut adapter.name, name);
    adapter.received_bytes = received_bytes;
    adapter.sent_bytes = sent_bytes;
    adapter.received_packets = received_packets;
    adapter.sent_packets = sent_packets;
    adapter.receive_errors = receive_errors;
    adapter.send_errors = send_errors;
    adapter.receive_dropped = receive_dropped;
    adapter.send_dropped = send_dropped;
    adapter.received_multicast = Some(multicast);
    adapter.receive_fifo_errors = Some(fifo);
    adapter.receive_frame_errors = Some(frame);
    adapter.send_fifo_errors = Some(sent_fifo);
    adapter.send_collisions = Some(collisions);
    adapter.send_carrier_errors = Some(carrier);
    adapter.received_unknown = None;
    adapter.speed_bits_per_second = None;
    adapter.in_total = false;
}
