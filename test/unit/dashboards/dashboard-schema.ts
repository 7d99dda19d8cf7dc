import { Ajv } from 'ajv';

const text = { type: 'string' };
const flag = { type: 'boolean' };
const number = { type: 'number' };
const named = { type: 'string', minLength: 1 };
const closed = (properties: object, required: readonly string[] = []): object => ({
  type: 'object',
  additionalProperties: false,
  properties,
  required,
});
const listOf = (items: object, minItems = 0): object => ({ type: 'array', items, minItems });

const datasource = closed({ type: text, uid: named }, ['type', 'uid']);
const gridPos = closed(
  {
    x: { type: 'integer', minimum: 0, maximum: 23 },
    y: { type: 'integer', minimum: 0 },
    w: { type: 'integer', minimum: 1, maximum: 24 },
    h: { type: 'integer', minimum: 1 },
  },
  ['x', 'y', 'w', 'h'],
);
const link = closed(
  {
    title: named,
    type: { enum: ['link', 'dashboards'] },
    icon: text,
    tooltip: text,
    url: text,
    tags: listOf(text),
    asDropdown: flag,
    targetBlank: flag,
    includeVars: flag,
    keepTime: flag,
    placement: text,
  },
  ['title', 'type'],
);
const thresholds = closed(
  {
    mode: { enum: ['absolute', 'percentage'] },
    steps: listOf(closed({ value: { type: ['number', 'null'] }, color: named }, ['value', 'color']), 1),
  },
  ['mode', 'steps'],
);
const mapping = closed(
  {
    type: { enum: ['value', 'range', 'regex', 'special'] },
    options: {
      type: 'object',
      additionalProperties: closed({ text, color: text, index: number, icon: text }, ['text']),
    },
  },
  ['type', 'options'],
);
const fieldConfig = closed(
  {
    defaults: closed({
      unit: named,
      min: number,
      max: number,
      decimals: number,
      noValue: text,
      displayName: text,
      color: closed({ mode: text, fixedColor: text, seriesBy: text }, ['mode']),
      thresholds,
      mappings: listOf(mapping),
      links: listOf(link),
      custom: { type: 'object' },
    }),
    overrides: { type: 'array' },
  },
  ['defaults', 'overrides'],
);
const target = closed(
  {
    refId: named,
    expr: named,
    legendFormat: text,
    datasource,
    exemplar: flag,
    range: flag,
    instant: flag,
    format: { enum: ['time_series', 'table', 'heatmap'] },
    editorMode: text,
    queryType: text,
    hide: flag,
  },
  ['refId', 'expr', 'datasource'],
);
const panel = closed(
  {
    id: { type: 'integer', minimum: 1 },
    type: { enum: ['timeseries', 'stat', 'state-timeline', 'table'] },
    title: named,
    description: named,
    transparent: flag,
    datasource,
    gridPos,
    repeatDirection: text,
    targets: listOf(target, 1),
    fieldConfig,
    options: { type: 'object' },
    transformations: listOf(closed({ id: named, options: { type: 'object' } }, ['id', 'options'])),
  },
  ['id', 'type', 'title', 'description', 'datasource', 'gridPos', 'targets', 'fieldConfig'],
);
const row = closed(
  {
    id: { type: 'integer', minimum: 1 },
    type: { const: 'row' },
    title: named,
    collapsed: flag,
    gridPos,
    panels: { type: 'array' },
  },
  ['id', 'type', 'title', 'gridPos'],
);
const variable = {
  type: 'object',
  required: ['name', 'type'],
  properties: {
    name: { type: 'string', pattern: '^[a-z_]+$' },
    type: { enum: ['datasource', 'query', 'textbox'] },
    refresh: { type: 'integer' },
    multi: flag,
    includeAll: flag,
    allValue: text,
  },
};
const annotation = {
  type: 'object',
  required: ['name', 'datasource', 'enable', 'iconColor', 'expr'],
  properties: {
    name: named,
    datasource,
    enable: flag,
    iconColor: text,
    expr: named,
    titleFormat: text,
    step: text,
  },
};

/**
 * The classic dashboard (schema version 42) as far as these dashboards use it, and closed: a key that is not listed is an error. Grafana's
 * own schema is not in any package, and one made from its types refuses annotations that are right.
 */
const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(
  closed(
    {
      uid: named,
      title: named,
      description: named,
      tags: listOf(named, 1),
      timezone: text,
      editable: flag,
      graphTooltip: { type: 'integer' },
      time: closed({ from: named, to: named }, ['from', 'to']),
      fiscalYearStartMonth: { type: 'integer' },
      refresh: text,
      schemaVersion: { const: 42 },
      links: listOf(link),
      panels: listOf(
        { if: { type: 'object', properties: { type: { const: 'row' } } }, then: row, else: panel },
        1,
      ),
      templating: closed({ list: listOf(variable) }, ['list']),
      annotations: closed({ list: listOf(annotation) }, ['list']),
    },
    ['uid', 'title', 'schemaVersion', 'panels', 'templating', 'annotations', 'time'],
  ),
);

/** @returns what of a dashboard's JSON has not the form that Grafana reads */
export function schemaProblems(dashboard: unknown): readonly string[] {
  validate(dashboard);
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}
