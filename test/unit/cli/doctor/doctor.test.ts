import type { Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { askJson, describeAnswer, remedyFor } from '../../../../src/cli/doctor/http-json.ts';
import { EXIT, Interruption } from '../../../../src/cli/frame/exit-codes.ts';
import { FakeClock } from '../../../../src/testing/index.ts';
import { runInMemory } from '../cli-harness.ts';
import type { CliRun } from '../cli-harness.ts';
import { examine, folder, named, statusesOf } from './examination.ts';
import { FakeStack, freeAddress, HTML, tcpAddress } from './fake-backend.ts';
import type { Asked, Said } from './fake-backend.ts';

const ALL_PASS = {
  node: 'pass',
  home: 'pass',
  space: expect.stringMatching(/pass|warn/),
  environment: 'pass',
  'otlp traces': 'pass',
  'otlp metrics': 'pass',
  'otlp logs': 'pass',
  jaeger: 'pass',
  'span in jaeger': 'pass',
  prometheus: 'pass',
  'metric in prometheus': 'pass',
  rules: 'pass',
  'alert delivery': 'pass',
  alertmanager: 'pass',
  'test alert': 'pass',
};

describe('keelson doctor', () => {
  test('finds nothing wrong with a stack in which everything arrives', async () => {
    const stack = await FakeStack.start();
    const { code, checks } = await examine(stack.args);
    expect({ code, checks: statusesOf(checks) }).toEqual({ code: EXIT.ok, checks: ALL_PASS });
    const ended = JSON.parse(
      stack.alertmanager.asked.findLast(({ method }) => method === 'POST')?.text ?? '',
    ) as [{ labels: object; endsAt: string }];
    expect(ended[0].labels).toMatchObject({ alertname: 'KeelsonDoctorTest', severity: 'info' });
    expect(Date.parse(ended[0].endsAt)).toBeLessThan(Date.UTC(2026, 10, 22) + 10_000);
  });

  test('tells people the same, line by line', async () => {
    const stack = await FakeStack.start({ jaeger: () => HTML });
    const { code, stdout } = await runInMemory(['doctor', '--home', join(folder(), 'x'), ...stack.args]);
    expect(code).toBe(EXIT.unwell);
    expect(stdout).toContain('ok    metric in prometheus: It arrived');
    expect(stdout).toContain(
      `FAIL  jaeger: Something else answers at ${stack.jaeger.url}/: an HTML page with HTTP 200: "Welcome".\n      Another program than Jaeger has this address: find out which (lsof -i :${new URL(stack.jaeger.url).port})`,
    );
    expect(stdout).toContain('skip  span in jaeger: Jaeger does not answer.');
    expect(stdout).toMatch(/1 check failed, \d warnings?\.\n$/);
  });

  test('leaves out what it shall leave out', async () => {
    const stack = await FakeStack.start();
    const { code, checks } = await examine([
      ...stack.args,
      '--skip',
      'jaeger',
      '--skip',
      'prometheus',
      '--skip',
      'alertmanager',
    ]);
    expect(code).toBe(EXIT.ok);
    expect(checks.filter(({ status }) => status === 'skipped').map(({ name }) => name)).toEqual([
      'jaeger',
      'prometheus',
      'alertmanager',
    ]);
    expect(stack.jaeger.asked).toEqual([]);
  });

  test('takes address and headers of OTLP from the environment, and credentials of backends from their addresses', async () => {
    const stack = await FakeStack.start();
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: stack.otlp.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20hunter2',
    };
    const prometheus = stack.prometheus.url.replace('//', '//ada:hunter2@');
    const args = [...stack.args.slice(2), '--prometheus', prometheus];
    const { code, checks } = await examine(args, { env });
    expect(code).toBe(EXIT.ok);
    expect(stack.otlp.asked[0]?.authorization).toBe('Bearer hunter2');
    expect(stack.prometheus.asked[0]?.authorization).toBe(
      `Basic ${Buffer.from('ada:hunter2').toString('base64')}`,
    );
    expect(JSON.stringify(checks)).not.toContain('hunter2');
  });

  test('that is interrupted says that not every check was made', async () => {
    const interrupt = new AbortController();
    const stack = await FakeStack.start({
      jaeger: () => {
        interrupt.abort(new Interruption('SIGINT'));
        return undefined;
      },
    });
    const run: CliRun = await runInMemory(
      ['doctor', '--json', '--home', join(folder(), 'x'), ...stack.args],
      {
        signal: interrupt.signal,
      },
    );
    expect(run.code).toBe(EXIT.interrupted);
    expect(JSON.parse(run.stdout)).toMatchObject({ complete: false, healthy: false });
  });
});

