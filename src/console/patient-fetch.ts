/** A request that waits for its answer as long as the peer lives: binding a large source takes longer than the five minutes after which `fetch` gives up. */
import { request } from 'node:http';

interface Asked {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Blob | string;
}

/** As `fetch` over HTTP on this machine; rejects where the connection ends without an answer. */
export async function patientFetch(url: string, { method, headers, body = '' }: Asked): Promise<Response> {
  const bytes = typeof body === 'string' ? Buffer.from(body) : Buffer.from(await body.arrayBuffer());
  return await new Promise((resolve, reject) => {
    const asked = request(url, { method, headers: { ...headers, 'content-length': String(bytes.length) } }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('error', reject);
      answer.once('end', () => resolve(new Response(Buffer.concat(chunks), { status: answer.statusCode ?? 500 })));
    });
    asked.once('error', reject);
    asked.end(bytes);
  });
}
