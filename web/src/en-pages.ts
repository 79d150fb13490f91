import { duration } from './lib/format'

/** The texts of pages that come when they are first opened. */
export const enPages = {
  keys: {
    title: 'Keyboard',
    enabled: 'Single-key shortcuts',
    groups: {
      time: 'Time', view: 'View', charts: 'Charts',
    },
    rows: {
      earlier: 'Earlier, later', pan: 'Earlier, later by a quarter; or drag with Shift', compare: 'Compare with the week before', usual: 'Show or hide what is usual', zoom: 'Zoom in, out', back: 'Back to the view before the zoom', live: 'Go live', pause: 'Pause and resume', range: 'Type a range',
      next: 'Next, previous chart', move: 'Move the pin in the focused chart', ends: 'First, last moment', pin: 'Pin the moment under the pointer, or the newest', unpin: 'Unpin',
      theme: 'Next theme', copy: 'Copy link', help: 'This list', go: 'Go to overview, host, processes, services, events, alerts, rules, configuration, explore, dashboards, system health', filter: 'Filter the table', palette: 'Search pages, ranges, metrics, actions',
    },
  },

  inventory: {
    computer: 'Computer', system: 'Operating system', processors: 'Processors', modules: 'Memory modules', disks: 'Physical disks', adapters: 'Network adapters', nothing: 'The system tells of none.',
    missing: 'What the system does not tell', failed: 'The inventory could not be read', rotational: 'rotating', solid: 'solid state', up: 'up', down: 'down',
    facts: {
      name: 'Name', domain: 'Domain', manufacturer: 'Manufacturer', model: 'Model', serial: 'Serial number', memory: 'Memory', virtualisation: 'Virtualisation', none: 'none', system: 'System',
      version: 'Version', architecture: 'Architecture', installed: 'Installed', booted: 'Started', recorded: 'Recorded since',
    },
    columns: {
      socket: 'Socket', model: 'Model', cores: 'Cores', logical: 'Threads', frequency: 'Now', frequencyMax: 'At most', slot: 'Slot', size: 'Size', kind: 'Kind', transfers: 'Transfers/s',
      manufacturer: 'Manufacturer', part: 'Part', serial: 'Serial number', disk: 'Disk', removable: 'Removable', adapter: 'Adapter', state: 'State', speed: 'Speed', addresses: 'Addresses', mac: 'MAC',
      description: 'Description',
    },
  },

  disks: { none: 'No disks', noneHint: 'This host tells nothing about its disks.' },

  network: {
    listening: 'Ports where programs listen', states: 'TCP connections by state', nobody: 'Nobody listens.', failed: (message: string) => `The connections could not be read: ${message}.`,
    partly: 'There are more listening ports than are listed.', rights: 'Which program listens on a port is not told to Barograph for lack of rights.',
    columns: { port: 'Port', protocol: 'Protocol', process: 'Process', pid: 'PID', connections: 'Open', addresses: 'Addresses' },
    talkers: 'Top talkers', talkersBy: { process: 'Top processes, TCP', address: 'Top remote addresses, TCP' }, noTalkers: 'No TCP connection is open.', noBytes: (why: string) => `Bytes are not shown: ${why}.`,
    talkersFailed: (message: string) => `Who exchanges how much could not be read: ${message}.`, unknownProcess: 'not told for lack of rights',
    talkerColumns: { process: 'Process', pid: 'PID', address: 'Address', connections: 'Open', received: 'Received', sent: 'Sent' },
    tcpStates: {
      established: 'Established', listen: 'Listening', time_wait: 'Time wait', close_wait: 'Close wait', syn_sent: 'Connecting', syn_received: 'Being connected', fin_wait_1: 'Fin wait 1', fin_wait_2: 'Fin wait 2',
      last_ack: 'Last ack', closing: 'Closing', closed: 'Closed',
    } as Record<string, string>,
  },

  overview: {
    label: 'Hosts', counts: 'Hosts by state', filter: 'Filter by name', failed: 'The hosts could not be read', none: 'No host fits.',
    health: { silent: 'silent', critical: 'critical', warning: 'warning', ok: 'ok' },
    hosts: (shown: number, all: number) => (shown === all ? `${all === 1 ? '1 host' : `${all} hosts`}` : `${shown} of ${all} hosts`),
    ago: (ms: number) => (ms < 10_000 ? 'now' : `${duration(ms)} ago`),
    cpuHint: 'Mean of the last two minutes',
    columns: { state: 'State', host: 'Host', alerts: 'Alerts', worst: 'Highest', cpu: 'CPU', trend: 'Last hour', memory: 'Memory', disk: 'Disk', load: 'Load', network: 'Network', processes: 'Processes', uptime: 'Up for', seen: 'Last value' },
  },

  actions: {
    title: 'Actions', by: 'Your name', why: 'Why', whyHint: 'Stands in the audit log', ask: 'Do it', cancel: 'Cancel', approve: 'Approve', refuse: 'Refuse', dryRun: 'It is only said what would be done.',
    offer: (order: string) => `${order.charAt(0).toUpperCase()}${order.slice(1)} …`, question: (order: string) => `${order.charAt(0).toUpperCase()}${order.slice(1)}?`,
    approvals: (count: number) => (count === 1 ? '' : count === 2 ? 'Somebody else has to approve it.' : `${count - 1} others have to approve it.`),
    told: (time: string, people: string) => (people === '' ? time : `${time}, wanted by ${people}`),
    states: {
      proposed: 'Waits for approval', approved: 'Is about to begin', started: 'Under way', done: 'Done', helped: 'Helped', in_vain: 'Did not help', failed: 'Failed', finished: 'Done', refused: 'Refused', overtaken: 'Not done', unknown: 'Nobody knows how far it came',
    },
  },

  explore: {
    query: 'Query in PromQL, or a counter path', queryOf: (name: string) => `Query ${name}`, placeholder: 'PromQL, or a counter path such as \\Processor(_Total)\\% Processor Time', completions: 'Completions',
    aLabel: 'label', aFunction: 'function', run: 'Run', add: 'Add a query', remove: (name: string) => `Remove query ${name}`, views: 'Shown as', chart: 'Chart', tableView: 'Table',
    running: 'Asking …', told: (series: number, ms: number) => `${series} series in ${ms} ms`, step: (step: string) => `one point per ${step}`, empty: 'Ask something',
    emptyHint: 'Type a query, or choose a metric or a counter from the list. Enter runs it, Shift+Enter begins a new line, Ctrl+Space completes.', noSeries: 'No series', noSeriesHint: 'The query is valid, and nothing in this range answers it.',
    toRule: 'Make a rule of this', toRuleHint: 'A new rule with this query, tried on the stored history', toDashboardHint: 'A panel with these queries', tooLong: 'The queries are too long for an address.',
    toDashboard: { open: 'Add to a dashboard', title: 'Add to a dashboard', where: 'Dashboard', fresh: 'a new one', name: 'Its name', panelTitle: 'Title of the panel', add: 'Add', cancel: 'Cancel', exists: (name: string) => `There is a dashboard ${name} already: choose it from the list.` },
    chartOf: (query: string) => `Chart of ${query}. The table below holds the same.`, tooMany: (drawn: number, all: number) => `The ${drawn} largest of ${all} series are drawn; the table and the file have all that came.`,
    seriesLabel: 'Series', seriesColumn: 'Series', value: 'Value', last: 'Last', lowest: 'Lowest', mean: 'Mean', highest: 'Highest', atMoment: 'At the moment', browser: 'Metrics', search: 'Search by words, unit, path', kinds: 'What is listed', metrics: 'Metrics', counters: 'Counter paths',
    series: (count: number) => `${count} series`, nothingFound: 'Nothing fits.', moreFound: (count: number) => `${count} more: narrow the search.`,
  },

  status: {
    title: 'System health',
    intro: 'How Barograph itself is doing: what reads this host, and what is stored.',
    verdict: 'Verdict',
    well: 'Everything is read and stored.',
    unwell: 'Something is wrong.',
    over: { memory: 'Barograph takes more memory than limits.memory allows, and gives up caches.', handles: 'Barograph has more files open than limits.handles allows.' } as Record<string, string>,
    general: 'Readings and storage',
    collectors: 'Collectors',
    failed: (message: string) => `Could not be read: ${message}.`,
    numbers: {
      newest: 'Newest reading', series: 'Series now', connections: 'Live connections', stored: 'Samples stored', bytes: 'Size on disk', head: 'Head in memory', missed: 'Ticks missed', jumps: 'Clock jumps', refused: 'Samples refused',
      pace: 'Readings', ownCpu: 'CPU of one core', ownMemory: 'Memory', ownThreads: 'Threads', ownHandles: 'Open files', span: 'History', partitions: 'Partitions', waiting: 'Batches waiting', lost: 'Batches lost', damaged: 'Damaged pieces', version: 'Version',
    },
    columns: ['Collector', 'State', 'Every', 'Takes', 'Samples', 'Runs', 'Failures', 'Timeouts', 'Last error'],
    states: { running: 'running', absent: 'not on this system', backed_off: 'slowed down', slowed: 'read less often, over budget', stuck: 'stuck' },
    tiers: {
      title: 'History', tier: 'Tier', bytes: 'On disk', samples: 'Samples', each: 'Bytes each', growth: 'A day adds', kept: 'Kept for', budget: 'At most', full: 'Full in',
      names: { raw: 'Every reading', '1m': 'Minutes', '1h': 'Hours' } as Record<string, string>,
      bytesEach: (bytes: number) => bytes.toFixed(2), forEver: 'ever', none: 'no limit',
      free: (size: string, full: string) => `${size} free on the disk${full === '' ? '' : `, full in ${full}`}`,
    },
    failing: 'failing', onTime: 'on time', slower: (pace: number) => `every ${pace} intervals, over budget`,
  },
} as const
