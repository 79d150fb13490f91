import type { Component } from 'svelte'
import type { Monitor } from '../../../data/monitor.svelte'
import { enTrial } from '../../../en-trial'
import type { FormModel } from '../form/model.svelte'
import ChannelTrial from './ChannelTrial.svelte'
import HiddenTrial from './HiddenTrial.svelte'
import PagerTrial from './PagerTrial.svelte'
import PolicyTrial from './PolicyTrial.svelte'
import RotaTrial from './RotaTrial.svelte'
import RouteTrial from './RouteTrial.svelte'
import RuleTrial from './RuleTrial.svelte'
import ScrapeTrial from './ScrapeTrial.svelte'
import WatchTrial from './WatchTrial.svelte'

export interface TrialProps {
  form: FormModel
  kind: string
  name: string
  /** The server has what the form shows. */
  saved: boolean
  monitor: Monitor
}

/** What can be tried of a kind before it counts. */
export const TRIALS: Readonly<Record<string, { title: string; component: Component<TrialProps> }>> = {
  channels: { title: enTrial.titles.channels, component: ChannelTrial },
  people: { title: enTrial.titles.people, component: PagerTrial },
  policies: { title: enTrial.titles.policies, component: PolicyTrial },
  rotas: { title: enTrial.titles.rotas, component: RotaTrial },
  routes: { title: enTrial.titles.routes, component: RouteTrial },
  rules: { title: enTrial.titles.rules, component: RuleTrial },
  scrapes: { title: enTrial.titles.scrapes, component: ScrapeTrial },
  silences: { title: enTrial.titles.silences, component: HiddenTrial },
  watch: { title: enTrial.titles.watch, component: WatchTrial },
  windows: { title: enTrial.titles.windows, component: HiddenTrial },
}
