import { describe, expect, test } from 'vitest';
import { defineCommand } from '../../../../src/cli/frame/command.ts';
import type { Area, Command, Run } from '../../../../src/cli/frame/command.ts';
import { EXIT, Interruption } from '../../../../src/cli/frame/exit-codes.ts';
import {
  flag,
  optional,
  repeated,
  required,
  severalArguments,
  withDefault,
} from '../../../../src/cli/frame/parameters.ts';
import type { Sink } from '../../../../src/cli/frame/ports.ts';
import { header, httpUrl, moment, rate, text, wholeNumber } from '../../../../src/cli/frame/value-types.ts';
import { KeelsonError } from '../../../../src/core/errors.ts';
import { FakeClock } from '../../../../src/testing/index.ts';
import { MemorySink, runInMemory } from '../cli-harness.ts';
import type { CliRun, HarnessOptions } from '../cli-harness.ts';

interface CarveInput {
  readonly woods: readonly string[];
  readonly to: URL;
  readonly depth: number;
  readonly since: number | undefined;
  readonly rate: { readonly amount: number; readonly unit: string } | undefined;
  readonly headers: readonly (readonly [string, string])[];
  readonly fast: boolean;
}

function shipyard(run: Run<CarveInput>): readonly (Area | Command)[] {
  const carve = defineCommand<CarveInput>({
    name: 'carve',
    summary: 'carve a keelson',
    examples: ['keelson yard carve oak --to http://localhost:1'],
    parameters: {
      woods: severalArguments('<wood...>', 'what to carve from', text),
      to: required('--to <url>', 'where it goes', httpUrl),
      depth: withDefault('--depth <n>', 'how deep', wholeNumber(1, 9), '3'),
      since: optional('--since <time>', 'not older than', moment),
      rate: optional('--rate <rate>', 'how fast', rate),
      headers: repeated('--header <name=value>', 'a header', header),
      fast: flag('--fast', 'at once'),
    },
    load: async () => run,
  });
  return [{ name: 'yard', summary: 'the yard', commands: [carve] }];
}

const CALL = ['yard', 'carve', 'oak', '--to', 'http://localhost:1'];
const carving = (
  run: Run<CarveInput>,
  args: readonly string[] = CALL,
  options: HarnessOptions = {},
): Promise<CliRun> => runInMemory(args, { entries: shipyard(run), ...options });
const done: Run<CarveInput> = async () => EXIT.ok;

