import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { number } from '../components/format';
import type { Cell, ColumnProfile, Semantic } from '../core/protocol';

/** A value as text; what is missing is a dash. */
export function cellText(value: Cell): string {
  return value === null
    ? '–'
    : typeof value === 'number'
      ? number(value)
      : String(value);
}

const FLOAT_DIGITS = 7;

/** A value in a table; what is missing looks unlike the text "–". */
export function CellView(props: {
  value: Cell;
  missing: string;
}): React.JSX.Element {
  const { value, missing } = props;
  if (value === null) {
    return <span className="jp-StudioData-missing">{missing}</span>;
  }
  const exact = String(value);
  const text =
    typeof value === 'number' && !Number.isInteger(value)
      ? String(Number(value.toPrecision(FLOAT_DIGITS)))
      : exact;
  return <span title={exact}>{text}</span>;
}

/** What people call a kind of column. */
export function semanticLabel(
  semantic: Semantic,
  trans: TranslationBundle
): string {
  return {
    number: trans.__('number'),
    boolean: trans.__('yes/no'),
    category: trans.__('category'),
    text: trans.__('text'),
    datetime: trans.__('time'),
    id: trans.__('ID'),
    empty: trans.__('empty')
  }[semantic];
}

/** A sign for the kind of a column, beside its name. */
export function TypeMark(props: {
  semantic: Semantic;
  trans: TranslationBundle;
}): React.JSX.Element {
  const marks: Record<Semantic, string> = {
    number: '#',
    boolean: '◐',
    category: '≡',
    text: 'T',
    datetime: '◷',
    id: 'ID',
    empty: '∅'
  };
  const label = semanticLabel(props.semantic, props.trans);
  return (
    <span
      className="jp-StudioData-type"
      role="img"
      aria-label={label}
      title={label}
    >
      {marks[props.semantic]}
    </span>
  );
}

/** A part of a whole as a bar with its words. */
export function ShareBar(props: {
  share: number;
  text: string;
  warn?: boolean;
}): React.JSX.Element {
  return (
    <span className="jp-StudioData-share" title={props.text}>
      <span className="jp-StudioData-track" aria-hidden="true">
        <span
          className={props.warn ? 'jp-mod-warn' : undefined}
          style={{ width: `${100 * Math.min(1, Math.max(0, props.share))}%` }}
        />
      </span>
      <span className="jp-StudioData-shareText">{props.text}</span>
    </span>
  );
}

const MOST_VALUES = 100;

/** How a column's values are spread, small: bars of its histogram or of its commonest values. */
export function Spark(props: { column: ColumnProfile }): React.JSX.Element {
  const { histogram, top, other, examples, distinct } = props.column;
  if (!histogram && other > 0 && distinct > MOST_VALUES) {
    // Bars of values that are all rare tell nothing; the values do.
    return (
      <span className="jp-StudioData-words">
        {examples.map(cellText).join(', ')}
      </span>
    );
  }
  const counts = histogram?.counts ?? [
    ...top.map(({ count }) => count),
    ...(other > 0 ? [other] : [])
  ];
  return <SparkBars counts={counts} label={sparkLabel(props.column)} />;
}

/** Bars without axes; `over` is drawn as an outline above them. */
export function SparkBars(props: {
  counts: number[];
  over?: number[];
  label: string;
}): React.JSX.Element {
  const counts = merged(props.counts);
  const over = props.over && merged(props.over);
  const most = Math.max(...counts, ...(over ?? []), 1e-300);
  return (
    <svg
      className="jp-StudioData-spark"
      viewBox={`0 0 ${counts.length || 1} 1`}
      preserveAspectRatio="none"
      role="img"
      aria-label={props.label}
    >
      <title>{props.label}</title>
      <path d={bars(counts, most)} />
      {over && <path className="jp-mod-over" d={steps(over, most)} />}
    </svg>
  );
}

const MOST_BARS = 48;

/** Neighbours added up, so that a bar is never thinner than it can be seen. */
function merged(counts: number[]): number[] {
  const by = Math.ceil(counts.length / MOST_BARS);
  return by <= 1
    ? counts
    : Array.from({ length: Math.ceil(counts.length / by) }, (_, at) =>
        counts.slice(at * by, (at + 1) * by).reduce((sum, each) => sum + each)
      );
}

function bars(counts: number[], most: number): string {
  const gap = counts.length > 24 ? 0 : 0.08;
  return counts
    .map((count, at) => {
      const height = count / most;
      return height > 0
        ? `M${at + gap} 1V${(1 - Math.max(height, 0.03)).toFixed(4)}H${at + 1 - gap}V1Z`
        : '';
    })
    .join('');
}

function steps(counts: number[], most: number): string {
  return `M0 1${counts.map((count, at) => `V${(1 - count / most).toFixed(4)}H${at + 1}`).join('')}V1`;
}

function sparkLabel(column: ColumnProfile): string {
  const { histogram, top } = column;
  if (!histogram) {
    const [first] = top;
    return first ? `${cellText(first.value)}: ${first.count}` : '–';
  }
  return `${cellText(column.min)} … ${cellText(column.max)}`;
}
