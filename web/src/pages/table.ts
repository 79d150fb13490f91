import Bell from '@lucide/svelte/icons/bell'
import Blocks from '@lucide/svelte/icons/boxes'
import CalendarClock from '@lucide/svelte/icons/calendar-clock'
import ChartLine from '@lucide/svelte/icons/chart-line'
import Circuit from '@lucide/svelte/icons/circuit-board'
import HardDrive from '@lucide/svelte/icons/hard-drive'
import HeartPulse from '@lucide/svelte/icons/heart-pulse'
import Layout from '@lucide/svelte/icons/layout-dashboard'
import Grid from '@lucide/svelte/icons/layout-grid'
import List from '@lucide/svelte/icons/list-tree'
import Network from '@lucide/svelte/icons/network'
import Checks from '@lucide/svelte/icons/list-checks'
import Sliders from '@lucide/svelte/icons/sliders-horizontal'
import Server from '@lucide/svelte/icons/server'
import type { Component } from 'svelte'
import type { Monitor } from '../data/monitor.svelte'
import { en } from '../en'
import type { Pilot } from '../lib/pilot.svelte'
import type { Page } from '../lib/route'
import Host from './Host.svelte'

export type PageProps = { monitor: Monitor; pilot: Pilot }
type PageComponent = Component<PageProps>

export interface PageEntry {
  name: string
  /** Stands at the foot of a narrow screen; others are found by what is behind "More". */
  foot?: true
  icon: typeof Server
  /** Goes to the page after `g`. */
  key: string
  /** Part of the host: it has a tab there. Others have a line in the sidebar. */
  tab: boolean
  /** Shows history: it has a time range. */
  timed: boolean
  /** Comes with the first script, or when it is first wanted. */
  component: PageComponent | (() => Promise<{ default: PageComponent }>)
  lazy: boolean
}

const later = (load: () => Promise<{ default: PageComponent }>) => ({ component: load, lazy: true })

/** Every page but the one for addresses that do not exist, in the order of the tabs and of the sidebar. */
export const PAGES: Record<Page, PageEntry> = {
  overview: { name: en.nav.overview, foot: true, icon: Layout, key: 'o', tab: false, timed: false, ...later(() => import('./Overview.svelte')) },
  host: { name: en.nav.host, foot: true, icon: Server, key: 'h', tab: true, timed: true, component: Host, lazy: false },
  processes: { name: en.nav.processes, icon: List, key: 'p', tab: true, timed: true, ...later(() => import('./Processes.svelte')) },
  services: { name: en.nav.services, icon: Blocks, key: 'v', tab: true, timed: false, ...later(() => import('./Services.svelte')) },
  disks: { name: en.nav.disks, icon: HardDrive, key: 'd', tab: true, timed: true, ...later(() => import('./Disks.svelte')) },
  network: { name: en.nav.network, icon: Network, key: 'n', tab: true, timed: true, ...later(() => import('./Network.svelte')) },
  events: { name: en.nav.events, icon: CalendarClock, key: 'l', tab: true, timed: true, ...later(() => import('./Events.svelte')) },
  inventory: { name: en.nav.inventory, icon: Circuit, key: 'i', tab: true, timed: false, ...later(() => import('./Inventory.svelte')) },
  alerts: { name: en.nav.alerts, foot: true, icon: Bell, key: 'a', tab: false, timed: false, ...later(() => import('./Alerts.svelte')) },
  rules: { name: en.nav.rules, icon: Checks, key: 'u', tab: false, timed: false, ...later(() => import('./Rules.svelte')) },
  configuration: { name: en.nav.configuration, icon: Sliders, key: 'c', tab: false, timed: false, ...later(() => import('./Configuration.svelte')) },
  explore: { name: en.nav.explore, foot: true, icon: ChartLine, key: 'e', tab: false, timed: true, ...later(() => import('./Explore.svelte')) },
  dashboards: { name: en.nav.dashboards, icon: Grid, key: 'b', tab: false, timed: true, ...later(() => import('./Dashboards.svelte')) },
  status: { name: en.nav.status, icon: HeartPulse, key: 's', tab: false, timed: true, ...later(() => import('./Status.svelte')) },
}

export const PAGE_NAMES = Object.keys(PAGES) as Page[]
