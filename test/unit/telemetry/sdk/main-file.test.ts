import { describe, expect, test } from 'vitest';
import { mainFile } from '../../../../src/telemetry/sdk/main-file.ts';

describe('the main file of a process', () => {
  test('is the absolute path behind the executable', () => {
    expect(mainFile({ argv: ['/bin/node', '/app/main.js', 'x'], execArgv: ['--import', 'x'] })).toBe(
      '/app/main.js',
    );
  });

  test.each([
    ['the script comes from standard input', ['/bin/node', '-'], []],
    ['there is an interactive session', ['/bin/node'], []],
    ['the script comes from -e', ['/bin/node', '/a/password'], ['-e', 'code']],
    ['the script comes from --eval=', ['/bin/node', '/a/password'], ['--eval=code']],
    ['the script comes from -pe', ['/bin/node', '/a/password'], ['-pe', 'code']],
    ['the script comes from -p, and its argument is no path', ['/bin/node', 'some/argument'], []],
    ['the argument is no text', ['/bin/node', {}], [1]],
    ['the arguments are gone', undefined, undefined],
  ])('is none where %s', (_name, argv, execArgv) => {
    expect(mainFile({ argv, execArgv })).toBeUndefined();
  });
});
