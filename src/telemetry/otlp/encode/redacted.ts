import type { AnyValue, Attributes } from '@opentelemetry/api';
import {
  isSecretKey,
  LABELS,
  namesSecret,
  REDACTED,
  redactQuery,
  redactText,
} from '../../../core/secret-text.ts';
import { jsonValue, nestedValue } from './values.ts';
import type { Above } from './values.ts';

/** Attributes of the semantic conventions and of Keelson's own that hold a name, a number or an address and no text: the most of all, and not looked through. */
const PLAIN_KEY =
  /^(?:http\.(?:request\.method|route)|url\.scheme|(?:server|client|network|keelson|service|messaging|thread)\..*|user_agent\.original|error\.type|exception\.type|(?:db|rpc)\.system(?:\.name)?)$/;
/** Names of attributes are few; whoever makes them up without end pays for each. */
const MAX_KEYS = 2_000;

/** What is done with the text of an attribute. */
const SECRET = 0;
const PLAIN = 1;
/** A URL's query has no question mark before its first parameter. */
const QUERY = 2;
const TEXT = 3;
type Treatment = typeof SECRET | typeof PLAIN | typeof QUERY | typeof TEXT;

const treatments = new Map<string, Treatment>();

function classify(key: string): Treatment {
  const text = key === 'url.query' ? QUERY : TEXT;
  const found = isSecretKey(key) ? SECRET : PLAIN_KEY.test(key) ? PLAIN : text;
  if (treatments.size < MAX_KEYS) treatments.set(key, found);
  return found;
}

/** @returns the `AnyValue` message of a body, without secrets at any depth */
export function redactedValue(value: AnyValue, above: Above = []): object {
  if (typeof value === 'string') return { stringValue: redactText(value) };
  if (typeof value !== 'object' || value === null) return jsonValue(value);
  return nestedValue(value, above, (inside) => {
    if (value instanceof Uint8Array) return jsonValue(value);
    if (Array.isArray(value)) {
      const values = value.map((item: AnyValue, index) =>
        index > 0 && namesSecret(value[index - 1]) ? { stringValue: REDACTED } : redactedValue(item, inside),
      );
      return { arrayValue: { values } };
    }
    const record = value as Readonly<Record<string, AnyValue>>;
    const labelled = LABELS.some((label) => namesSecret(record[label]));
    const values = Object.entries(record).map(([key, item]) =>
      redactedAttribute(key, labelled && key === 'value' ? REDACTED : item, inside),
    );
    return { kvlistValue: { values } };
  });
}

function redactedAttribute(key: string, value: AnyValue, above: Above = []): object {
  if (typeof value === 'number' || typeof value === 'boolean') return { key, value: jsonValue(value) };
  const treatment = treatments.get(key) ?? classify(key);
  if (treatment === SECRET) return { key, value: { stringValue: REDACTED } };
  if (typeof value !== 'string') return { key, value: redactedValue(value, above) };
  if (treatment === PLAIN) return { key, value: { stringValue: value } };
  return { key, value: { stringValue: treatment === QUERY ? redactQuery(value) : redactText(value) } };
}

/** As {@link jsonAttributes}, without secrets: those of a telling name, and those inside texts. */
export function redactedAttributes(attributes: Attributes | undefined): object[] {
  if (!attributes) return [];
  return Object.keys(attributes).map((key) => redactedAttribute(key, attributes[key]));
}

/** A text of a span or a record that may not be there. */
export function redactedMessage(text: string | undefined): string | undefined {
  return text === undefined ? undefined : redactText(text);
}
