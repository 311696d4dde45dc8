import { defineErrors } from '../common/index.ts';

export const consoleErrors = defineErrors({
  CONSOLE_PORT_IN_USE: {
    blame: 'operator',
    cause: (d: { port: number }) => `port ${d.port} on 127.0.0.1 is in use`,
    remedy: 'Stop the other process, or change `port` under [console] in config.toml; 0 takes a free one.',
  },
  CONSOLE_NOT_RUNNING: {
    blame: 'operator',
    cause: (d: { home: string }) => `no peer runs in ${d.home}`,
    remedy: 'Start it with `schwarm up`, or name its folder with --home.',
  },
  CONSOLE_UNREACHABLE: {
    blame: 'operator',
    cause: (d: { url: string; reason: string }) => `the peer at ${d.url} does not answer: ${d.reason}`,
    remedy: 'Look at the output of `schwarm up`; start the peer again if it has stopped.',
  },
  CONSOLE_BAD_REQUEST: {
    blame: 'operator',
    cause: (d: { problems: readonly string[] }) => `the request does not fit: ${d.problems.join('; ')}`,
    remedy: 'Compare it with /v1/openapi.json.',
  },
  CONSOLE_USAGE: {
    blame: 'operator',
    cause: (d: { problem: string }) => d.problem,
    remedy: 'See `schwarm --help`, or --help of the command.',
  },
});
