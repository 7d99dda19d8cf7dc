import { describe, expect, test } from 'vitest';
import * as semconv from '../../../../src/signals/semconv.ts';
import {
  type NamedInstrument,
  prometheusLabel,
  prometheusName,
  prometheusSeries,
  prometheusUnit,
} from '../../../../src/telemetry/prometheus/prometheus-name.ts';

describe('the name in Prometheus', () => {
  // What Prometheus' OTLP receiver makes of each; measured, and the cases of its own tests.
  test.each<[NamedInstrument['instrument'], string, string, string]>([
    ['gauge', 'a.state', '1', 'a_state_ratio'],
    ['gauge', 'a.state', '{state}', 'a_state'],
    ['gauge', 'a.state', '', 'a_state'],
    ['gauge', 'memory.used', 'By', 'memory_used_bytes'],
    ['gauge', 'oldest.age', 's', 'oldest_age_seconds'],
    ['gauge', 'load', '%', 'load_percent'],
    ['gauge', 'nodejs.eventloop.delay.p99', 's', 'nodejs_eventloop_delay_p99_seconds'],
    ['gauge', 'nodejs.eventloop.utilization', '1', 'nodejs_eventloop_utilization_ratio'],
    ['gauge', 'hit.ratio', '1', 'hit_ratio'],
    ['updowncounter', 'in.flight', '1', 'in_flight'],
    ['updowncounter', 'in.flight', '{call}', 'in_flight'],
    ['counter', 'attempts', '{attempt}', 'attempts_total'],
    ['counter', 'attempts', '1', 'attempts_total'],
    ['counter', 'attempts.total', '{attempt}', 'attempts_total'],
    ['counter', 'wait.time', 's', 'wait_time_seconds_total'],
    ['counter', 'wait.seconds', 's', 'wait_seconds_total'],
    ['histogram', 'call.duration', 's', 'call_duration_seconds'],
    ['histogram', 'call.duration', 'ms', 'call_duration_milliseconds'],
    ['gauge', 'odd--name..with__gaps', '', 'odd_name_with_gaps'],
    ['gauge', '2nd.level', '', '_2nd_level'],
    ['gauge', 'disk.rate', 'By/s', 'disk_rate_bytes_per_second'],
    ['gauge', 'speed', 'm/s', 'speed_meters_per_second'],
    ['gauge', 'speed', '1/s', 'speed_per_second'],
    ['gauge', 'speed', '{packet}/s', 'speed_per_second'],
    ['gauge', 'speed', 'By/{packet}', 'speed_bytes'],
    ['counter', 'speed', 'By/mo', 'speed_bytes_per_month_total'],
    ['gauge', 'speed', 'foo/bar', 'speed_foo_per_bar'],
    ['gauge', 'speed', ' ms ', 'speed_milliseconds'],
    ['gauge', 'energy', 'J', 'energy_joules'],
    ['gauge', 'requests', 'req', 'requests_req'],
    ['gauge', 'odd.unit', 'a%b__c', 'odd_unit_a_b_c'],
    ['gauge', 'ratio.of.hits', '1', 'of_hits_ratio'],
    ['counter', 'total.wait', 's', 'wait_seconds_total'],
    ['gauge', 'rule:of:five', '', 'rule:of:five'],
    ['gauge', '温度.celsius', 'Cel', 'celsius'],
    ['counter', '温度', '', 'total'],
    ['gauge', '温度', '', ''],
    ['gauge', '__', '', ''],
  ])('of a %s `%s` in `%s` is %s', (instrument, name, unit, expected) => {
    expect(prometheusName({ instrument, name, unit })).toBe(expected);
  });

  test('of everything that guards publish is this', () => {
    expect(semconv.GUARD_METRICS.map(prometheusName)).toEqual([
      'keelson_calls_total',
      'keelson_call_duration_seconds',
      'keelson_call_abandoned',
      'keelson_attempts_total',
      'keelson_retry_suppressed_total',
      'keelson_rejections_total',
      'keelson_wait_time_seconds_total',
      'keelson_breaker_state',
      'keelson_breaker_transitions_total',
      'keelson_bulkhead_active',
      'keelson_bulkhead_limit',
      'keelson_bulkhead_queued',
      'keelson_bulkhead_queue_limit',
      'keelson_bulkhead_wait_duration_seconds',
      'keelson_rate_limiter_available',
      'keelson_rate_limiter_limit',
      'keelson_rate_limiter_store_failures_total',
      'keelson_rate_limiter_unlimited_total',
      'keelson_cache_requests_total',
      'keelson_cache_entries',
      'keelson_cache_tier_failures_total',
      'keelson_guard_keys',
    ]);
  });

  test('of a histogram stands for three series', () => {
    expect(prometheusSeries(semconv.METRIC_CALL_DURATION)).toEqual([
      'keelson_call_duration_seconds_bucket',
      'keelson_call_duration_seconds_sum',
      'keelson_call_duration_seconds_count',
    ]);
    expect(prometheusSeries(semconv.METRIC_CALLS)).toEqual(['keelson_calls_total']);
  });
});

describe('a label in Prometheus', () => {
  test.each([
    ['service.name', 'service_name'],
    ['deployment.environment.name', 'deployment_environment_name'],
    [semconv.ATTR_GUARD_NAME, 'keelson_guard_name'],
    ['http.request.header.x-id', 'http_request_header_x_id'],
    ['0day', 'key_0day'],
    ['_private', 'key_private'],
    ['.hidden', 'key_hidden'],
    ['__reserved', '__reserved'],
    ['a..b--c', 'a__b__c'],
    ['größe', 'gr__e'],
    ['a😀b', 'a_b'],
    ['字符', ''],
    ['', ''],
  ])('of %s is %s', (attribute, expected) => {
    expect(prometheusLabel(attribute)).toBe(expected);
  });
});

describe('a unit', () => {
  test.each([
    ['s', 'seconds'],
    ['By/s', 'bytes_per_second'],
    ['{call}/s', 'per_second'],
    ['1', ''],
    ['{call}', ''],
    ['', ''],
  ])('%s adds `%s`', (unit, expected) => {
    expect(prometheusUnit(unit)).toBe(expected);
  });
});
