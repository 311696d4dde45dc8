/** pino behind the `Logger` interface. Lines are JSON; secrets have no way in: only plain fields are logged. */
import pino from 'pino';
import type { LogFields, Logger } from '../common/index.ts';

function wrap(log: pino.Logger): Logger {
  return {
    debug: (message, fields) => log.debug(fields ?? {}, message),
    info: (message, fields) => log.info(fields ?? {}, message),
    warn: (message, fields) => log.warn(fields ?? {}, message),
    error: (message, fields) => log.error(fields ?? {}, message),
    child: (fields: LogFields) => wrap(log.child(fields)),
  };
}

/** Levels of detail, least first. */
export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** A logger that writes JSON lines to standard error. */
export function createLogger(level: LogLevel, name: string): Logger {
  return wrap(pino({ level, base: { name }, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ dest: 2, sync: false })));
}
