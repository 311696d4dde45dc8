/**
 * console: what people use.
 *
 * Owns the command line, the HTTP API with its OpenAPI description, the page, and the rendering of reports. Does not own: any decision of a peer;
 * commands and page only call the API. Main path: `cli.ts` → `commands/` → `client.ts` → `server.ts` → `api.ts` → `views.ts`.
 */
export { type ChainSummary, readChain, systemClock } from '../peer/index.ts';
export { runCommandLine } from './cli.ts';
export { ApiClient } from './client.ts';
export { type ReportDocument, type ReportFigures, type ReportRow, renderReport } from './report/report.ts';
export { writeTables } from './report/tables.ts';
export type { RunDocument } from './run-document.ts';
export { plain } from './shell.ts';
