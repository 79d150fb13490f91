import { en } from '../../en'
import { instances, parts, rate, sum } from '../build'
import { line, map, single, type ChartSpec } from '../spec'

const bits = (bytes: number) => bytes * 8

export const network: ChartSpec = {
  id: 'network', title: en.charts.network, unit: 'bitRate', kind: 'lines', reduce: 'max',
  queries: { received: { ...rate('network_bytes_recv'), match: { adapter: '' } }, sent: { ...rate('network_bytes_sent'), match: { adapter: '' } } },
  needs: ['network_bytes_recv', 'network_bytes_sent'], absent: en.absent.network,
  scope: () => en.charts.allAdapters,
  usual: { query: { ...rate('network_bytes_recv'), match: { adapter: '' } }, label: en.series.received, at: bits },
  lines: (frame) =>
    ([['received', 's1'], ['sent', 's2']] as const).flatMap(([name, color]) => {
      const column = single(frame.read(name))
      return column === undefined ? [] : line(map(column, bits), name, en.series[name], color)
    }),
}

export const errors: ChartSpec = {
  id: 'network-errors', title: en.charts.errors, unit: 'countRate', kind: 'lines', reduce: 'max',
  queries: Object.fromEntries(
    ([['receiveErrors', 'network_receive_errors_total'], ['sendErrors', 'network_transmit_errors_total'], ['receiveDrops', 'network_receive_dropped_total'], ['sendDrops', 'network_transmit_dropped_total']] as const)
      .map(([name, metric]) => [name, { metric, rate: true, by: [] }]),
  ),
  needs: ['network_receive_errors_total', 'network_receive_dropped_total'], absent: en.absent.errors,
  scope: () => en.charts.allAdapters,
  lines: (frame) =>
    ([['receiveErrors', 's3'], ['sendErrors', 's6'], ['receiveDrops', 's4'], ['sendDrops', 's8']] as const).flatMap(([name, color]) =>
      line(single(frame.read(name)), name, en.series[name], color),
    ),
}

function perAdapter(id: string, title: string, metric: string): ChartSpec {
  const rest = { how: 'sum', label: en.charts.others } as const
  return instances(id, title, 'bitRate', { query: rate(metric, 'adapter'), label: 'adapter', rest, factor: 8 }, { absent: en.absent.adapters })
}

export const received = perAdapter('received', en.charts.received, 'network_receive_bytes_total')
export const sent = perAdapter('sent', en.charts.sent, 'network_transmit_bytes_total')

const names = en.series

export const packets = parts('packets', en.charts.packets, 'countRate', [
  { name: 'received', query: sum('network_receive_packets_total'), label: names.received, color: 's1' },
  { name: 'sent', query: sum('network_transmit_packets_total'), label: names.sent, color: 's2' },
  { name: 'multicast', query: sum('network_receive_multicast_total'), label: names.multicast, color: 's6' },
], { scope: () => en.charts.allAdapters })

const state = (name: string) => ({ metric: 'tcp_connections', match: { state: name } })

export const connections = parts('tcp-connections', en.charts.connections, 'count', [
  { name: 'established', query: state('established'), label: names.established, color: 's1', usual: true },
  { name: 'timeWait', query: state('time_wait'), label: names.timeWait, color: 's5' },
  { name: 'closeWait', query: state('close_wait'), label: names.closeWait, color: 's4' },
  { name: 'synSent', query: state('syn_sent'), label: names.synSent, color: 's3' },
  { name: 'listen', query: state('listen'), label: names.listen, color: 's2' },
])

export const opens = parts('tcp-opens', en.charts.opens, 'countRate', [
  { name: 'active', query: sum('tcp_connection_active_opens_total'), label: names.opened, color: 's1' },
  { name: 'passive', query: sum('tcp_connection_passive_opens_total'), label: names.accepted, color: 's2' },
  { name: 'failures', query: sum('tcp_connection_failures_total'), label: names.failed, color: 's3' },
  { name: 'resets', query: sum('tcp_connection_resets_total'), label: names.reset, color: 's8' },
])

export const segments = parts('tcp-segments', en.charts.segments, 'countRate', [
  { name: 'received', query: sum('tcp_segments_received_total'), label: names.received, color: 's1' },
  { name: 'sent', query: sum('tcp_segments_sent_total'), label: names.sent, color: 's2' },
])

export const trouble = parts('tcp-trouble', en.charts.tcpTrouble, 'countRate', [
  { name: 'again', query: sum('tcp_segments_retransmitted_total'), label: names.retransmitted, color: 's4' },
  { name: 'errors', query: sum('tcp_segment_errors_total'), label: names.damaged, color: 's3' },
  { name: 'overflows', query: sum('tcp_listen_overflows_total'), label: names.overflows, color: 's8' },
  { name: 'timeouts', query: sum('tcp_timeouts_total'), label: names.timeouts, color: 's6' },
])

export const udp = parts('udp', en.charts.udp, 'countRate', [
  { name: 'received', query: sum('udp_datagrams_received_total'), label: names.received, color: 's1' },
  { name: 'sent', query: sum('udp_datagrams_sent_total'), label: names.sent, color: 's2' },
  { name: 'noPort', query: sum('udp_datagrams_no_port_total'), label: names.noPort, color: 's4' },
  { name: 'errors', query: sum('udp_datagram_errors_total'), label: names.undelivered, color: 's3' },
])

