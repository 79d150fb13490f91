import { en } from '../../en'
import type { Unit } from '../../lib/format'
import { gauge, instances } from '../build'
import { map, perInstance, type ChartSpec, type Column } from '../spec'

const hottest = { how: 'max', label: en.charts.hottestOther } as const
const sums = { how: 'sum', label: en.charts.others } as const

export const gpu = instances('gpu', en.charts.gpu, 'percent', { query: gauge('gpu_busy_percent'), label: 'gpu', rest: { how: 'max', label: en.charts.busiestOther } }, { top: () => 100 })
export const gpuMemory = instances('gpu-memory', en.charts.gpuMemory, 'bytes', { query: gauge('gpu_memory_used_bytes'), label: 'gpu', rest: sums })

/** Kelvin as degrees Celsius: a temperature's scale does not begin at zero. */
export const zones: ChartSpec = {
  ...instances('temperature', en.charts.zones, 'celsius', { query: gauge('thermal_zone_kelvin'), label: 'zone', rest: hottest }),
  lines: (frame) => perInstance(frame, 'zone', frame.read('all').map((column) => map(column, (kelvin) => kelvin - 273.15)), 'zone', hottest),
}

/** Many chips call a sensor alike: it is told with its chip. */
const ofChip = ({ labels, values }: Column): Column => ({ labels: { ...labels, sensor: `${labels.chip ?? ''} ${labels.sensor ?? ''}`.trim() }, values })

function sensors(id: string, title: string, unit: Unit, metric: string, rest: { how: 'sum' | 'max'; label: string }): ChartSpec {
  return {
    id, title, unit, kind: 'lines', reduce: 'max', absent: '', queries: { all: gauge(metric) }, needs: [metric],
    lines: (frame) => perInstance(frame, 'sensor', frame.read('all').map(ofChip), 'sensor', rest),
  }
}

export const temperatures = sensors('sensor-temperature', en.charts.temperatures, 'celsius', 'hwmon_temperature_celsius', hottest)
export const fans = sensors('sensor-fans', en.charts.fans, 'rpm', 'hwmon_fan_rpm', { how: 'max', label: en.charts.fastestOther })
export const power = sensors('sensor-power', en.charts.power, 'watts', 'hwmon_power_watts', sums)
