import { en } from '../../en'
import { instances, parts, rate, sum } from '../build'
import { combine, perInstance, type ChartSpec } from '../spec'

const sums = { how: 'sum', label: en.charts.others } as const
const slowest = { how: 'max', label: en.charts.slowestOther } as const

export const read = instances('share-read', en.charts.shareRead, 'byteRate', { query: rate('nfs_mount_read_bytes_total', 'mount'), label: 'mount', rest: sums })
export const written = instances('share-written', en.charts.shareWritten, 'byteRate', { query: rate('nfs_mount_written_bytes_total', 'mount'), label: 'mount', rest: sums })
export const calls = instances('share-calls', en.charts.shareCalls, 'countRate', { query: rate('nfs_mount_operations_total', 'mount'), label: 'mount', rest: sums })

/** With the waiting on this side. */
export const latency: ChartSpec = {
  id: 'share-latency', title: en.charts.shareLatency, unit: 'seconds', kind: 'lines', reduce: 'avg', absent: '', instance: 'mount',
  queries: { time: rate('nfs_mount_execution_seconds_total', 'mount'), calls: rate('nfs_mount_operations_total', 'mount') },
  needs: ['nfs_mount_execution_seconds_total'],
  scope: () => en.charts.perCall,
  lines(frame) {
    const counts = frame.read('calls')
    const each = frame.read('time').flatMap((time) => {
      const count = counts.find(({ labels }) => labels.mount === time.labels.mount)
      const mean = combine(time, count, (seconds, calls) => (calls === 0 ? 0 : seconds / calls))
      return mean === undefined ? [] : [mean]
    })
    return perInstance(frame, 'mount', each, 'mount', slowest)
  },
}

export const trouble = parts('share-trouble', en.charts.shareTrouble, 'countRate', [
  { name: 'again', query: sum('nfs_mount_retransmissions_total'), label: en.series.retransmitted, color: 's4' },
  { name: 'timeouts', query: sum('nfs_mount_timeouts_total'), label: en.series.timeouts, color: 's8' },
], { scope: () => en.charts.allShares })
