import React from 'react';

import { Empty } from '../components/empty';
import { number, percent } from '../components/format';
import { Grid, type IColumn, type ISort } from '../components/grid';
import { useStudio } from '../components/hooks';
import { cellText, semanticLabel, ShareBar, Spark, TypeMark } from './cells';
import { usePage } from './context';
import { ColumnDetail } from './detail';
import type { Cell, ColumnProfile } from '../core/protocol';

const MANY_MISSING = 0.2;

/** What each column sorts by. */
const SORTS: Record<string, (column: ColumnProfile) => Cell> = {
  name: column => column.name.toLowerCase(),
  index: column => column.index,
  type: column => column.semantic,
  missing: column => column.missing_share,
  distinct: column => column.distinct,
  power: column => column.power,
  min: column => column.min,
  median: column => column.quantiles[4] ?? null,
  max: column => column.max,
  mean: column => column.mean,
  skew: column => column.skew
};

/** All columns in a list, and all about the selected one beside it. */
export function Columns(): React.JSX.Element {
  const { trans } = useStudio();
  const { profile, args, set } = usePage();
  const state = args.columns ?? {};
  const change = (changes: Partial<typeof state>) =>
    set({ columns: { ...state, ...changes } });
  const shown = React.useMemo(
    () => arranged(profile.columns, state.find ?? '', state.sort),
    [profile.columns, state.find, state.sort]
  );
  const selected = profile.column(state.selected);
  return (
    <div className="jp-StudioData-split">
      <div className="jp-StudioData-list">
        <div className="jp-StudioData-bar">
          <input
            type="search"
            aria-label={trans.__('Find columns')}
            placeholder={trans.__('Find columns')}
            value={state.find ?? ''}
            onChange={event =>
              change({ find: event.target.value || undefined })
            }
          />
          <span role="status">
            {trans.__(
              '%1 of %2 columns',
              number(shown.length),
              number(profile.columns.length)
            )}
          </span>
        </div>
        <Grid
          label={trans.__('Columns')}
          columns={useGridColumns(!!args.target)}
          count={shown.length}
          row={index => shown[index]}
          keyOf={column => column.name}
          rowHeight={36}
          sort={state.sort}
          onSort={sort => change({ sort })}
          selected={
            new Set(state.selected === undefined ? [] : [state.selected])
          }
          onSelect={keys => change({ selected: [...keys].pop() })}
          follow
          empty={
            !profile.running && (
              <Empty
                title={trans.__('No column is called that.')}
                hint={trans.__('Empty the field above to see all of them.')}
              />
            )
          }
        />
      </div>
      <div className="jp-StudioData-detail">
        {selected ? (
          <ColumnDetail column={selected} />
        ) : (
          <Empty title={trans.__('Select a column to see all about it.')} />
        )}
      </div>
    </div>
  );
}

function arranged(
  columns: ReadonlyArray<ColumnProfile>,
  find: string,
  sort: ISort | undefined
): ColumnProfile[] {
  const wanted = find.toLowerCase();
  const found = columns.filter(column =>
    column.name.toLowerCase().includes(wanted)
  );
  const by = sort && SORTS[sort.by];
  if (!by) {
    return found;
  }
  const sign = sort.descending ? -1 : 1;
  return found.sort((one, other) => sign * compared(by(one), by(other), sign));
}

/** Missing values last, whatever the direction; numbers before text. */
function compared(one: Cell, other: Cell, sign: number): number {
  if (one === null || other === null) {
    return one === other ? 0 : one === null ? sign : -sign;
  }
  if (typeof one !== typeof other) {
    return typeof one === 'number' ? -1 : 1;
  }
  return one < other ? -1 : one > other ? 1 : 0;
}

function useGridColumns(target: boolean): IColumn<ColumnProfile>[] {
  const { trans } = useStudio();
  const figure = (
    id: string,
    title: string,
    read: (column: ColumnProfile) => Cell
  ): IColumn<ColumnProfile> => ({
    id,
    title,
    width: 86,
    numeric: true,
    sortable: true,
    cell: column => {
      const value = read(column);
      return (
        <span title={value === null ? undefined : String(value)}>
          {value === null ? '' : cellText(value)}
        </span>
      );
    }
  });
  return [
    {
      id: 'name',
      title: trans.__('Name'),
      width: 190,
      sortable: true,
      cell: column => (
        <span title={column.name}>
          <TypeMark semantic={column.semantic} trans={trans} /> {column.name}
        </span>
      )
    },
    {
      id: 'type',
      title: trans.__('Type'),
      width: 80,
      sortable: true,
      cell: column => (
        <span title={column.type}>{semanticLabel(column.semantic, trans)}</span>
      )
    },
    {
      id: 'spread',
      title: trans.__('Distribution'),
      width: 140,
      cell: column => <Spark column={column} />
    },
    {
      id: 'missing',
      title: trans.__('Missing'),
      width: 120,
      numeric: true,
      sortable: true,
      cell: column => (
        <ShareBar
          share={column.missing_share}
          text={percent(column.missing_share)}
          warn={column.missing_share > MANY_MISSING}
        />
      )
    },
    {
      id: 'distinct',
      title: trans.__('Distinct'),
      width: 86,
      numeric: true,
      sortable: true,
      cell: column => (
        <span
          title={column.distinct_exact ? undefined : trans.__('An estimate')}
        >
          {column.distinct_exact ? '' : '≈ '}
          {number(column.distinct)}
        </span>
      )
    },
    ...(target
      ? [figure('power', trans.__('Power'), column => column.power)]
      : []),
    figure('min', trans.__('Min'), SORTS['min']),
    figure('median', trans.__('Median'), SORTS['median']),
    figure('max', trans.__('Max'), SORTS['max']),
    figure('mean', trans.__('Mean'), SORTS['mean']),
    figure('skew', trans.__('Skew'), SORTS['skew'])
  ];
}