describe('the doctor says what is broken when', () => {
  test.each([
    ['jaeger', 'jaeger', 'span in jaeger'],
    ['prometheus', 'prometheus', 'metric in prometheus'],
    ['alertmanager', 'alertmanager', 'test alert'],
  ])('%s is down', async (backend, check, dependent) => {
    const stack = await FakeStack.start();
    const down = await freeAddress();
    const { code, checks } = await examine([...stack.args, `--${backend}`, down]);
    expect(code).toBe(EXIT.unwell);
    expect(named(checks, check)).toMatchObject({
      status: 'fail',
      detail: `Nobody answers at ${down}/: ECONNREFUSED.`,
      remedy: expect.stringContaining('(npx keelson stack up)') as string,
    });
    expect(named(checks, dependent).status).toBe('skipped');
  });

  const others: readonly [string, Said, RegExp, RegExp][] = [
    [
      'a web page',
      HTML,
      /an HTML page with HTTP 200: "Welcome"/,
      /Another program than \w+ has this address/,
    ],
    [
      'a 404 of another program',
      { status: 404, type: 'text/plain', text: '404 page not found token=hunter2\n' },
      /text\/plain with HTTP 404: "404 page not found token=\[redacted\]"/,
      /Another program/,
    ],
    [
      'other JSON',
      { hello: 'world' },
      /HTTP 200 with JSON of another shape: \{"hello":"world"\}/,
      /Another program/,
    ],
    ['a wish for a password', { status: 401, type: 'text/plain', text: '' }, /HTTP 401/, /user:password@127/],
    [
      'an error',
      { status: 502, type: 'text/plain', text: 'bad gateway' },
      /HTTP 502: "bad gateway"/,
      /its log/,
    ],
  ];
  test.each(
    (['jaeger', 'prometheus', 'alertmanager'] as const).flatMap((backend) =>
      others.map(([what, ...rest]) => [backend, what, ...rest] as const),
    ),
  )('in the place of %s there is %s', async (backend, _, said, detail, remedy) => {
    const stack = await FakeStack.start({ [backend]: () => said });
    const { checks } = await examine(stack.args);
    expect(named(checks, backend)).toMatchObject({
      status: 'fail',
      detail: expect.stringMatching(detail),
      remedy: expect.stringMatching(remedy),
    });
    expect(named(checks, backend).remedy).not.toContain('Start ');
  });

  const tcp: readonly [string, (socket: Socket) => void, RegExp, RegExp][] = [
    [
      'greets',
      (socket) => void socket.write('SSH-2.0-OpenSSH_9.6\r\n'),
      /Something else listens at .*: it does not speak HTTP: "SSH-2.0-OpenSSH_9.6"/,
      /did not take it: no HTTP is spoken there \(HPE_/,
    ],
    [
      'hangs up',
      (socket) => void socket.once('data', () => socket.end()),
      /it takes the connection and closes it without an answer/,
      /did not take it: ECONNRESET/,
    ],
  ];
  test.each(tcp)(
    'in the place of Jaeger and the Collector something else %s',
    async (_, talk, jaeger, otlp) => {
      const address = await tcpAddress(talk);
      const stack = await FakeStack.start();
      const { checks } = await examine([...stack.args, '--jaeger', address, '--otlp', address]);
      expect(named(checks, 'jaeger').detail).toMatch(jaeger);
      expect(named(checks, 'jaeger').remedy).toContain('Another program than Jaeger has this address');
      expect(named(checks, 'otlp traces').detail).toMatch(otlp);
    },
  );

  test('in the place of Jaeger something takes connections and says nothing', async () => {
    const { promise: taken, resolve } = Promise.withResolvers<void>();
    const base = new URL(await tcpAddress(() => resolve()));
    const clock = new FakeClock();
    const asking = askJson({ base, path: 'api' }, clock, new AbortController().signal);
    await taken;
    await clock.advance(5_000);
    const answer = await asking;
    expect(describeAnswer(answer, base)).toBe(`${base.href} gives no answer within 5 s.`);
    expect(remedyFor(answer, base, { name: 'Jaeger', option: '--jaeger' })).toMatch(
      /^A program that is not Jaeger listens there: find out which .*; Jaeger is overloaded, or a firewall/,
    );
  });

  test('OTLP is down: nothing is looked for', async () => {
    const stack = await FakeStack.start();
    const { code, checks } = await examine([...stack.args, '--otlp', await freeAddress()]);
    expect(code).toBe(EXIT.unwell);
    expect(statusesOf(checks)).toMatchObject({
      'otlp traces': 'fail',
      'span in jaeger': 'skipped',
      'metric in prometheus': 'skipped',
      'test alert': 'pass',
    });
    expect(named(checks, 'otlp traces').detail).toContain('ECONNREFUSED');
  });

  test.each<[what: string, said: Said, detail: RegExp, remedy?: RegExp]>([
    ['a web page', HTML, /HTTP 200 with a page that is no OTLP answer: "Welcome"/],
    [
      'the 404 of another program',
      { status: 404, type: 'text/plain', text: 'no such page' },
      /HTTP 404: "no such page"/,
    ],
    ['a refusal of the headers', { status: 401, type: 'text/plain', text: 'no' }, /HTTP 401/],
    [
      'a refusal of JSON',
      { status: 400, type: 'text/plain', text: 'no' },
      /refused it with HTTP 400/,
      /another form of OTLP/,
    ],
    ['a limit of size', { status: 413, type: 'text/plain', text: 'no' }, /HTTP 413/, /raise its limit/],
    ['an error of its own', { status: 500, type: 'text/plain', text: 'oops' }, /HTTP 500/, /look at its log/],
    ['overload', { status: 503, type: 'text/plain', text: 'later' }, /HTTP 503/],
    [
      'a partial success',
      { partialSuccess: { rejectedSpans: 1, errorMessage: 'too old' } },
      /refused the item: too old/,
    ],
  ])('OTLP answers with %s', async (_what, said, detail, remedy = /./) => {
    const stack = await FakeStack.start({
      otlp: ({ url }) => (url.pathname === '/v1/traces' ? said : undefined),
    });
    const { code, checks } = await examine(stack.args);
    expect(code).toBe(EXIT.unwell);
    expect(named(checks, 'otlp traces')).toMatchObject({
      status: 'fail',
      remedy: expect.stringMatching(remedy) as string,
    });
    expect(named(checks, 'otlp traces').detail).toMatch(detail);
    expect(statusesOf(checks)).toMatchObject({ 'span in jaeger': 'skipped', 'metric in prometheus': 'pass' });
  });

  test('OTLP is taken with an answer that is none of OTLP: what was sent is looked for all the same', async () => {
    const stack = await FakeStack.start({ otlp: () => ({ status: 200, type: 'text/plain', text: 'OK' }) });
    const { checks } = await examine(stack.args);
    expect(named(checks, 'otlp traces')).toMatchObject({
      status: 'warn',
      detail: expect.stringContaining(
        'none of OTLP\'s: HTTP 200 with text/plain that is no OTLP answer: "OK"',
      ),
    });
    expect(named(checks, 'span in jaeger').status).toBe('pass');
  });

  test('the span, the metric or the alert does not arrive', async () => {
    const stack = await FakeStack.start({
      jaeger: ({ url }) =>
        url.pathname.startsWith('/api/traces/') ? { data: null, errors: [{ code: 404 }] } : undefined,
      prometheus: ({ url }) =>
        url.pathname === '/api/v1/query'
          ? { status: 'success', data: { result: [{ value: [0, '1000'] }] } }
          : undefined,
      alertmanager: ({ method, url }) =>
        method === 'GET' && url.pathname === '/api/v2/alerts' ? [] : undefined,
    });
    const { code, checks } = await examine(stack.args);
    expect(code).toBe(EXIT.unwell);
    expect(named(checks, 'span in jaeger').detail).toMatch(
      /Jaeger does not have trace [0-9a-f]{32} after 3s/,
    );
    expect(named(checks, 'metric in prometheus').detail).toContain('does not have it after 3s');
    expect(named(checks, 'test alert').detail).toContain('does not show it after 3s');
  });

  test('they arrive late', async () => {
    let asked = 0;
    const stack = await FakeStack.start({
      jaeger: ({ url }) => {
        if (!url.pathname.startsWith('/api/traces/')) return undefined;
        asked += 1;
        return asked < 4 ? { data: null } : undefined;
      },
    });
    const { code, checks } = await examine(stack.args);
    expect(code).toBe(EXIT.ok);
    expect(named(checks, 'span in jaeger').detail).toMatch(/It arrived within 1\./);
  });

  test('rules are missing or broken, and when Prometheus has nobody to tell', async () => {
    const answering =
      (rules: readonly object[], managers: readonly object[]) =>
      ({ url }: Asked): Said | undefined => {
        if (url.pathname === '/api/v1/rules') return { status: 'success', data: { groups: [{ rules }] } };
        if (url.pathname !== '/api/v1/alertmanagers') return undefined;
        return { status: 'success', data: { activeAlertmanagers: managers } };
      };
    const none = await examine((await FakeStack.start({ prometheus: answering([], []) })).args);
    expect(none.code).toBe(EXIT.ok);
    expect(statusesOf(none.checks)).toMatchObject({ rules: 'warn', 'alert delivery': 'warn' });
    const broken = answering(
      [
        { name: 'A', health: 'err', lastError: 'many-to-many' },
        { name: 'B', health: 'ok' },
      ],
      [{}],
    );
    const { code, checks } = await examine((await FakeStack.start({ prometheus: broken })).args);
    expect(code).toBe(EXIT.unwell);
    expect(named(checks, 'rules').detail).toBe('1 of 2 rules cannot be evaluated: A (many-to-many).');
  });

  test('Alertmanager refuses the alert', async () => {
    const refusal = { status: 400, type: 'application/json', text: '"bad"' };
    const stack = await FakeStack.start({
      alertmanager: ({ method }) => (method === 'POST' ? refusal : undefined),
    });
    expect(named((await examine(stack.args)).checks, 'test alert').detail).toContain('It was not taken.');
  });
});
