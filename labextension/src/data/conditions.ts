import type { TranslationBundle } from '@jupyterlab/translation';

import type { ColumnType, Condition, Op } from '../core/protocol';

type Type = ColumnType['type'];

const ANY: Op[] = ['missing', 'present'];
const SCALE: Op[] = [
  'equals',
  'differs',
  'less',
  'at_most',
  'greater',
  'at_least',
  'between',
  'outside'
];

/** What can be asked of a column, the commonest first. */
export function opsOf(type: Type): Op[] {
  switch (type) {
    case 'text':
      return [
        'equals',
        'differs',
        'contains',
        'starts_with',
        'ends_with',
        'matches',
        'in',
        ...ANY
      ];
    case 'boolean':
      return ['equals', ...ANY];
    case 'float':
      return [...SCALE, ...ANY, 'infinite'];
    default:
      return [...SCALE, ...ANY];
  }
}

/** An operation as it is read between a column and a value. */
export function opLabel(op: Op, trans: TranslationBundle): string {
  return {
    equals: trans.__('is'),
    differs: trans.__('is not'),
    less: '<',
    at_most: '≤',
    greater: '>',
    at_least: '≥',
    between: trans.__('is between'),
    outside: trans.__('is outside'),
    in: trans.__('is one of'),
    contains: trans.__('contains'),
    starts_with: trans.__('starts with'),
    ends_with: trans.__('ends with'),
    matches: trans.__('matches regex'),
    missing: trans.__('is missing'),
    present: trans.__('is there'),
    infinite: trans.__('is infinite'),
    duplicated: trans.__('is a copy of an earlier row')
  }[op];
}

/** How many values an operation is given. */
export function valuesOf(op: Op): 0 | 1 | 2 | 'list' {
  switch (op) {
    case 'missing':
    case 'present':
    case 'infinite':
    case 'duplicated':
      return 0;
    case 'between':
    case 'outside':
      return 2;
    case 'in':
      return 'list';
    default:
      return 1;
  }
}

/** What the user typed as the value of a condition; null while it is none. */
export function typed(texts: string[], op: Op, type: Type): unknown {
  const values = texts.map(text => one(text, type));
  switch (valuesOf(op)) {
    case 0:
      return undefined;
    case 1:
      return values[0] ?? null;
    case 2:
      return values.length === 2 && values.every(value => value !== null)
        ? values
        : null;
    default: {
      const listed = (texts[0] ?? '')
        .split(',')
        .map(text => one(text.trim(), type))
        .filter(value => value !== null);
      return listed.length ? listed : null;
    }
  }
}

/** The texts that stand in the fields of a condition. */
export function shown(condition: Condition): string[] {
  const { op, value } = condition;
  const texts = (Array.isArray(value) ? value : [value]).map(each =>
    each === null || each === undefined ? '' : String(each as string)
  );
  return valuesOf(op) === 'list' ? [texts.join(', ')] : texts;
}

/** Whether a condition can be asked as it is. */
export function isWhole(condition: Condition): boolean {
  return (
    valuesOf(condition.op) === 0 ||
    (condition.value !== null && condition.value !== undefined)
  );
}

/** A condition in words: "age ≥ 18". */
export function told(condition: Condition, trans: TranslationBundle): string {
  const { column, op } = condition;
  const values = valuesOf(op) === 0 ? [] : shown(condition);
  return [column ?? trans.__('row'), opLabel(op, trans), values.join(' – ')]
    .filter(Boolean)
    .join(' ');
}

function one(text: string, type: Type): string | number | boolean | null {
  if (text === '') {
    return null;
  }
  switch (type) {
    case 'integer':
    case 'float': {
      const value = Number(text);
      return Number.isNaN(value) ? null : value;
    }
    case 'boolean':
      return text === 'true';
    default:
      return text;
  }
}