describe('a command line', () => {
  test('gives a command its arguments and options as values', async () => {
    const inputs: CarveInput[] = [];
    const run = await carving(
      async (_context, input) => {
        inputs.push(input);
        return EXIT.ok;
      },
      (
        'yard carve oak elm --to https://example.com/otlp --since 15m --rate 4MiB/s ' +
        '--header a=1 --header B:2 --fast --depth 7'
      ).split(' '),
      { clock: new FakeClock(1_000_000_000) },
    );
    expect(run).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(inputs).toEqual([
      {
        woods: ['oak', 'elm'],
        to: new URL('https://example.com/otlp'),
        depth: 7,
        since: 1_000_000_000 - 900_000,
        rate: { amount: 4 * 2 ** 20, unit: 'bytes' },
        headers: [
          ['a', '1'],
          ['b', '2'],
        ],
        fast: true,
      },
    ]);
  });

  test('fills in what it leaves out', async () => {
    const inputs: CarveInput[] = [];
    await carving(async (_context, input) => {
      inputs.push(input);
      return EXIT.ok;
    });
    expect(inputs[0]).toMatchObject({ depth: 3, since: undefined, headers: [], fast: false });
  });

  test('that cannot be understood is told every problem at once, and nothing runs', async () => {
    let ran = 0;
    const { code, stdout, stderr } = await carving(async () => {
      ran += 1;
      return EXIT.ok;
    }, ['yard', 'carve', 'oak', '--depth', '99', '--since', 'yesterday']);
    expect({ code, stdout, ran }).toEqual({ code: EXIT.usage, stdout: '', ran: 0 });
    expect(stderr).toContain('Expected `--to` to be given');
    expect(stderr).toContain('Expected `--depth` to be a whole number from 1 to 9');
    expect(stderr).toContain('Expected `--since` to be a time or a duration before now');
  });

  test('never shows an address or a header that it refuses', async () => {
    const secrets = ['--to', 'ftp://ada:hunter2@example.com', '--header', 'hunter2'];
    const { code, stderr } = await carving(done, ['yard', 'carve', 'oak', ...secrets]);
    expect(code).toBe(EXIT.usage);
    expect(stderr).toContain('Expected `--to` to be an http or https address, got something else (not shown');
    expect(stderr).toContain('Expected `--header` to be name=value');
    expect(stderr).not.toContain('hunter2');
  });

  test.each([
    [['yrd'], "Unknown command 'yrd' (Did you mean yard?)"],
    [['yard', 'crave'], "Unknown command 'crave' (Did you mean yard carve?)"],
    [['crave', 'oak'], "Unknown command 'crave' (Did you mean yard carve?)"],
    [['yrd', 'crave'], "Unknown command 'yrd' (Did you mean yard carve?)"],
    [[...CALL, '--dept', '1'], "Unknown option '--dept' (Did you mean --depth?)"],
    [[...CALL, '--jsn'], "Unknown option '--jsn' (Did you mean --json?)"],
    [['yard', 'carve'], "Missing required argument 'wood'"],
    [[...CALL, '--depth'], "Option '--depth <n>' argument missing"],
  ])('%j ends with 2 and says what is wrong', async (args, message) => {
    const { code, stdout, stderr } = await carving(done, args);
    expect({ code, stdout }).toEqual({ code: EXIT.usage, stdout: '' });
    expect(stderr).toContain(message);
  });

  test.each([
    ['statsu', ' (Did you mean one of telemetry status, stack status?)'],
    ['telemetry statsu', ' (Did you mean telemetry status?)'],
    ['--json telemtry --quiet staus', ' (Did you mean telemetry status?)'],
    ['telemetry down', ' (Did you mean stack down?)'],
    ['doctr', ' (Did you mean doctor?)'],
    ['stak', ' (Did you mean stack?)'],
    ['launch', '.'],
  ])("'%s' is answered with the nearest of all commands", async (line, suggestion) => {
    const { code, stderr } = await runInMemory(line.split(' '));
    expect(code).toBe(EXIT.usage);
    expect(stderr.split(/Unknown command '\w+'/)[1]?.startsWith(suggestion)).toBe(true);
  });

  test('without a command gets help on standard error and 2', async () => {
    for (const args of [[], ['yard']]) {
      const { code, stdout, stderr } = await carving(done, args);
      expect({ code, stdout }).toEqual({ code: EXIT.usage, stdout: '' });
      expect(stderr).toMatch(/^Usage: keelson/);
    }
  });

  test('with --help gets examples, defaults and exit codes on standard output, and loads nothing', async () => {
    const { code, stdout, stderr } = await carving(() => {
      throw new Error('It ran.');
    }, ['yard', 'carve', '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('$ keelson yard carve oak --to http://localhost:1');
    expect(stdout).toContain('(default: 3)');
    expect((await carving(done, ['--help'])).stdout).toMatch(/130 +ended by SIGINT/);
  });

  test('with --version gets the version', async () => {
    expect(await carving(done, ['--version'])).toEqual({ code: 0, stdout: '1.2.3\n', stderr: '' });
  });
});

describe('errors', () => {
  const failing =
    (error: Error): Run<CarveInput> =>
    async () => {
      throw error;
    };

  test('of Keelson end with 1 and carry their remedy', async () => {
    const error = new KeelsonError('ERR_KEELSON_HOME', 'No home.', { hint: 'Make one.' });
    expect(await carving(failing(error))).toEqual({
      code: EXIT.unwell,
      stdout: '',
      stderr: 'error: No home.\nMake one.\n',
    });
  });

  test('are JSON on standard error with --json, wherever the flag stands', async () => {
    const error = new KeelsonError('ERR_KEELSON_HOME', 'No home.', { hint: 'Make one.' });
    for (const args of [
      ['--json', ...CALL],
      [...CALL, '--json'],
    ]) {
      const { code, stdout, stderr } = await carving(failing(error), args);
      expect({ code, stdout }).toEqual({ code: EXIT.unwell, stdout: '' });
      expect(JSON.parse(stderr)).toEqual({
        error: { code: 'ERR_KEELSON_HOME', message: 'No home.', hint: 'Make one.' },
      });
    }
    const usage = await carving(done, ['yard', 'carve', 'oak', '--json']);
    expect(JSON.parse(usage.stderr)).toMatchObject({
      error: { code: 'ERR_KEELSON_USAGE', problems: [expect.any(String)] },
    });
    const missing = await carving(done, ['--json']);
    expect(JSON.parse(missing.stderr)).toMatchObject({ error: { message: 'A command is missing.' } });
  });

  test('that nobody foresaw end with 70 and ask for a report', async () => {
    const { code, stderr } = await carving(failing(new TypeError('x is not a function')));
    expect(code).toBe(EXIT.internal);
    expect(stderr).toMatch(/TypeError: x is not a function[\s\S]*report/);
  });

  test('of a reader who went away are quiet', async () => {
    const gone: Sink = {
      isTty: false,
      columns: undefined,
      write: () => Promise.reject(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
    };
    const run = await carving(
      async ({ output }) => {
        await output.line('one');
        return EXIT.ok;
      },
      CALL,
      { stdout: gone },
    );
    expect(run).toEqual({ code: EXIT.brokenPipe, stdout: '', stderr: '' });
  });
});

describe('an interruption', () => {
  test('lets a command say what it did, and gives the exit code of the signal', async () => {
    const interrupt = new AbortController();
    const running = carving(
      async ({ signal, output }) => {
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve);
        });
        await output.line('half of it');
        return EXIT.ok;
      },
      CALL,
      { signal: interrupt.signal },
    );
    await new FakeClock().advance(0);
    interrupt.abort(new Interruption('SIGINT'));
    expect(await running).toEqual({ code: 130, stdout: 'half of it\n', stderr: '' });
  });

  test('ends a command that does not listen within a second', async () => {
    const clock = new FakeClock();
    const interrupt = new AbortController();
    const running = carving(() => new Promise(() => {}), CALL, { clock, signal: interrupt.signal });
    await clock.advance(5_000);
    interrupt.abort(new Interruption('SIGTERM'));
    await clock.advance(1_000);
    expect((await running).code).toBe(143);
  });
});

