/**
 * A program inside a network namespace. It is handed a listening socket that belongs to another one, and carries whatever comes to it on to an
 * address of its own: `node door.ts HOST PORT`. It ends with the process that started it.
 */
import { connect, type Server, type Socket } from 'node:net';

const [host = '', port = ''] = process.argv.slice(2);

function carry(near: Socket): void {
  const far = connect({ host, port: Number(port) });
  for (const [one, other] of [
    [near, far],
    [far, near],
  ] as const) {
    one.on('error', () => other.destroy());
    one.pipe(other);
  }
}

process.on('message', (_word, handed) => {
  (handed as Server).on('connection', carry);
  process.send?.('open');
});
process.once('disconnect', () => process.exit());
