import { readFileSync } from 'node:fs';
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { resolve } from 'node:path';
import { parseKeyPairsIntoRecord } from '@opentelemetry/core';
import { systemCode } from '../../storage/index.ts';
import { DEFAULT_OTLP_ENDPOINT, isHttpUrl, signalUrl } from '../otlp/http/index.ts';
import type { OtlpSettings } from '../otlp/http/index.ts';
import type { Signal } from '../semconv.ts';
import type { Warn } from '../warnings/warner.ts';
import type { VariableReader } from './variable-reader.ts';

const DEFAULT_TIMEOUT_MS = 10_000;

/** Leaves out, with a warning, what is no header: one such part would make every request fail. */
function readHeaders(read: VariableReader, name: string, warn: Warn): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const pair of (read.text(name) ?? '').split(',')) {
    if (pair.trim() === '') continue;
    const [entry] = Object.entries(parseKeyPairsIntoRecord(pair));
    if (entry && isHeader(...entry)) headers[entry[0]] = entry[1];
    else {
      warn(
        `environment:${name}`,
        `Expected ${name} to be a list of key=value, such as Authorization=Bearer%20TOKEN,x-tenant=shop: an equals sign between the header's name and its value, and no colon. ` +
          'At least one part of it is none and is left out. What it holds is not shown, since it may hold a secret.',
      );
    }
  }
  return headers;
}

function isHeader(name: string, value: string): boolean {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return true;
  } catch {
    return false;
  }
}

/**
 * Reads `OTEL_EXPORTER_OTLP_*` for one signal. The variable of the signal wins over the general one.
 * @param warn called for each value that cannot be used
 */
export function readOtlp(read: VariableReader, signal: Signal, warn: Warn): OtlpSettings {
  const specific = (suffix: string): string => `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_${suffix}`;
  const general = (suffix: string): string => `OTEL_EXPORTER_OTLP_${suffix}`;

  const endpointOf = (name: string): string | undefined => {
    const value = read.text(name);
    if (value === undefined || isHttpUrl(value)) return value;
    warn(
      `environment:${name}`,
      `Expected ${name} to be an http or https URL with its scheme, such as http://localhost:4318. What it holds is not shown, since it may hold a secret. It is ignored.`,
    );
    return undefined;
  };
  const fileOf = (suffix: string): Buffer | undefined => {
    const name = read.text(specific(suffix)) === undefined ? general(suffix) : specific(suffix);
    const path = read.text(name);
    if (path === undefined) return undefined;
    try {
      return readFileSync(resolve(path));
    } catch (error) {
      warn(
        `environment:${name}`,
        `Cannot read the file that ${name} names: ${systemCode(error)}. It is ignored.`,
      );
      return undefined;
    }
  };

  for (const name of [specific('PROTOCOL'), general('PROTOCOL')]) {
    if (read.choice(name, ['http/json', 'http/protobuf', 'grpc']) === 'grpc') {
      warn(
        `environment:${name}`,
        `${name}=grpc has no effect: OTLP is sent as http/json. Point the endpoint at the OTLP/HTTP port, usually 4318.`,
      );
    }
  }
  const own = endpointOf(specific('ENDPOINT'));
  return {
    url: own ?? signalUrl(endpointOf(general('ENDPOINT')) ?? DEFAULT_OTLP_ENDPOINT, signal),
    headers: {
      ...readHeaders(read, general('HEADERS'), warn),
      ...readHeaders(read, specific('HEADERS'), warn),
    },
    timeoutMs:
      read.milliseconds(specific('TIMEOUT'), 1) ??
      read.milliseconds(general('TIMEOUT'), 1) ??
      DEFAULT_TIMEOUT_MS,
    compression:
      read.choice(specific('COMPRESSION'), ['gzip', 'none']) ??
      read.choice(general('COMPRESSION'), ['gzip', 'none']) ??
      'none',
    tls: { ca: fileOf('CERTIFICATE'), key: fileOf('CLIENT_KEY'), cert: fileOf('CLIENT_CERTIFICATE') },
  };
}
