import type { TranslationBundle } from '@jupyterlab/translation';

import type { ChartSpec, ColumnProfile, Kind } from '../core/protocol';

/** A place of a chart that a column can take. */
export type Shelf = 'x' | 'y' | 'value' | 'color' | 'facet';

/** What a kind of chart needs and takes. */
export interface IKind {
  needs: Shelf[];
  takes: Shelf[];
  /** Several columns instead of shelves. */
  columns?: { least: number; most: number };
  aggregate?: boolean;
  bins?: boolean;
}

/** The kinds in the order in which they are offered. */
export const KINDS: Record<Kind, IKind> = {
  scatter: { needs: ['x', 'y'], takes: ['color', 'facet'] },
  regression: { needs: ['x', 'y'], takes: ['color', 'facet'] },
  line: { needs: ['x', 'y'], takes: ['color', 'facet'], aggregate: true },
  timeseries: { needs: ['x', 'y'], takes: ['color', 'facet'], aggregate: true },
  bar: { needs: ['x'], takes: ['y', 'color', 'facet'], aggregate: true },
  count: { needs: ['x'], takes: ['color', 'facet'] },
  histogram: { needs: ['x'], takes: ['color', 'facet'], bins: true },
  box: { needs: ['y'], takes: ['x', 'color', 'facet'] },
  violin: { needs: ['y'], takes: ['x', 'color', 'facet'] },
  heatmap: {
    needs: ['x', 'y'],
    takes: ['value'],
    aggregate: true,
    bins: true
  },
  correlation: { needs: [], takes: [], columns: { least: 2, most: 50 } },
  pair: { needs: [], takes: ['color'], columns: { least: 2, most: 6 } }
};

/** What people call a kind. */
export function kindLabel(kind: Kind, trans: TranslationBundle): string {
  return {
    scatter: trans.__('Scatter'),
    regression: trans.__('Regression'),
    line: trans.__('Line'),
    timeseries: trans.__('Time series'),
    bar: trans.__('Bar'),
    count: trans.__('Count'),
    histogram: trans.__('Histogram'),
    box: trans.__('Box'),
    violin: trans.__('Violin'),
    heatmap: trans.__('Heatmap'),
    correlation: trans.__('Correlation'),
    pair: trans.__('Pair plot')
  }[kind];
}

/** What people call a shelf. */
export function shelfLabel(shelf: Shelf, trans: TranslationBundle): string {
  return {
    x: trans.__('X axis'),
    y: trans.__('Y axis'),
    value: trans.__('Value'),
    color: trans.__('Colour'),
    facet: trans.__('Facet')
  }[shelf];
}

/** The spec without what its kind has no place for, so that equal charts are equal. */
export function trimmed(spec: ChartSpec): ChartSpec {
  const kind = KINDS[spec.kind];
  const kept: ChartSpec = { kind: spec.kind };
  for (const shelf of [...kind.needs, ...kind.takes]) {
    if (spec[shelf]) {
      kept[shelf] = spec[shelf];
    }
  }
  if (kind.columns && spec.columns?.length) {
    kept.columns = spec.columns.slice(0, kind.columns.most);
  }
  if (spec.kind === 'correlation' && spec.method === 'spearman') {
    kept.method = spec.method;
  }
  if (kind.aggregate && spec.aggregate) {
    kept.aggregate = spec.aggregate;
  }
  if (kind.bins && spec.bins) {
    kept.bins = spec.bins;
  }
  if (spec.filters?.length) {
    kept.filters = spec.filters;
  }
  if (spec.sample) {
    kept.sample = spec.sample;
  }
  return kept;
}

/** The first thing that a spec still lacks; null when it can be drawn. */
export function lacking(spec: ChartSpec): Shelf | 'columns' | null {
  const kind = KINDS[spec.kind];
  const given = spec.columns?.length ?? 0;
  if (kind.columns && given > 0 && given < kind.columns.least) {
    return 'columns';
  }
  return kind.needs.find(shelf => !spec[shelf]) ?? null;
}

/** Whether a column's values are places on a scale. */
export function isScale(column: ColumnProfile | undefined): boolean {
  return (
    column?.type === 'integer' ||
    column?.type === 'float' ||
    column?.type === 'datetime'
  );
}

/** The chart that shows one column best. */
export function chartOf(column: ColumnProfile): ChartSpec {
  return isScale(column) && column.semantic !== 'category'
    ? { kind: 'histogram', x: column.name }
    : { kind: 'count', x: column.name };
}

/** The chart that shows best how two columns go together. */
export function chartOfTwo(x: ColumnProfile, y: ColumnProfile): ChartSpec {
  const [across, up] = [x, y].map(
    each => isScale(each) && each.semantic !== 'category'
  );
  if (x.type === 'datetime' && up) {
    return { kind: 'timeseries', x: x.name, y: y.name };
  }
  if (across && up) {
    return { kind: 'regression', x: x.name, y: y.name };
  }
  if (up || across) {
    return {
      kind: 'box',
      x: up ? x.name : y.name,
      y: up ? y.name : x.name
    };
  }
  return { kind: 'heatmap', x: x.name, y: y.name };
}

/** A spec with `column` on the shelf where it helps most. */
export function placed(spec: ChartSpec, column: ColumnProfile): ChartSpec {
  const kind = KINDS[spec.kind];
  if (kind.columns) {
    const columns = spec.columns ?? [];
    return columns.includes(column.name)
      ? { ...spec, columns: columns.filter(name => name !== column.name) }
      : { ...spec, columns: [...columns, column.name] };
  }
  const free = [...kind.needs, ...kind.takes].find(
    shelf => !spec[shelf] && (shelf !== 'color' || !isScale(column))
  );
  return { ...spec, [free ?? 'x']: column.name };
}
