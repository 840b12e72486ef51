import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { duration, exact, number, relative } from '../../components/format';
import type { IColumn } from '../../components/grid';
import { Status } from '../../components/parts';
import { valueAt } from '../rows';
import type { IColumnState } from '../state';
import { headed, isTime, parsed } from './fields';
import type { IGroup, IStatistic } from './groups';
import type { IGroupLine, ILine } from './pages';
import { type IRange, legend, tint } from './scale';

/** What a line of a group tells of a column's numbers. */
export type Measure = 'interval' | 'deviation' | 'range';

/** What the columns need beside what they are. */
export interface IDrawing {
  trans: TranslationBundle;
  /** Milliseconds since the epoch. */
  now: number;
  /** What groups tell; null where there are none. */
  measure: Measure | null;
  ranges: ReadonlyMap<string, IRange>;
  /** Fields of which there are texts. */
  texts: ReadonlySet<string>;
}

/** The columns that a view names. */
export function columnsOf(
  states: readonly IColumnState[],
  drawing: IDrawing
): IColumn<ILine>[] {
  return states.map(state => column(state, drawing));
}

export function isGroup(line: ILine): line is IGroupLine {
  return 'group' in line;
}

/** The value of a line's component; undefined for a group, and where there is none. */
export function valueOf(
  line: ILine,
  field: string
): number | string | undefined {
  return isGroup(line) ? undefined : valueAt(line.components, field, line.at);
}

/** Whether the numbers of a field have a mean that says something. */
export function measurable(field: string): boolean {
  const it = parsed(field);
  return it?.kind === 'attribute' ? it.name === 'duration' : !isTime(field);
}

function column(state: IColumnState, drawing: IDrawing): IColumn<ILine> {
  const { field } = state;
  const { trans } = drawing;
  const { title, caption } = headed(field, trans);
  const range = state.scale ? drawing.ranges.get(field) : undefined;
  const write = writer(field, drawing);
  const time = isTime(field);
  const text = (line: ILine) =>
    isGroup(line)
      ? measured(
          line.group.statistics.get(field),
          drawing.measure ?? 'interval',
          field
        )
      : write(valueOf(line, field));
  return {
    id: field,
    title,
    caption: caption || ' ',
    hint: range
      ? `${field}\n${trans.__('Tinted from %1 to %2', number(range.low), number(range.high))}`
      : field,
    width:
      state.width ??
      widthOf(field, title) + (drawing.measure && numeric(field) ? SPREAD : 0),
    pinned: state.pinned,
    sortable: true,
    numeric: numeric(field) && !drawing.texts.has(field),
    text,
    cell: line => cell(line, field, time, text(line), drawing.trans),
    ...(range && {
      shade: line => shade(line, field, range),
      legend: legend()
    })
  };
}

function cell(
  line: ILine,
  field: string,
  time: boolean,
  text: string,
  trans: TranslationBundle
): React.ReactNode {
  if (isGroup(line)) {
    const found = line.group.statistics.get(field);
    return found?.count ? (
      <span className="jp-StudioTable-measure" title={all(found, trans)}>
        {text}
      </span>
    ) : (
      ''
    );
  }
  const value = valueOf(line, field);
  if (field === 'status') {
    return <Status status={text} />;
  }
  if (time && typeof value === 'number') {
    const at = 1000 * value;
    return (
      <time dateTime={new Date(at).toISOString()} title={exact(at)}>
        {text}
      </time>
    );
  }
  return text;
}

/** How values of a field are written. */
function writer(
  field: string,
  { now, trans }: IDrawing
): (value: number | string | undefined) => string {
  const time = isTime(field);
  return value => {
    if (value === undefined) {
      return '';
    }
    if (typeof value === 'string') {
      return value;
    }
    if (time) {
      return relative(1000 * value, Math.max(now, 1000 * value));
    }
    if (field === 'duration') {
      return duration(value);
    }
    if (field === 'starred') {
      return value ? trans.__('starred') : '';
    }
    return number(value);
  };
}

function shade(
  line: ILine,
  field: string,
  range: IRange
): React.CSSProperties | undefined {
  const value = isGroup(line)
    ? line.group.statistics.get(field)?.mean
    : valueOf(line, field);
  return typeof value === 'number' ? tint(value, range) : undefined;
}

function measured(
  found: IStatistic | undefined,
  measure: Measure,
  field: string
): string {
  if (!found?.count) {
    return '';
  }
  const write = field === 'duration' ? duration : number;
  const about = field === 'duration' ? duration : short;
  if (measure === 'range') {
    return `${write(found.minimum)} – ${write(found.maximum)}`;
  }
  const spread = measure === 'interval' ? found.half : found.deviation;
  return Number.isNaN(spread)
    ? write(found.mean)
    : `${write(found.mean)} ± ${about(spread)}`;
}

/** Two digits of what says how sure a number is. */
function short(value: number): string {
  return number(Number(value.toPrecision(2)));
}

/** Everything that is known of the numbers of a group. */
function all(found: IStatistic, trans: TranslationBundle): string {
  const spread = (value: number) =>
    Number.isNaN(value) ? trans.__('unknown') : short(value);
  return [
    trans._n('%1 value', '%1 values', found.count),
    trans.__('mean %1', number(found.mean)),
    trans.__('standard deviation %1', spread(found.deviation)),
    trans.__('95 % interval of the mean ± %1', spread(found.half)),
    trans.__('from %1 to %2', number(found.minimum), number(found.maximum))
  ].join('\n');
}

function numeric(field: string): boolean {
  const it = parsed(field);
  return it?.kind === 'metric' || it?.kind === 'param' || field === 'duration';
}

/** What the spread of a group takes beside its mean. */
const SPREAD = 56;

function widthOf(field: string, title: string): number {
  const it = parsed(field);
  const least =
    it?.kind === 'attribute' ? (field === 'status' ? 125 : 105) : 100;
  return Math.max(least, Math.min(200, 8 * title.length + 34));
}

/** What a group is called. */
export function groupTitle(group: IGroup, trans: TranslationBundle): string {
  if (group.key === undefined) {
    return trans.__('none');
  }
  if (typeof group.key === 'string') {
    return group.key;
  }
  return isTime(group.field)
    ? exact(1000 * group.key)
    : group.field === 'starred'
      ? group.key
        ? trans.__('starred')
        : trans.__('not starred')
      : number(group.key);
}
