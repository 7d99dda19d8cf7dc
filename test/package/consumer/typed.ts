import type { CallOutcome, Guard } from 'keelson';
import { guard } from 'keelson';
import { startTelemetry } from 'keelson/telemetry';
import { FakeClock } from 'keelson/testing';

const payments: Guard = guard('payments', { retry: { retries: 2 }, timeout: { attempt: '1s' } });
const receipt: Promise<{ id: number }> = payments.run('charge', () => ({ id: 1 }));
const account: Promise<CallOutcome<number>> = payments.outcome('count', async () => 1);

export const uses: readonly unknown[] = [receipt, account, startTelemetry, FakeClock];
