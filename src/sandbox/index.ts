/**
 * sandbox: a child process behind walls.
 *
 * Owns how children start (empty environment, own empty folder, heap limit), the framed messages to and from them, timeouts, kill, and the report
 * of which walls stand on this machine. It is the only room that knows `node:child_process`.
 * Does not own: what a child computes. A child's main module calls `serveParent` with its handlers; its room calls `startChild` and `request`.
 * Main path: `child.ts` (parent) and `child-side.ts` (child); `program.ts` for foreign programs.
 */
export { type Child, type ChildAnswer, type ChildOptions, type SandboxParts, startChild } from './child.ts';
export { type Handler, serveParent } from './child-side.ts';
export type { Exit } from './process.ts';
export { type Program, type ProgramOptions, startProgram } from './program.ts';
export { type Wall, walls } from './walls.ts';
