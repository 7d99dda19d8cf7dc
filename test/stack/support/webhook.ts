import { createServer, type Server } from 'node:http';

/** An alert as Alertmanager tells of it. */
export interface NotifiedAlert {
  readonly status: 'firing' | 'resolved';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** One alert of one notification, with when and where it arrived. */
export interface Notice extends NotifiedAlert {
  readonly at: number;
  /** Path of the webhook: `/alerts` or `/watchdog`. */
  readonly path: string;
  readonly receiver: string;
}

/** What operators would have in the place of this: somebody who gets the notifications. */
export class Webhook {
  readonly notices: Notice[] = [];
  /** The alert whose notifications are answered with an error. */
  refused: string | undefined;
  readonly #server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as {
        readonly receiver: string;
        readonly alerts: readonly NotifiedAlert[];
      };
      for (const { status, labels, annotations } of body.alerts) {
        this.notices.push({
          at: Date.now(),
          path: request.url ?? '',
          receiver: body.receiver,
          status,
          labels,
          annotations,
        });
      }
      // So that something fails to be told, once; Alertmanager does not repeat what a receiver calls wrong.
      response
        .writeHead(body.alerts.some(({ labels }) => labels['alertname'] === this.refused) ? 400 : 200)
        .end();
    });
  });

  /**
   * @param host the address to listen on
   * @returns the URL at which this machine reaches it
   */
  async listen(host = '127.0.0.1'): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, host, resolve));
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('Expected a port, got none.');
    return `http://127.0.0.1:${address.port}`;
  }

  /** @returns the first notice of an alert that has these labels, from a moment on */
  find(status: Notice['status'], labels: Readonly<Record<string, string>>, sinceMs = 0): Notice | undefined {
    return this.notices.find(
      (notice) =>
        notice.at >= sinceMs &&
        notice.status === status &&
        Object.entries(labels).every(([name, value]) => notice.labels[name] === value),
    );
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
