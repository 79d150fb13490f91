/** The texts of the configuration page. */
export const enConfiguration = {
  list: 'Documents', failed: 'The documents could not be read', add: (kind: string) => `New: ${kind}`, none: 'none yet', filter: 'Filter by name',
  intro: 'Choose a document, or begin a new one.', introHint: 'Who is told, when and how; rules, silences and maintenance. Each document is a text that is checked as you type, and every version of it is kept.',
  kinds: {
    channels: 'Channels', people: 'People', policies: 'Escalation policies', rotas: 'On-call rotas', routes: 'Routes', rules: 'Rules', scrapes: 'Scraped exporters', silences: 'Silences', watch: 'Watched names', windows: 'Maintenance windows', dashboards: 'Dashboards',
  } as Record<string, string>,
  name: 'Name', nameHint: 'What others call it by', text: (name: string) => `Text of ${name}`, formOf: (name: string) => `Form of ${name}`, version: (version: number, author: string, time: string) => `version ${version}, by ${author}, ${time}`,
  by: 'Your name', note: 'Why', noteHint: 'Stands in the history', save: 'Save', saving: 'Saving …', remove: 'Delete', removeAsk: (name: string) => `Delete ${name}? Its versions stay, and can be brought back.`, keep: 'Keep it', revert: 'Undo my changes',
  saved: (version: number) => `Saved as version ${version}.`, unchanged: 'Nothing was changed.', removed: 'Deleted.', checking: 'Checking …', good: 'No mistakes.', problems: (count: number) => (count === 1 ? '1 mistake' : `${count} mistakes`), warnings: 'To be known',
  at: (line: number | null, place: string) => (line === null ? place : place === '' ? `line ${line}` : `line ${line}, ${place}`),
  conflict: 'Somebody else has changed it since it was read here.', take: 'Read theirs, and lose mine', overwrite: 'Write mine over theirs',
  history: 'History', edit: 'Edit', tabs: 'Views of the document', gone: (version: number) => `Deleted (version ${version})`, compare: 'What it changed', back: 'Bring this version back', broughtBack: (version: number) => `Brought back as version ${version}.`,
  first: 'The first version.', noDiff: 'The same text.', leave: 'The changes of this document are not saved. Leave it?', taken: (name: string) => `There is a document ${name} already.`, unnamed: 'It needs a name.',
} as const
