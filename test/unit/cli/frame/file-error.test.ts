import { expect, test } from 'vitest';
import { EXIT } from '../../../../src/cli/frame/exit-codes.ts';
import { shownError } from '../../../../src/cli/frame/shown-error.ts';

const system = (code: string): Error =>
  Object.assign(new Error(code), { code, syscall: 'scandir', path: '/srv/shop/.keelson\u001b[2J' });

test('a file that the system refuses is no defect, and permissions have their own remedy', () => {
  expect(shownError(system('EACCES'))).toMatchObject({
    exitCode: EXIT.unwell,
    code: 'ERR_KEELSON_FILE',
    hint: expect.stringContaining('as the user that owns it') as string,
  });
  expect(shownError(system('ENOTDIR')).hint).toContain('--home');
  expect(shownError(system('EACCES')).message).not.toContain('\u001b');
});

test('any other error is a defect', () => {
  expect(shownError(new TypeError('x'))).toMatchObject({ exitCode: EXIT.internal });
  expect(shownError(Object.assign(new Error('x'), { code: 'ECONNRESET', syscall: 'read' }))).toMatchObject({
    exitCode: EXIT.internal,
  });
});
