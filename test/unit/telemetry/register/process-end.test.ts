import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { endWithProcess } from '../../../../src/telemetry/register/process-end.ts';
import type { EndingProcess } from '../../../../src/telemetry/register/process-end.ts';
import { FakeClock } from '../../../../src/testing/fake-clock.ts';

/** A process that its own signals do not end, as init of a container. */
class Init extends EventEmitter {
  readonly pid = 1;
  readonly raised: string[] = [];

  kill(_pid: number, signal: string): true {
    this.raised.push(signal);
    if (this.listenerCount(signal) > 0) this.emit(signal);
    return true;
  }
}

class Flushes {
  count = 0;
  exits = 0;
  hang = false;

  forceFlush(): Promise<void> {
    this.count += 1;
    return this.hang ? new Promise(() => {}) : Promise.resolve();
  }

  flushOnExit(): void {
    this.exits += 1;
  }
}

interface World {
  readonly host: Init;
  readonly telemetry: Flushes;
  readonly clock: FakeClock;
}

function world(): World {
  const host = new Init();
  const telemetry = new Flushes();
  const clock = new FakeClock();
  // The fake has what `EndingProcess` names; the overloads of the real one are not needed.
  endWithProcess(telemetry, host as unknown as EndingProcess, clock);
  return { host, telemetry, clock };
}

const settle = (): Promise<void> => new Promise((done) => setImmediate(done));

describe('what happens to telemetry when the process ends', () => {
  test('raises a signal again that nobody listens to, after the flush and after it let go of the home', async () => {
    const { host, telemetry } = world();
    host.emit('SIGTERM');
    expect(host.raised).toEqual([]);
    await settle();
    expect(host.raised).toEqual(['SIGTERM']);
    expect(telemetry).toMatchObject({ count: 1, exits: 1 });
  });

  test('takes its listeners away again where the start did not get to its end', () => {
    const host = new Init();
    const remove = endWithProcess(new Flushes(), host as unknown as EndingProcess, new FakeClock());
    expect(host.eventNames()).toEqual(['SIGTERM', 'SIGINT', 'beforeExit', 'exit']);
    remove();
    expect(host.eventNames()).toEqual([]);
  });

  test('goes on where the signal does not end the process, as init of a container', async () => {
    const { host, clock } = world();
    host.emit('SIGTERM');
    await settle();
    expect(host.listenerCount('SIGTERM')).toBe(0);
    await clock.advance(1_000);
    expect(host.listenerCount('SIGTERM')).toBe(1);
    host.emit('SIGTERM');
    await settle();
    expect(host.raised).toEqual(['SIGTERM', 'SIGTERM']);
  });

  test('raises at once when a second signal comes, of either kind', () => {
    const { host, telemetry } = world();
    telemetry.hang = true;
    host.emit('SIGTERM');
    host.emit('SIGINT');
    expect(host.raised).toEqual(['SIGINT']);
    expect(telemetry.exits).toBe(1);
  });

  test('only flushes where the application listens: at once, every half second while it drains, for half a minute', async () => {
    const { host, telemetry, clock } = world();
    let heard = 0;
    host.on('SIGTERM', () => (heard += 1));
    host.emit('SIGTERM');
    expect(telemetry.count).toBe(1);
    for (let i = 0; i < 4; i += 1) {
      await settle();
      await clock.advance(500);
    }
    expect(telemetry.count).toBe(5);
    for (let i = 0; i < 100; i += 1) {
      await settle();
      await clock.advance(500);
    }
    expect(telemetry.count).toBe(61);
    host.emit('SIGTERM');
    expect(telemetry.count).toBe(62);
    expect(heard).toBe(2);
    expect(host.raised).toEqual([]);
    expect(telemetry.exits).toBe(0);
  });

  test('does not flush twice at the same time', () => {
    const { host, telemetry } = world();
    telemetry.hang = true;
    host.on('SIGTERM', () => {});
    host.emit('SIGTERM');
    host.emit('SIGTERM');
    expect(telemetry.count).toBe(1);
  });
});
