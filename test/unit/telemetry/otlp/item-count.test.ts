import { describe, expect, test } from 'vitest';
import { countItems } from '../../../../src/telemetry/otlp/item-count.ts';

describe('the count of items', () => {
  test('sees the field of each item, and no text that looks like it', () => {
    const line = {
      spans: [{ name: '"startTimeUnixNano":', startTimeUnixNano: '1' }, { startTimeUnixNano: '2' }],
    };
    expect(countItems('traces', Buffer.from(JSON.stringify(line)))).toBe(2);
    expect(countItems('logs', Buffer.from('{"observedTimeUnixNano":"1"}{"observedTimeUnixNano":"1"}'))).toBe(
      2,
    );
    expect(countItems('metrics', Buffer.from(''))).toBe(0);
  });
});
