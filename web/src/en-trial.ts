const several = (count: number, one: string, many: string): string => (count === 1 ? `1 ${one}` : `${count} ${many}`)

/** The texts of what is tried before it counts. */
export const enTrial = {
  titles: { channels: 'Try it', people: 'Pager test', policies: 'Who would be told', rotas: 'Who is on call', routes: 'Where an alert goes', rules: 'On the stored history', scrapes: 'How the targets are doing', silences: 'What it hides', watch: 'What runs under these names', windows: 'What it hides' },
  testing: 'Trying …', notYet: 'As soon as there are no mistakes, it is tried here.', more: (count: number) => `and ${count} more`,
  threshold: 'Threshold', drag: 'Drag the line, or move it with the arrow keys: the rule changes with it.', noRule: 'There is no alerting rule in it.', rule: 'Rule', span: 'How far back', days: (count: number) => (count === 1 ? '24 h' : `${count} d`),
  fired: (fired: number, series: number, length: string) => (fired === 0 ? 'It would not have fired.' : `It would have fired ${several(fired, 'time', 'times')} on ${several(series, 'series', 'series')}, for ${length} in all.`),
  dropped: (count: number) => `${several(count, 'time', 'times')} it was pending only.`, now: (count: number) => (count === 0 ? 'No series meets it now.' : `${several(count, 'series meets', 'series meet')} it now.`),
  firings: 'When it would have fired', nowList: 'What meets it now', series: 'Series', from: 'From', lasted: 'For', highest: 'Highest', still: 'still at the end',
  neverOpen: 'It does not open within the next four years.', openNow: 'open now', hides: (count: number, of: number) => (of === 0 ? 'There are no alerts now.' : `It would hide ${count} of ${several(of, 'alert', 'alerts')} now.`),
  noGaps: (weeks: number) => `Somebody is on call all the time in the next ${weeks} weeks.`, gaps: (count: number, length: string, weeks: number) => `${several(count, 'gap', 'gaps')} in the next ${weeks} weeks: nobody is on call for ${length} in all.`, nobody: 'nobody', turns: 'All turns', severity: 'Of what is',
  atOnce: 'at once', after: (length: string) => `after ${length}`, fallThrough: 'when all was in vain',
  labels: 'Labels of an alert', oddLabel: (text: string) => `${text} is no label, such as severity=critical`, noPolicy: 'No policy: nobody is told', goesTo: 'It goes to', waits: (length: string) => `after waiting ${length} for more`, group: (labels: string) => (labels === '' ? 'One incident for all of them.' : `One incident for ${labels}.`), ruleFirst: 'A rule that names a policy itself goes before the routes.',
  health: { up: 'answers', down: 'does not answer', unknown: 'was not asked yet' }, noTargets: 'Nothing is scraped for it yet.', running: (count: number) => (count === 0 ? 'none runs' : count === 1 ? '1 process' : `${count} processes`), noWatched: 'No process is watched yet.',
  send: 'Send a test', look: 'Show what it would send', saveFirst: 'Save it first: what is tried is what is saved.', delivered: (text: string) => (text === '' ? 'The test was delivered.' : `The test was delivered: ${text}`), refused: (text: string) => `The test was not delivered: ${text}`,
  pager: {
    sent: (sent: string, until: string) => `Pager test of ${sent} waits for its answer until ${until}.`,
    answered: (sent: string, answered: string) => `Pager test of ${sent} was answered, ${answered}.`,
    missed: (sent: string, until: string) => `Pager test of ${sent} was not answered by ${until}.`,
    late: (sent: string, answered: string) => `Pager test of ${sent} was answered late, ${answered}.`,
  },
  pagerNever: 'The pager was never tested.', pagerNext: (next: string) => `The next test is due ${next}.`, pagerTest: 'Test the pager now',
} as const
