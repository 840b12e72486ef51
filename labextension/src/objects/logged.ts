import type { TranslationBundle } from '@jupyterlab/translation';

import type { ITable } from '../components/chart/frame';
import { plain } from '../components/chart/theme';
import { number } from '../components/format';

/** A curve that AWS's SDKs log: of a classifier, by its thresholds. */
export interface ICurve {
  kind: 'roc' | 'precision-recall';
  title: string;
  x: number[];
  y: number[];
  /** The area below it, or its average precision. */
  score: number | null;
  /** The precision of a classifier without skill. */
  level: number | null;
}

/** How often each true class (a row) was taken for each class (a column). */
export interface IMatrix {
  kind: 'matrix';
  title: string;
  counts: number[][];
}

export type Logged = ICurve | IMatrix;

/** A chart that a tracker of AWS's SDKs logged; null for any other text. */
export function loggedChart(text: string): Logged | null {
  if (!/^\s*\{/.test(text)) {
    return null;
  }
  try {
    return chartOf(JSON.parse(text) as Record<string, unknown>);
  } catch {
    return null; // a part of a file, or no JSON
  }
}

function chartOf(found: Record<string, unknown>): Logged | null {
  const title = typeof found['title'] === 'string' ? found['title'] : '';
  switch (found['type']) {
    case 'ConfusionMatrix': {
      const counts = found['confusionMatrix'];
      return isMatrix(counts) ? { kind: 'matrix', title, counts } : null;
    }
    case 'ROCCurve':
      return curve(
        'roc',
        title,
        found['falsePositiveRate'],
        found['truePositiveRate'],
        found['areaUnderCurve'],
        null
      );
    case 'PrecisionRecallCurve':
      return curve(
        'precision-recall',
        title,
        found['recall'],
        found['precision'],
        found['averagePrecisionScore'],
        found['noSkill']
      );
    default:
      return null;
  }
}

function curve(
  kind: ICurve['kind'],
  title: string,
  x: unknown,
  y: unknown,
  score: unknown,
  level: unknown
): ICurve | null {
  const known = (value: unknown) => (typeof value === 'number' ? value : null);
  return isNumbers(x) && isNumbers(y) && x.length === y.length && x.length
    ? { kind, title, x, y, score: known(score), level: known(level) }
    : null;
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(it => typeof it === 'number');
}

function isMatrix(value: unknown): value is number[][] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every(row => isNumbers(row) && row.length === value.length)
  );
}

/** What Plotly draws, what is said of it, and its numbers. */
export interface IDrawnChart {
  data: object[];
  layout: Record<string, unknown>;
  summary: string;
  table: ITable;
}

/** A curve of somebody, in a colour. */
export interface INamedCurve {
  name: string;
  color?: string;
  curve: ICurve;
}

/** Cells of a side in which there is room for a number. */
const WRITTEN = 20;

/** A confusion matrix: true classes down, what they were taken for aside. */
export function matrixChart(
  { counts }: IMatrix,
  trans: TranslationBundle
): IDrawnChart {
  const all = counts.flat().reduce((sum, it) => sum + it, 0);
  const right = counts.reduce((sum, row, at) => sum + row[at], 0);
  const classes = counts.map((_, at) => String(at));
  return {
    data: [
      {
        type: 'heatmap',
        x: classes,
        y: classes,
        z: counts,
        coloraxis: 'coloraxis',
        hovertemplate: trans.__(
          'true %1, predicted %2: %3',
          '%{y}',
          '%{x}',
          '%{z}<extra></extra>'
        ),
        ...(counts.length <= WRITTEN && { texttemplate: '%{z}' })
      }
    ],
    layout: {
      meta: { scale: 'sequential' },
      coloraxis: { showscale: counts.length > WRITTEN },
      xaxis: { title: { text: trans.__('Predicted class') }, type: 'category' },
      yaxis: {
        title: { text: trans.__('True class') },
        type: 'category',
        autorange: 'reversed'
      }
    },
    summary: trans.__(
      '%1 of %2 are right (%3)',
      right.toLocaleString(),
      all.toLocaleString(),
      number(right / all)
    ),
    table: {
      columns: [trans.__('True class'), ...classes],
      rows: counts.map((row, at) => [classes[at], ...row])
    }
  };
}

/** Curves of one kind in one chart, beside what no skill would have. */
export function curveChart(
  curves: readonly INamedCurve[],
  trans: TranslationBundle
): IDrawnChart {
  const roc = curves[0].curve.kind === 'roc';
  const score = roc ? trans.__('area') : trans.__('average precision');
  const named = curves.map(({ name, curve }) =>
    curve.score === null ? name : `${name} (${score} ${number(curve.score)})`
  );
  const [xTitle, yTitle] = roc
    ? [trans.__('False positive rate'), trans.__('True positive rate')]
    : [trans.__('Recall'), trans.__('Precision')];
  const lines = curves.map(({ color, curve }, at) => ({
    type: 'scatter',
    mode: 'lines',
    name: plain(cut(named[at])),
    x: curve.x,
    y: curve.y,
    // What has a colour keeps it; others have the theme's.
    ...(color ? { line: { color, width: 2 } } : { meta: { color: at } })
  }));
  return {
    data: [...lines, ...withoutSkill(curves, roc, trans)],
    layout: {
      xaxis: { title: { text: xTitle }, range: [-0.01, 1.01] },
      yaxis: { title: { text: yTitle }, range: [-0.01, 1.02] },
      showlegend: curves.length > 1
    },
    summary: named.join('; '),
    table: {
      columns: [trans.__('Curve'), xTitle, yTitle],
      rows: curves.flatMap(({ name, curve }) =>
        curve.x.map((x, at) => [name, x, curve.y[at]])
      )
    }
  };
}

const LONGEST = 60;

/** For a legend: names differ at their ends, and so does the score. */
function cut(name: string): string {
  const half = LONGEST / 2;
  return name.length > LONGEST
    ? `${name.slice(0, half)}…${name.slice(-half)}`
    : name;
}

function withoutSkill(
  curves: readonly INamedCurve[],
  roc: boolean,
  trans: TranslationBundle
): object[] {
  const levels = [...new Set(curves.map(({ curve }) => curve.level))];
  const level = levels.length === 1 ? levels[0] : null;
  const ends = roc ? [0, 1] : level === null ? null : [level, level];
  return ends
    ? [
        {
          type: 'scatter',
          mode: 'lines',
          name: trans.__('no skill'),
          x: [0, 1],
          y: ends,
          line: { color: '#888888', dash: 'dot', width: 1 },
          hoverinfo: 'skip'
        }
      ]
    : [];
}
