import { en } from '../en'
import * as disks from './catalogue/disks'
import * as hardware from './catalogue/hardware'
import * as network from './catalogue/network'
import * as processor from './catalogue/processor'
import * as shares from './catalogue/shares'
import * as system from './catalogue/system'
import type { ChartSpec } from './spec'

export interface Section {
  id: string
  title: string
  charts: readonly ChartSpec[]
  /** Starts closed: what is looked at when something is wrong. */
  closed?: boolean
}

/** What a moment is chosen on, beside the processes. */
export const MOMENT_CHARTS: readonly ChartSpec[] = [processor.cpu, processor.memory]

export const DISK_CHARTS: readonly ChartSpec[] = [
  disks.throughput, disks.operations, disks.busy, disks.latency, disks.readPerDisk, disks.writtenPerDisk, disks.queue, disks.readPerVolume, disks.writtenPerVolume,
]

export const NETWORK_CHARTS: readonly ChartSpec[] = [network.network, network.errors, network.received, network.sent, network.packets]

export const CONNECTION_CHARTS: readonly ChartSpec[] = [network.connections, network.opens, network.segments, network.trouble, network.udp]

export const OWN_CHARTS: readonly ChartSpec[] = [system.ownCpu, system.ownMemory]

/** The host page, top to bottom. To add a chart, describe it in `catalogue/` and name it here. */
export const SECTIONS: readonly Section[] = [
  { id: 'processor', title: en.sections.processor, charts: [processor.cpu, processor.memory, processor.load, processor.pressure, processor.cores] },
  { id: 'disks', title: en.sections.disks, charts: DISK_CHARTS },
  { id: 'shares', title: en.sections.shares, charts: [shares.read, shares.written, shares.calls, shares.latency, shares.trouble] },
  { id: 'network', title: en.sections.network, charts: NETWORK_CHARTS },
  { id: 'watched', title: en.sections.watched, charts: [system.watchedCpu, system.watchedMemory, system.watchedIo, system.watchedCount] },
  { id: 'connections', title: en.sections.connections, charts: CONNECTION_CHARTS },
  { id: 'memory', title: en.sections.memory, charts: [processor.memoryUse, processor.commit, processor.faults, processor.swapping, processor.pageFiles] },
  { id: 'kernel', title: en.sections.kernel, charts: [system.processes, system.switches, system.forks, processor.interrupts, system.services] },
  { id: 'hardware', title: en.sections.hardware, charts: [processor.frequency, hardware.zones, hardware.temperatures, hardware.fans, hardware.power, hardware.gpu, hardware.gpuMemory] },
  { id: 'own', title: en.sections.own, charts: OWN_CHARTS },
]