describe('colour and progress', () => {
  const styled: Run<CarveInput> = async ({ output }) => {
    await output.line(output.style('red', 'oak'));
    return EXIT.ok;
  };
  const colours = async (env: Record<string, string>, isTty: boolean): Promise<boolean> => {
    const stdout = new MemorySink(isTty);
    await carving(styled, CALL, { env, stdout });
    return stdout.text.includes('\u001b[31m');
  };

  test.each([
    [{}, true, true],
    [{}, false, false],
    [{ NO_COLOR: '1' }, true, false],
    [{ NO_COLOR: '' }, true, true],
    [{ TERM: 'dumb' }, true, false],
    [{ FORCE_COLOR: '1' }, false, true],
    [{ FORCE_COLOR: '0' }, true, false],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, false, true],
  ])('with %j and a terminal: %s, there is colour: %s', async (env, isTty, expected) => {
    expect(await colours(env, isTty)).toBe(expected);
  });

  const working: Run<CarveInput> = async ({ progress, clock }) => {
    for (let step = 0; step < 30; step += 1) {
      (clock as FakeClock).block(10);
      await progress.show(() => `step ${step} of a very long way`);
    }
    return EXIT.ok;
  };

  test('progress is shown on a terminal only, ten times a second, cut to the line, and gone at the end', async () => {
    const terminal = new MemorySink(true, 8);
    await carving(working, CALL, { stderr: terminal });
    expect(terminal.text.split('\r\u001b[K').slice(1)).toEqual(['step 0 ', 'step 10', 'step 20', '']);
    const pipe = new MemorySink();
    await carving(working, CALL, { stderr: pipe });
    const quiet = new MemorySink(true);
    await carving(working, [...CALL, '--quiet'], { stderr: quiet });
    expect([pipe.text, quiet.text]).toEqual(['', '']);
  });

  test('notes go to standard error, as JSON with --json, and not at all with --quiet', async () => {
    const noting: Run<CarveInput> = async ({ output }) => {
      await output.note('by the way');
      return EXIT.ok;
    };
    expect((await carving(noting)).stderr).toBe('by the way\n');
    expect((await carving(noting, [...CALL, '--json'])).stderr).toBe('{"note":"by the way"}\n');
    expect((await carving(noting, [...CALL, '-q'])).stderr).toBe('');
  });
});
