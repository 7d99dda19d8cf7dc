import type { Attributes } from '@opentelemetry/api';

/** An instrument whose name, unit or keys are hard to translate. */
export interface OddInstrument {
  readonly kind: 'counter' | 'updowncounter' | 'gauge' | 'histogram';
  readonly name: string;
  readonly unit: string;
  readonly attributes: Attributes;
}

/** Each with a name that no other has in Prometheus. */
export const ODD_INSTRUMENTS: readonly OddInstrument[] = [
  { kind: 'gauge', name: 'odd.a', unit: '1', attributes: {} },
  { kind: 'updowncounter', name: 'odd.b', unit: '1', attributes: {} },
  { kind: 'counter', name: 'odd.c', unit: '1', attributes: {} },
  { kind: 'histogram', name: 'odd.d', unit: '1', attributes: {} },
  { kind: 'gauge', name: 'odd.e', unit: 'By/s', attributes: {} },
  { kind: 'counter', name: 'odd.f', unit: '{packet}/s', attributes: {} },
  { kind: 'gauge', name: 'odd.g.seconds', unit: 's', attributes: {} },
  { kind: 'counter', name: 'odd.total.h', unit: 'ms', attributes: {} },
  { kind: 'gauge', name: 'odd.i', unit: 'widgets', attributes: {} },
  { kind: 'gauge', name: 'odd..j--k__l', unit: '%', attributes: {} },
  { kind: 'gauge', name: 'odd/m', unit: 'KiBy/mo', attributes: {} },
  { kind: 'gauge', name: 'odd.größe', unit: 'Cel', attributes: {} },
  { kind: 'gauge', name: '温度.odd.n', unit: '', attributes: {} },
  { kind: 'gauge', name: 'ratio.odd.o', unit: '1', attributes: {} },
  { kind: 'gauge', name: 'odd.p', unit: ' s ', attributes: {} },
  { kind: 'gauge', name: 'odd.q', unit: 'a%b/c__d', attributes: {} },
  {
    kind: 'counter',
    name: 'odd.keys',
    unit: '',
    attributes: { 'http/route': 'b', 'http.route': 'a', _private: 'c', '0day': 'd', 'a..b': 'e', größe: 'f' },
  },
  {
    kind: 'counter',
    name: 'odd.values',
    unit: '',
    attributes: {
      int: 7,
      float: 0.5,
      large: 2 ** 60,
      huge: 1e21,
      tiny: 1e-7,
      yes: true,
      list: ['a', 'b<c>&"d"'],
      numbers: [1, 2.5],
      quoted: 'a"b\\c\nd',
      empty: '',
      other: 'ü\u2028😀',
    },
  },
  { kind: 'counter', name: 'odd.promoted', unit: '', attributes: { 'service.version': 'mine' } },
  { kind: 'histogram', name: 'odd.bounds', unit: 's', attributes: { quantile: '0.5' } },
];
