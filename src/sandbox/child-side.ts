/**
 * The child's end: answers the parent's requests over file descriptor 3. Standard output stays free, so that
 * a native library that prints cannot break a message. The child ends when its parent's end of the pipe closes,
 * and takes its own working folder along.
 */
import { realpathSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { type CarriedError, carryError, sandboxErrors } from './errors.ts';
import { type Frame, FrameReader, frameHead } from './frames.ts';

/** Answers one kind of request; what it throws reaches the parent, SwarmErrors with their code. */
export type Handler = (header: unknown, body: Uint8Array) => Promise<{ readonly header?: unknown; readonly body?: Uint8Array }>;

/** A request as it travels. */
interface RequestHeader {
  readonly id: number;
  readonly kind: string;
  readonly header: unknown;
}

/** An answer as it travels; id 0 says that the child is ready. */
export type AnswerHeader = { readonly id: number; readonly header: unknown } | { readonly id: number; readonly error: CarriedError };

const parentDescriptor = 3;

async function answer(
  handlers: Readonly<Record<string, Handler>>,
  request: RequestHeader,
  body: Uint8Array,
): Promise<{ header: AnswerHeader; body: Uint8Array }> {
  try {
    const handler = Object.hasOwn(handlers, request.kind) ? handlers[request.kind] : undefined;
    if (handler === undefined) throw sandboxErrors.SANDBOX_UNKNOWN_KIND({ kind: request.kind });
    const result = await handler(request.header, body);
    return { header: { id: request.id, header: result.header ?? null }, body: result.body ?? new Uint8Array(0) };
  } catch (error) {
    return { header: { id: request.id, error: carryError(error, request.kind) }, body: new Uint8Array(0) };
  }
}

function send(socket: Socket, header: AnswerHeader, body: Uint8Array): void {
  const head = frameHead(header, body.length);
  if (head === undefined) {
    const error = carryError(sandboxErrors.SANDBOX_BAD_MESSAGE({ child: 'this process', what: `an answer with a body of ${body.length} bytes` }), 'answer');
    send(socket, { id: header.id, error }, new Uint8Array(0));
    return;
  }
  socket.write(head);
  if (body.length > 0) socket.write(body);
}

/** Ends with the parent, which can no longer remove the folder that it made for this process; only one that it did make is touched. */
function leave(): void {
  try {
    const { HOME: home, TMPDIR: folder } = process.env;
    if (folder !== undefined && folder === home && realpathSync(folder) === process.cwd()) rmSync(folder, { recursive: true, force: true });
  } finally {
    process.exit(0);
  }
}

/** Serves the parent's requests with `handlers` until the parent goes away; requests that overlap are answered as they finish. */
export function serveParent(handlers: Readonly<Record<string, Handler>>): void {
  const socket = new Socket({ fd: parentDescriptor });
  const reader = new FrameReader();
  const take = (frame: Frame): void => {
    // The parent is trusted by its child: it started it.
    const request = frame.header as RequestHeader;
    void answer(handlers, request, frame.body).then((done) => send(socket, done.header, done.body));
  };
  socket.on('data', (chunk: Uint8Array) => {
    const { frames, fault } = reader.push(chunk);
    frames.forEach(take);
    if (fault !== undefined) process.exit(1);
  });
  for (const gone of ['end', 'error', 'close']) socket.on(gone, leave);
  send(socket, { id: 0, header: null }, new Uint8Array(0));
}
