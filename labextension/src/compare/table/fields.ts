import type { TranslationBundle } from '@jupyterlab/translation';

import { quoted, tokens, unquoted } from '../query/tokens';

/** What of a metric a column shows: its last value unless said. */
export const ASPECTS = [
  'last',
  'min',
  'max',
  'mean',
  'std',
  'count',
  'step',
  'min_step',
  'max_step',
  'time'
] as const;

export type Aspect = (typeof ASPECTS)[number];

/** A field taken apart; `aspect` is of metrics only. */
export interface IField {
  kind: 'attribute' | 'metric' | 'param' | 'tag';
  name: string;
  aspect: Aspect;
}

const KINDS = ['metric', 'param', 'tag'];
const TIMES = new Set(['created_at', 'modified_at', 'started_at', 'ended_at']);

/** What a field is, as queries write it: `metric["val/loss"].min`; null for an expression. */
export function parsed(field: string): IField | null {
  const words = tokens(field).filter(each => each.kind !== 'space');
  const texts = words.map(each => each.text);
  if (words.length === 1 && words[0].kind === 'name') {
    return { kind: 'attribute', name: texts[0], aspect: 'last' };
  }
  if (!KINDS.includes(texts[0])) {
    return null;
  }
  const kind = texts[0] as IField['kind'];
  const bracket = texts[1] === '[' && texts[3] === ']';
  const name = bracket ? unquoted(texts[2]) : texts[2];
  const rest = texts.slice(bracket ? 4 : 3);
  const aspect = (rest[1] ?? 'last') as Aspect;
  const whole = rest.length === 0 || (rest.length === 2 && rest[0] === '.');
  return whole && name !== undefined && ASPECTS.includes(aspect)
    ? { kind, name, aspect }
    : null;
}

/** The field of a metric with another aspect; of other fields, the field. */
export function withAspect(field: string, aspect: Aspect): string {
  const it = parsed(field);
  return it?.kind === 'metric' ? written({ ...it, aspect }) : field;
}

/** The field as queries write it. */
export function written(it: IField): string {
  if (it.kind === 'attribute') {
    return it.name;
  }
  const plain = /^[\p{L}_][\p{L}\p{N}_]*$/u.test(it.name);
  const name = plain ? `.${it.name}` : `[${quoted(it.name)}]`;
  return `${it.kind}${name}${it.aspect === 'last' ? '' : `.${it.aspect}`}`;
}

/** Whether the field is a time, in seconds since the epoch. */
export function isTime(field: string): boolean {
  const it = parsed(field);
  return (
    !!it &&
    (it.kind === 'attribute' ? TIMES.has(it.name) : it.aspect === 'time')
  );
}

/** The title of a field's column, and the words above it. */
export function headed(
  field: string,
  trans: TranslationBundle
): { title: string; caption: string } {
  const it = parsed(field);
  if (!it) {
    return { title: field, caption: trans.__('expression') };
  }
  if (it.kind === 'attribute') {
    return { title: attributes(trans)[it.name] ?? it.name, caption: '' };
  }
  const kinds = {
    metric: aspects(trans)[it.aspect],
    param: trans.__('parameter'),
    tag: trans.__('tag')
  };
  return { title: it.name, caption: kinds[it.kind] };
}

/** What aspects of a metric are called. */
export function aspects(trans: TranslationBundle): Record<Aspect, string> {
  return {
    last: trans.__('metric · last'),
    min: trans.__('metric · min'),
    max: trans.__('metric · max'),
    mean: trans.__('metric · mean'),
    std: trans.__('metric · std'),
    count: trans.__('metric · points'),
    step: trans.__('metric · last step'),
    min_step: trans.__('metric · step of min'),
    max_step: trans.__('metric · step of max'),
    time: trans.__('metric · last time')
  };
}

function attributes(trans: TranslationBundle): Record<string, string> {
  return {
    name: trans.__('Name'),
    display_name: trans.__('Display name'),
    status: trans.__('Status'),
    experiment: trans.__('Experiment'),
    trial: trans.__('Trial'),
    source: trans.__('Source'),
    source_kind: trans.__('Kind of source'),
    created_at: trans.__('Created'),
    modified_at: trans.__('Modified'),
    started_at: trans.__('Started'),
    ended_at: trans.__('Ended'),
    duration: trans.__('Duration'),
    starred: trans.__('Star'),
    color: trans.__('Color'),
    note: trans.__('Note'),
    owner: trans.__('Owner')
  };
}
