// For Stryker: what is said in an error is no rule of the round. Calls like `roundErrors.ROUND_…({ … })` stay as they are; whether they are reached is mutated.
const isError = (node) => node.type === 'CallExpression' && node.callee.type === 'MemberExpression' && /Errors$/.test(node.callee.object.name ?? '');

export const strykerPlugins = [
  { kind: 'Ignore', name: 'texts-of-errors', value: { shouldIgnore: ({ node }) => (isError(node) ? 'the text of an error' : undefined) } },
];
