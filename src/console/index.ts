/**
 * console: what people use.
 *
 * Owns the command line, the HTTP API with its OpenAPI description, the page, and the rendering of reports. Does not own: any decision of a peer;
 * commands and page only call the API. Main path: `cli.ts` → `commands/` → `client.ts` → `server.ts` → `api.ts` → `views.ts`.
 */
export { ApiClient } from './client.ts';
export { createProgram, runCommandLine } from './cli.ts';
export { exitCodes } from './shell.ts';
