import type { PanelType } from './data/dashboards'

/** The texts of dashboards. */
export const enDashboards = {
  choose: 'Dashboard', failed: 'The dashboards could not be read', gone: (name: string) => `There is no dashboard ${name}`, none: 'No dashboards yet', noneHint: 'A dashboard is a page of panels of your own. Begin one, or bring one along from Grafana.',
  add: 'New dashboard', import: 'Import from Grafana', edit: 'Edit', save: 'Save', saving: 'Saving …', discard: 'Discard changes', text: 'As text', addPanel: 'Add a panel', empty: 'No panels yet', emptyHint: 'Edit the dashboard and add the first one.',
  name: 'Name', nameHint: 'Part of its address', title: 'Title', create: 'Create', cancel: 'Cancel', exists: (name: string) => `There is a dashboard ${name} already.`, conflict: 'Somebody else has changed this dashboard meanwhile. Open it as text to bring both together, or discard your changes.',
  leave: 'The changes of this dashboard are not saved. Leave it?', noSeries: 'Nothing answers this query in this range.', series: 'Series', value: 'Value', more: (count: number) => `${count} more`,
  importText: 'The JSON of a dashboard, as Grafana exports it', importFile: 'From a file', importDo: 'Import', missed: 'What was not understood', missedNone: 'Everything was understood.', imported: (panels: number) => (panels === 1 ? '1 panel' : `${panels} panels`),
  panel: {
    of: (title: string) => (title === '' ? 'panel' : title), left: (title: string) => `Move ${title} earlier`, right: (title: string) => `Move ${title} later`, narrower: (title: string) => `Make ${title} narrower`, wider: (title: string) => `Make ${title} wider`, lower: (title: string) => `Make ${title} lower`,
    higher: (title: string) => `Make ${title} higher`, change: (title: string) => `Change ${title}`, remove: (title: string) => `Remove ${title}`, dialog: 'Panel', type: 'Shows', queries: 'Queries, one on each line, in PromQL or as counter paths', unit: 'Unit', warning: 'Warning from', critical: 'Critical from',
    limitsHint: 'A warning above the critical value: low values are bad.', words: 'Text', apply: 'Apply', unnamed: 'Panel',
    types: { chart: 'a chart', number: 'a number', table: 'a table', status: 'states', text: 'a text' } satisfies Record<PanelType, string>,
    units: { '': 'as the metric says', count: 'a number', percent: 'percent', bytes: 'bytes', byteRate: 'bytes per second', bitRate: 'bits per second', countRate: 'per second', seconds: 'seconds', hertz: 'hertz', celsius: 'degrees Celsius', rpm: 'revolutions per minute', watts: 'watts' } as Record<string, string>,
  },
  levels: { ok: 'ok', warning: 'warning', critical: 'critical', none: 'no value' },
} as const
