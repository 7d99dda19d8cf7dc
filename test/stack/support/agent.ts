import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { COLLECTOR, program } from './backends.ts';
import { Child } from './child.ts';
import { isUp, until } from './poll.ts';
import type { Stack } from './stack.ts';

const START_MS = 30_000;

/** A Collector with `collector/agent.yaml`, which hands everything to the Collector of a stack; the connections between the two are counted. */
export class Agent {
  /** Connections that it has made so far. */
  connections = 0;
  /** The first byte that it sent on the last of them. */
  firstByte: number | undefined;
  readonly #stack: Stack;
  readonly #way: Server;
  readonly #env: NodeJS.ProcessEnv;
  #child: Child | undefined;

  private constructor(stack: Stack, env: NodeJS.ProcessEnv) {
    this.#stack = stack;
    this.#env = env;
    this.#way = createServer((inner) => {
      this.connections += 1;
      const outer = connect(stack.ports.otlpGrpc, '127.0.0.1');
      inner.once('data', ([byte]: Buffer) => {
        this.firstByte = byte;
      });
      inner.pipe(outer).pipe(inner);
      inner.on('error', () => outer.destroy());
      outer.on('error', () => inner.destroy());
      // A side that is closed reads nothing more: the other one would wait for that without end.
      inner.on('close', () => outer.destroySoon());
      outer.on('close', () => inner.destroySoon());
    });
  }

  /**
   * @param env its variables beside the address of the gateway
   * @returns it, once it is ready
   */
  static async start(stack: Stack, env: NodeJS.ProcessEnv): Promise<Agent> {
    const agent = new Agent(stack, env);
    agent.#way.listen(0, '127.0.0.1');
    await once(agent.#way, 'listening');
    await agent.#begin();
    return agent;
  }

  /** Where services send OTLP over HTTP. */
  get otlp(): string {
    return `http://127.0.0.1:${this.#stack.ports.agentHttp}`;
  }

  /** Ends it and starts it again, with what its queue has on disk. */
  async restart(): Promise<void> {
    await this.#child?.stop();
    await this.#begin();
  }

  async stop(): Promise<void> {
    await this.#child?.stop();
    this.#way.close();
    await once(this.#way, 'close');
  }

  async #begin(): Promise<void> {
    const { configs, folder, ports } = this.#stack;
    const address = this.#way.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const child = new Child(
      'agent',
      program(COLLECTOR),
      [`--config=${configs['collector/agent.yaml']?.path ?? ''}`],
      folder,
      { ...process.env, ...this.#env, KEELSON_GATEWAY: `127.0.0.1:${port}` },
    );
    this.#child = child;
    const ask = async () => {
      child.assertRunning();
      return isUp(`http://127.0.0.1:${ports.agentHealth}/`);
    };
    await until('the agent', ask, START_MS);
  }
}
