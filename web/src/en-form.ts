/** The texts of forms and of what is tried beside them. */
export const enForm = {
  variant: 'Kind', more: 'Add a field', begin: 'Set', leaveOut: (title: string) => `Leave out ${title}`, add: 'Add', addTo: (title: string) => `Add to ${title}`, addItem: (title: string) => `Add: ${title}`,
  item: (title: string, number: number) => `${title}, ${number}`, drop: (title: string, number: number) => `Take ${number} out of ${title}`, dropNamed: (title: string, name: string) => `Take ${name} out of ${title}`, newName: (title: string) => `New name in ${title}`, name: 'name',
  named: (title: string, number: number, name: string) => (name === '' ? `${title} ${number}` : `${title} ${number}: ${name}`), earlier: (name: string) => `Move ${name} up`, later: (name: string) => `Move ${name} down`, take: (name: string) => `Remove ${name}`,
  unset: 'not set', usual: (value: string) => `${value} (usual)`,
  secretOf: (title: string) => `Where ${title} comes from`, typed: 'Typed here', stored: (name: string) => `Secret: ${name}`, missing: (name: string) => `Secret: ${name} (not stored)`, fresh: 'Store a new secret …', secretName: 'Name of the secret', secretText: 'Secret', store: 'Store', typedHelp: 'Who reads the document or its history can read it.',
  form: 'Form', text: 'Text', broken: 'The text is not well formed', brokenHelp: 'The form comes back when it is.', loading: 'Reading the form …',
} as const
