/** The peer's HTTP API, version 1: every command and the page use it, and nothing else. OpenAPI 3.1 at /v1/openapi.json. */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { streamSSE } from 'hono/streaming';
import { isSwarmError, SwarmError } from '../common/index.ts';
import { checkEnrolment, type Peer } from '../peer/index.ts';
import { consoleErrors } from './errors.ts';
import { maxPackageSizeBytes } from './limits.ts';
import { factView, membersView, runView, statusView, studyDetailView, studyView } from './views.ts';

type Method = 'get' | 'post' | 'put';

const run = z.object({ run: z.coerce.number().int().min(1) });
const study = z.object({ study: z.string().regex(/^[0-9a-fA-F]{4,64}$/, '4 to 64 hexadecimal digits') });
const anything = z.looseObject({}).openapi('Document');

interface Description<P extends z.ZodObject, B extends z.ZodType> {
  readonly method: Method;
  readonly path: string;
  readonly summary: string;
  readonly params?: P;
  readonly body?: B;
}

/** One API on one peer. Who may call it is decided before (`server.ts`). */
export function createApi(peer: Peer): OpenAPIHono {
  const api = new OpenAPIHono();
  api.onError((error, context) => context.json({ error: errorDocument(error) }, statusOf(error)));

  const add = <P extends z.ZodObject, B extends z.ZodType>(
    { method, path, summary, params, body }: Description<P, B>,
    handle: (given: { readonly params: z.output<P>; readonly body: z.output<B> }) => Promise<object> | object,
  ): void => {
    const request = { ...(params ? { params } : {}), ...(body ? { body: { required: true, content: { 'application/json': { schema: body } } } } : {}) };
    const responses = { 200: { description: summary, content: { 'application/json': { schema: anything } } } };
    const route = createRoute({ method, path, summary, request, responses });
    api.openapi(
      route,
      (async (context: { req: { param(): unknown; json(): Promise<unknown> }; json(document: unknown): unknown }) => {
        const given = { params: checked(params, context.req.param()), body: checked(body, body ? await context.req.json() : {}) };
        if (method !== 'get' && !path.endsWith('/approve')) peer.approvals.log.append('console', summary, named(given.params));
        return context.json(await handle(given));
      }) as never,
      (result) => {
        if (!result.success)
          throw consoleErrors.CONSOLE_BAD_REQUEST({ problems: result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`) });
      },
    );
  };

  addPeerRoutes(peer, add);
  addDataRoutes(peer, add);
  addStudyRoutes(peer, add);
  addRunRoutes(peer, add);
  addBinaryRoutes(peer, api);
  api.doc31('/v1/openapi.json', { openapi: '3.1.0', info: { title: 'Schwarm peer', version: '1' } });
  return api;
}

/** Parameters of a path as text, for the log of actions. */
function named(params: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, String(value)]));
}

type Add = <P extends z.ZodObject, B extends z.ZodType>(
  description: Description<P, B>,
  handle: (given: { readonly params: z.output<P>; readonly body: z.output<B> }) => Promise<object> | object,
) => void;

function checked<S extends z.ZodType>(schema: S | undefined, value: unknown): z.output<S> {
  return (schema ? schema.parse(value) : {}) as z.output<S>;
}

function addPeerRoutes(peer: Peer, add: Add): void {
  const { consortium, ledger, network, signal } = peer.context;
  add({ method: 'get', path: '/v1/status', summary: 'The peer at a glance' }, () => statusView(peer));
  add({ method: 'get', path: '/v1/peers', summary: 'Connected members and what the network counted' }, () => ({
    connections: network.connections(),
    counters: network.counters(),
  }));
  add({ method: 'get', path: '/v1/members', summary: 'Members and proposals' }, () => membersView(peer));
  add({ method: 'get', path: '/v1/ledger', summary: 'Newest facts of the ledger' }, () => ({
    facts: consortium.lines().map((line) => factView(peer, line)),
    count: consortium.factCount(),
  }));
  const proposal = z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('admit'), enrolment: z.string().max(16_384) }),
    z.strictObject({ kind: z.literal('revoke'), member: z.string().max(128) }),
  ]);
  add({ method: 'post', path: '/v1/proposals', summary: 'Propose to admit or to revoke a member', body: proposal }, async ({ body }) => {
    const action = body.kind === 'admit' ? admission(body.enrolment) : { kind: 'revoke' as const, account: peer.memberNamed(body.member).account };
    return { ...(await ledger.submit({ kind: 'propose', action }, { signal })), action };
  });
  const vote = z.strictObject({ support: z.boolean() });
  add(
    {
      method: 'post',
      path: '/v1/proposals/{proposal}/votes',
      summary: 'Vote on a proposal',
      params: z.object({ proposal: z.coerce.number().int().min(1) }),
      body: vote,
    },
    ({ params, body }) => ledger.submit({ kind: 'voteProposal', proposal: params.proposal, support: body.support }, { signal }),
  );
}

function admission(text: string) {
  const { account, peerId, name } = checkEnrolment(text, 'enrolment');
  return { kind: 'admit' as const, account, peerId, name };
}

function addDataRoutes(peer: Peer, add: Add): void {
  const name = z.object({ name: z.string().min(1).max(128) });
  add({ method: 'get', path: '/v1/datasets', summary: "This member's own data sets" }, () => ({ dataSets: peer.dataSets.list() }));
  add(
    {
      method: 'put',
      path: '/v1/datasets/{name}',
      summary: 'Bind CSV and Parquet files, or what one binding file names, to a name',
      params: name,
      body: z.strictObject({ files: z.array(z.string().min(1).max(4096)).min(1).max(64) }),
    },
    ({ params, body }) => peer.dataSets.bind(params.name, body.files),
  );
  add(
    { method: 'post', path: '/v1/datasets/{name}/check', summary: 'Check a data set against a study', params: name, body: study },
    async ({ params, body }) => {
      const detail = await peer.studies.show(body.study);
      return { report: await peer.dataSets.check(params.name, detail.study) };
    },
  );
}

function addStudyRoutes(peer: Peer, add: Add): void {
  const { studies } = peer;
  add({ method: 'get', path: '/v1/studies', summary: 'Studies on the ledger' }, () => ({ studies: studies.list().map((view) => studyView(peer, view)) }));
  add({ method: 'get', path: '/v1/studies/{study}', summary: 'All that a steward needs to decide', params: study }, async ({ params }) =>
    studyDetailView(peer, await studies.show(params.study)),
  );
  add(
    {
      method: 'post',
      path: '/v1/studies/{study}/approve',
      summary: 'Approve a study with a data set of this member',
      params: study,
      body: z.strictObject({
        dataSet: z.string().max(128),
        open: z.boolean().default(false),
        person: z.strictObject({ name: z.string().max(64), secret: z.string().max(64) }).optional(),
      }),
    },
    ({ params, body }) => peer.approvals.approve(params.study, body.dataSet, body.person, { open: body.open }),
  );
  add({ method: 'post', path: '/v1/studies/{study}/decline', summary: 'Decline a study, or take an approval back', params: study }, async ({ params }) => ({
    study: await studies.decline(params.study),
  }));
}

function addRunRoutes(peer: Peer, add: Add): void {
  const { runs } = peer;
  add({ method: 'get', path: '/v1/runs', summary: 'All runs, newest last' }, () => ({ runs: runs.list().map((status) => runView(peer, status)) }));
  add({ method: 'post', path: '/v1/runs', summary: 'Start a run of a study with all members that approved it', body: study }, async ({ body }) => {
    const notice = await runs.foreseen(body.study);
    return { run: await runs.start(body.study), notice: notice ?? null };
  });
  add({ method: 'get', path: '/v1/runs/{run}', summary: 'One run', params: run }, ({ params }) => runView(peer, runs.status(runs.find(params.run))));
  add({ method: 'post', path: '/v1/runs/{run}/stop', summary: 'Stop an own run, or leave one that another started', params: run }, async ({ params }) => ({
    done: await runs.stop(params.run),
  }));
  const to = z.strictObject({ to: z.number().int().min(0) });
  add(
    { method: 'post', path: '/v1/runs/{run}/roll-back', summary: 'Start again from an earlier FINAL round of an own run', params: run, body: to },
    async ({ params, body }) => {
      await runs.rollBack(params.run, body.to);
      return { run: params.run, to: body.to };
    },
  );
  add({ method: 'post', path: '/v1/runs/{run}/reinstate', summary: 'Take part again after two strikes', params: run }, async ({ params }) => {
    await runs.reinstate(params.run);
    return { run: params.run };
  });
  add({ method: 'get', path: '/v1/runs/{run}/held', summary: 'Hashes of state and model as this member holds them', params: run }, ({ params }) =>
    runs.held(params.run),
  );
  add({ method: 'get', path: '/v1/runs/{run}/tables', summary: 'What a finished run counted', params: run }, ({ params }) => runs.counted(params.run));
  add({ method: 'get', path: '/v1/runs/{run}/report', summary: "This member's own figures on a finished run", params: run }, async ({ params }) => {
    const report = await runs.report(params.run);
    return { ...report, status: runView(peer, report.status) };
  });
}

/** Describes the routes that take or give bytes, or a stream. */
function describeBinaryRoutes({ openAPIRegistry }: OpenAPIHono): void {
  const bytes = (type: string) => ({ [type]: { schema: z.string().openapi({ format: 'binary' }) } });
  openAPIRegistry.registerPath({
    method: 'post',
    path: '/v1/studies',
    summary: 'Publish a packed study; with ?check=only it is checked and nothing else',
    request: { query: z.object({ check: z.literal('only').optional() }), body: { content: bytes('application/octet-stream') } },
    responses: { 200: { description: "The study's hash", content: { 'application/json': { schema: anything } } } },
  });
  openAPIRegistry.registerPath({
    method: 'get',
    path: '/v1/runs/{run}/model',
    summary: "The trained model as an ONNX file that takes the raw output of the study's SELECT",
    request: { params: run },
    responses: { 200: { description: 'ONNX bytes', content: bytes('application/octet-stream') } },
  });
  openAPIRegistry.registerPath({
    method: 'get',
    path: '/v1/events',
    summary: 'A snapshot of everything that the page shows, whenever something has changed (server-sent events)',
    responses: { 200: { description: 'Events named snapshot', content: bytes('text/event-stream') } },
  });
}

/** Bytes in and out, and the stream of changes. */
function addBinaryRoutes(peer: Peer, api: OpenAPIHono): void {
  describeBinaryRoutes(api);
  api.post('/v1/studies', async (context) => {
    const packed = await boundedBody(context.req.raw);
    if (context.req.query('check') !== 'only') peer.approvals.log.append('console', 'Publish a study', { bytes: String(packed.length) });
    return context.json(context.req.query('check') === 'only' ? { study: peer.studies.check(packed) } : { study: await peer.studies.publish(packed) });
  });
  api.get('/v1/runs/:run/model', async (context) => {
    const model = await peer.runs.exportModel(run.parse(context.req.param()).run);
    return context.body(new Uint8Array(model).buffer, 200, { 'content-type': 'application/octet-stream' });
  });
  api.get('/v1/events', (context) =>
    streamSSE(context, async (stream) => {
      let wake = Promise.withResolvers<void>();
      const ended = peer.onChange(() => wake.resolve());
      stream.onAbort(() => wake.resolve());
      try {
        while (!stream.aborted && !stream.closed) {
          wake = Promise.withResolvers<void>();
          await stream.writeSSE({ event: 'snapshot', data: JSON.stringify(snapshot(peer)) });
          await wake.promise;
          await stream.sleep(100);
        }
      } finally {
        ended();
      }
    }),
  );
}

/** Everything that the page shows, in one document. */
function snapshot(peer: Peer): object {
  const all = peer.runs.list();
  return {
    status: statusView(peer),
    ...membersView(peer),
    studies: peer.studies.list().map((view) => studyView(peer, view)),
    dataSets: peer.dataSets.list().map(({ name, dataVersion, files }) => ({ name, dataVersion, files: files.length })),
    runs: all.slice(-5).map((status) => runView(peer, status)),
    facts: peer.context.consortium
      .lines()
      .slice(0, 40)
      .map((line) => factView(peer, line)),
  };
}

async function boundedBody(request: Request): Promise<Uint8Array> {
  const announced = Number(request.headers.get('content-length') ?? Number.NaN);
  const tooLarge = () => consoleErrors.CONSOLE_BAD_REQUEST({ problems: [`a package has at most ${maxPackageSizeBytes} bytes and a content-length`] });
  if (!(announced <= maxPackageSizeBytes)) throw tooLarge();
  return new Uint8Array(await request.arrayBuffer());
}

/** An error as the API says it. */
export function errorDocument(error: unknown): object {
  if (isSwarmError(error)) return { code: error.code, message: error.message, remedy: error.remedy, blame: error.blame, detail: error.detail };
  if (error instanceof z.ZodError || error instanceof SyntaxError)
    return errorDocument(consoleErrors.CONSOLE_BAD_REQUEST({ problems: [error.message.slice(0, 500)] }));
  return {
    code: 'INTERNAL',
    message: error instanceof Error ? error.message : String(error),
    remedy: 'This is a defect of Schwarm: keep the log and report it.',
    blame: 'self',
  };
}

function statusOf(error: unknown): 400 | 403 | 404 | 409 | 500 | 502 {
  if (error instanceof z.ZodError || error instanceof SyntaxError) return 400;
  if (!(error instanceof SwarmError)) return 500;
  if (error.code === 'PEER_UNKNOWN') return 404;
  if (error.code === 'LEDGER_REFUSED' || error.code === 'PEER_NOT_A_MEMBER') return 403;
  if (error.blame === 'ledger' || error.blame === 'remote') return 502;
  return error.code === 'CONSOLE_BAD_REQUEST' ? 400 : 409;
}
