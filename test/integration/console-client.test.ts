/** The client of a peer's console against peers that answer, refuse, say nothing, or stop in the middle of a word. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { ApiClient } from '../../src/console/index.ts';

const patienceMs = 200;

async function clientOf(answer: RequestListener, close: AsyncDisposableStack): Promise<ApiClient> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  close.defer(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return new ApiClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'token', patienceMs);
}

test('an answer is given as it is, and an error as the peer said it', async () => {
  await using close = new AsyncDisposableStack();
  const client = await clientOf((request, response) => {
    const isThere = request.url === '/v1/runs' && request.headers.authorization === 'Bearer token';
    const body = isThere ? { runs: [] } : { error: { code: 'PEER_UNKNOWN', message: 'there is no run 7', remedy: 'Known: none.', blame: 'operator' } };
    response.writeHead(isThere ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }, close);
  expect(await client.get('/v1/runs')).toEqual({ runs: [] });
  await expect(client.get('/v1/runs/7')).rejects.toMatchObject({ code: 'PEER_UNKNOWN', message: expect.stringContaining('there is no run 7') });
});

test.for<[string, RequestListener]>([
  ['says nothing', () => undefined],
  ['stops in the middle of its answer', (_, response) => void response.writeHead(200, { 'content-type': 'application/json' }).write('{"runs": [')],
  ['breaks off', (request) => void request.socket.destroy()],
])('a peer that %s is unreachable; nobody waits for it for ever', async ([, answer]) => {
  await using close = new AsyncDisposableStack();
  const client = await clientOf(answer, close);
  await expect(client.get('/v1/runs')).rejects.toMatchObject({ code: 'CONSOLE_UNREACHABLE' });
  await expect(client.bytes('/v1/runs/1/model')).rejects.toMatchObject({ code: 'CONSOLE_UNREACHABLE' });
});

test('what is sent arrives as it is, the answer may come late, and a peer that goes away meanwhile is unreachable', async () => {
  await using close = new AsyncDisposableStack();
  const client = await clientOf(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.url === '/v1/gone') return void request.socket.destroy();
    const { method, headers } = request;
    setTimeout(() => response.end(JSON.stringify({ method, type: headers['content-type'], body: Buffer.concat(chunks).toString() })), 2 * patienceMs);
  }, close);
  expect(await client.send('PUT', '/v1/x', { a: 'ä' })).toEqual({ method: 'PUT', type: 'application/json', body: '{"a":"ä"}' });
  expect(await client.send('POST', '/v1/x', new Uint8Array([65, 66]))).toEqual({ method: 'POST', body: 'AB' });
  await expect(client.send('POST', '/v1/gone', {})).rejects.toMatchObject({ code: 'CONSOLE_UNREACHABLE' });
});
