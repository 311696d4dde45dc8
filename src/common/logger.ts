/** Logging behind an interface: rooms are given a `Logger`; only `peer` knows that it is pino. */

/** Values of one log line. Never parameters, rows, keys or shares. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** A fixed message with variables as fields. `info` is for rare states of the node, `debug` for each message. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to each line. */
  child(fields: LogFields): Logger;
}

/** Says nothing: for tests and pure callers. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};
