import {
  type Change,
  columned,
  type IColumnState,
  type ISortState,
  paned
} from '../state';

/** The columns with one of them in the place of another, or one place on or back. */
export function moved(
  columns: readonly IColumnState[],
  field: string,
  to: string | 1 | -1
): IColumnState[] {
  const from = columns.findIndex(each => each.field === field);
  const at =
    typeof to === 'string'
      ? columns.findIndex(each => each.field === to)
      : from + to;
  if (from < 0 || at < 0 || at >= columns.length) {
    return [...columns];
  }
  const next = columns.filter(each => each.field !== field);
  next.splice(at, 0, columns[from]);
  return next;
}

/** The columns with one of them changed. */
export function altered(
  columns: readonly IColumnState[],
  field: string,
  changes: Partial<IColumnState>
): IColumnState[] {
  return columns.map(each =>
    each.field === field ? { ...each, ...changes } : each
  );
}

/** The columns with some more at the end; those that are there stay where they are. */
export function added(
  columns: readonly IColumnState[],
  fields: readonly string[]
): IColumnState[] {
  const there = new Set(columns.map(each => each.field));
  const fresh = [...new Set(fields)].filter(field => !there.has(field));
  return [...columns, ...fresh.map(field => ({ field }))];
}

export function without(
  columns: readonly IColumnState[],
  fields: readonly string[]
): IColumnState[] {
  const gone = new Set(fields);
  return columns.filter(each => !gone.has(each.field));
}

/** The sorts after a header was pressed: alone, or after those that there are. */
export function resorted(
  sorts: readonly ISortState[],
  sort: ISortState,
  further: boolean
): ISortState[] {
  if (!further) {
    return [sort];
  }
  const at = sorts.findIndex(each => each.field === sort.field);
  return at < 0
    ? [...sorts, sort]
    : sorts.map((each, i) => (i === at ? sort : each));
}

/** Other widths: of the columns of the view, and of those that every table has. */
export function widened(widths: Readonly<Record<string, number>>): Change {
  return state => {
    const columns = (state.columns ?? []).map(each =>
      each.field in widths ? { ...each, width: widths[each.field] } : each
    );
    const own = Object.fromEntries(
      Object.entries(widths).filter(
        ([id]) => !columns.some(each => each.field === id)
      )
    );
    const next = paned('table', { widths: own })(state);
    return state.columns ? columned(columns)(next) : next;
  };
}
