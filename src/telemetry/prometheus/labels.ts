import type { Attributes } from '@opentelemetry/api';
import { isInt64, jsonDouble, jsonInt } from '../otlp/encode/index.ts';
import { prometheusLabel } from './prometheus-name.ts';

/** Labels and their values, in the order in which they are written. */
export type Labels = Map<string, string>;

/** What Prometheus sets itself, and takes from no attribute. */
const NAME_LABEL = '__name__';

/** Characters that Go's JSON escapes beside those that have to be. */
const GO_ESCAPES = /[<>&\u2028\u2029]/g;

const goEscaped = (found: string): string => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** A value of an attribute as Prometheus 3.10 turns it into a text (`pcommon.Value.AsString`). */
export function labelValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'boolean':
      return String(value);
    case 'number':
      return String(isInt64(value) ? jsonInt(value) : jsonDouble(value));
    case 'object':
      return value === null ? '' : objectValue(value);
    default:
      return '';
  }
}

/** An object that cannot be read, such as a circle, has no value: one label must not cost the scrape. */
function objectValue(value: object): string {
  try {
    if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
    const text: unknown = JSON.stringify(value, sortedKeys);
    return typeof text === 'string' ? text.replaceAll(GO_ESCAPES, goEscaped) : '';
  } catch {
    return '';
  }
}

function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Makes labels of attributes, as Prometheus' OTLP receiver does. Remembers names: one of these for each exposition. */
export class Labeller {
  readonly #names = new Map<string, string>();

  /**
   * Keys that become the same label are joined with `;`, in the order of the keys. An empty value is no label.
   * @returns `undefined` where a key cannot be a label: Prometheus refuses such a point
   */
  labels(attributes: Attributes): Labels | undefined {
    const labels: Labels = new Map();
    for (const key of Object.keys(attributes).toSorted()) {
      if (key === NAME_LABEL) continue;
      const name = this.#name(key);
      if (name === '') return undefined;
      const value = labelValue(attributes[key]);
      const before = labels.get(name);
      if (before !== undefined) labels.set(name, `${before};${value}`);
      else if (value !== '') labels.set(name, value);
    }
    return labels;
  }

  #name(key: string): string {
    let name = this.#names.get(key);
    if (name === undefined) {
      name = prometheusLabel(key);
      this.#names.set(key, name);
    }
    return name;
  }
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };

/** Escapes what a quoted text must not hold: backslash, quote, line feed. */
export function escaped(text: string): string {
  return /[\\"\n]/.test(text) ? text.replaceAll(/[\\"\n]/g, (found) => ESCAPES[found] ?? found) : text;
}

/** @returns the labels as both formats write them, without the braces */
export function written(labels: Labels): string {
  let text = '';
  for (const [name, value] of labels) text += `${text === '' ? '' : ','}${name}="${escaped(value)}"`;
  return text;
}
