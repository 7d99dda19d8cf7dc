import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A request to a backend. */
export interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly authorization: string | undefined;
  readonly text: string;
}

/** What it answers: an object as JSON with 200, or something else as it is. */
export type Said = object | { readonly status: number; readonly type: string; readonly text: string };

const isRaw = (
  said: Said,
): said is { readonly status: number; readonly type: string; readonly text: string } =>
  'text' in said && 'type' in said;

/** A backend over real HTTP on loopback, gone after the test. */
export class FakeBackend {
  readonly asked: Asked[] = [];
  readonly #server: Server;

  private constructor(answer: (asked: Asked) => Said) {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', headers } = request;
        const url = new URL(request.url ?? '', 'http://localhost');
        const asked = {
          method,
          url,
          authorization: headers.authorization,
          text: Buffer.concat(chunks).toString(),
        };
        this.asked.push(asked);
        const said = answer(asked);
        const { status, type, text } = isRaw(said)
          ? said
          : { status: 200, type: 'application/json', text: JSON.stringify(said) };
        response.writeHead(status, { 'content-type': type }).end(text);
      });
    });
  }

  static async start(answer: (asked: Asked) => Said): Promise<FakeBackend> {
    const backend = new FakeBackend(answer);
    await new Promise<void>((resolve) => {
      backend.#server.listen(0, '127.0.0.1', resolve);
    });
    onTestFinished(() => backend.close());
    return backend;
  }

  /** From then on connections are refused. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  }
}

/** Where nobody listens. */
export async function freeAddress(): Promise<string> {
  const backend = await FakeBackend.start(() => ({}));
  const { url } = backend;
  await backend.close();
  return url;
}

/** Where something listens that is no HTTP server, gone after the test. */
export async function tcpAddress(talk: (socket: Socket) => void): Promise<string> {
  const sockets: Socket[] = [];
  const server = createTcpServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    talk(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

export const HTML: Said = { status: 200, type: 'text/html', text: '<!doctype html><title>Welcome</title>' };

/** Answers as the real ones do, as far as the doctor looks, for a stack in which everything arrives. */
export class FakeStack {
  readonly otlp: FakeBackend;
  readonly jaeger: FakeBackend;
  readonly prometheus: FakeBackend;
  readonly alertmanager: FakeBackend;

  private constructor(backends: Record<'otlp' | 'jaeger' | 'prometheus' | 'alertmanager', FakeBackend>) {
    this.otlp = backends.otlp;
    this.jaeger = backends.jaeger;
    this.prometheus = backends.prometheus;
    this.alertmanager = backends.alertmanager;
  }

  /** @param broken answers in the place of the right ones, by backend; `undefined` for the right one */
  static async start(
    broken: Partial<
      Record<'otlp' | 'jaeger' | 'prometheus' | 'alertmanager', (asked: Asked) => Said | undefined>
    > = {},
  ): Promise<FakeStack> {
    let metric = Number.NaN;
    let alert: { readonly labels: Readonly<Record<string, string>> } | undefined;
    const otlp = (asked: Asked): Said => {
      if (asked.url.pathname === '/v1/metrics') metric = Number(/"asDouble":([\d.]+)/.exec(asked.text)?.[1]);
      return {};
    };
    const jaeger = ({ url }: Asked): Said =>
      url.pathname === '/api/services'
        ? { data: [], total: 0 }
        : { data: [{ traceID: url.pathname.split('/').at(-1) }] };
    const prometheus = ({ url }: Asked): Said => ({
      status: 'success',
      data: PROMETHEUS[url.pathname]?.(metric),
    });
    const alertmanager = ({ method, url, text }: Asked): Said => {
      if (url.pathname === '/api/v2/status') return { versionInfo: { version: '0.34.0' } };
      if (method === 'POST') [alert] = JSON.parse(text) as [typeof alert];
      if (method === 'POST') return { status: 200, type: 'text/plain', text: '' };
      return [{ ...alert, status: { state: 'active' }, receivers: [{ name: 'null' }] }];
    };
    const right = { otlp, jaeger, prometheus, alertmanager };
    const start = (name: keyof typeof right): Promise<FakeBackend> =>
      FakeBackend.start((asked) => broken[name]?.(asked) ?? right[name](asked));
    return new FakeStack({
      otlp: await start('otlp'),
      jaeger: await start('jaeger'),
      prometheus: await start('prometheus'),
      alertmanager: await start('alertmanager'),
    });
  }

  /** The options that name its addresses. */
  get args(): readonly string[] {
    return (['otlp', 'jaeger', 'prometheus', 'alertmanager'] as const).flatMap((name) => [
      `--${name}`,
      this[name].url,
    ]);
  }
}

const PROMETHEUS: Readonly<Record<string, (metric: number) => object>> = {
  '/api/v1/status/buildinfo': () => ({ version: '3.14.0' }),
  '/api/v1/query': (metric) => ({
    resultType: 'vector',
    result: [{ metric: {}, value: [0, String(metric)] }],
  }),
  '/api/v1/rules': () => ({ groups: [{ rules: [{ name: 'Up', health: 'ok' }] }] }),
  '/api/v1/alertmanagers': () => ({ activeAlertmanagers: [{ url: 'http://a' }] }),
};
