import { Clipboard } from '@jupyterlab/apputils';
import React from 'react';

import { Empty, Problem, Skeleton } from '../components/empty';
import { number } from '../components/format';
import { Grid, type IColumn } from '../components/grid';
import { useSignal, useStudio } from '../components/hooks';
import { Facts, Section } from '../components/parts';
import { Windows } from '../core/windows';
import { answerOf } from '../core/answers';
import { CellView, cellText } from './cells';
import { usePage } from './context';
import { Doing } from './figure';
import { Filters } from './filters';
import type {
  Cell,
  ColumnType,
  Progress,
  RowsAnswer,
  RowsRequest
} from '../core/protocol';

const WINDOW = 200;
const MOST_COLUMNS = 200;
/** Browsers can't scroll further than some 17 million pixels. */
const MOST_ROWS = 500_000;

interface IRow {
  number: number;
  cells: Cell[];
}

/** The rows themselves, by windows: filtered and sorted by the worker. */
export function Rows(): React.JSX.Element {
  const { trans } = useStudio();
  const { args, set, profile, insert } = usePage();
  const state = args.rows ?? {};
  const change = (changes: Partial<typeof state>) =>
    set({ rows: { ...state, ...changes } });
  const { windows, answer, progress } = useRows();
  const ensure = React.useCallback(
    (first: number, last: number) => windows.ensure(first, last),
    [windows]
  );
  const columns = answer?.columns ?? [];
  const selected = state.selected;
  const row = selected === undefined ? undefined : rowOf(windows, selected);
  return (
    <div className="jp-StudioData-split">
      <div className="jp-StudioData-list">
        <div className="jp-StudioData-bar">
          <Filters
            filters={state.filters ?? []}
            onChange={filters => change({ filters, selected: undefined })}
          />
          {profile.columns.length > 12 && (
            <input
              type="search"
              aria-label={trans.__('Show columns named')}
              placeholder={trans.__('Show columns named…')}
              value={state.find ?? ''}
              onChange={event =>
                change({ find: event.target.value || undefined })
              }
            />
          )}
          <span className="jp-StudioData-right">
            <span role="status">{answer && counted(answer, trans)}</span>
            {answer && (
              <>
                <button
                  className="jp-StudioButton jp-mod-minimal"
                  onClick={() => Clipboard.copyToSystem(answer.code)}
                >
                  {trans.__('Copy code')}
                </button>
                <button
                  className="jp-StudioButton jp-mod-minimal"
                  onClick={() => insert(answer.code)}
                >
                  {trans.__('Insert as notebook cell')}
                </button>
              </>
            )}
          </span>
        </div>
        {windows.error !== null ? (
          <Problem
            error={windows.error}
            retry={() => windows.reset()}
            what={trans.__('These rows could not be read.')}
          />
        ) : !answer ? (
          <>
            <Skeleton lines={8} />
            {progress && <Doing progress={progress} />}
          </>
        ) : (
          <Grid
            label={trans.__('Rows')}
            columns={gridColumns(columns, trans)}
            count={Math.min(windows.total ?? 0, MOST_ROWS)}
            row={index => windows.row(index)}
            keyOf={each => String(each.number)}
            onRange={ensure}
            sort={state.sort}
            onSort={sort => change({ sort, selected: undefined })}
            widths={state.widths}
            onWidths={widths => change({ widths })}
            selected={new Set(selected === undefined ? [] : [selected])}
            onSelect={keys => change({ selected: [...keys].pop() })}
            follow
            empty={
              <Empty
                title={
                  state.filters?.length
                    ? trans.__('No row matches the filters.')
                    : trans.__('There are no rows.')
                }
              />
            }
          />
        )}
      </div>
      {row && (
        <div className="jp-StudioData-detail">
          <Section
            title={trans.__('Row %1', number(row.number + 1))}
            actions={
              <button
                className="jp-StudioButton jp-mod-minimal"
                onClick={() => change({ selected: undefined })}
              >
                {trans.__('Close')}
              </button>
            }
          >
            <Facts
              facts={columns.map(({ name }, at) => [
                name,
                cellText(row.cells[at])
              ])}
            />
          </Section>
        </div>
      )}
    </div>
  );
}

interface IRows {
  windows: Windows<IRow>;
  /** The last answer: its columns, its code, its counts. */
  answer: RowsAnswer | null;
  progress: Progress | null;
}

function useRows(): IRows {
  const { client } = useStudio();
  const { source, args, profile } = usePage();
  const { filters, sort, find } = args.rows ?? {};
  const [answer, setAnswer] = React.useState<RowsAnswer | null>(null);
  const [progress, setProgress] = React.useState<Progress | null>(null);
  const wanted = find?.toLowerCase();
  const request: RowsRequest = {
    source,
    filters: filters ?? [],
    sort: sort ? [{ column: sort.by, descending: sort.descending }] : [],
    columns: wanted
      ? profile.columns
          .map(({ name }) => name)
          .filter(name => name.toLowerCase().includes(wanted))
          .slice(0, MOST_COLUMNS)
      : null
  };
  const key = JSON.stringify(request);
  const [asked, windows] = React.useMemo(() => {
    const abort = new AbortController();
    const made = new Windows<IRow>({
      size: WINDOW,
      load: async (offset, limit) => {
        const page = await answerOf(
          client,
          'rows',
          { ...(JSON.parse(key) as RowsRequest), offset, limit },
          abort.signal,
          setProgress
        );
        setAnswer(page);
        return {
          rows: page.rows.map((cells, at) => ({
            number: page.numbers[at],
            cells
          })),
          total: page.matching
        };
      }
    });
    return [abort, made];
  }, [client, key]);
  useSignal(windows.changed);
  React.useEffect(() => {
    windows.ensure(0, 0);
    return () => {
      asked.abort();
      windows.dispose();
    };
  }, [asked, windows]);
  return { windows, answer, progress };
}

function rowOf(windows: Windows<IRow>, key: string): IRow | undefined {
  const total = windows.total ?? 0;
  for (let index = 0; index < total; index++) {
    const row = windows.row(index);
    if (row && String(row.number) === key) {
      return row;
    }
  }
  return undefined;
}

type Trans = ReturnType<typeof useStudio>['trans'];

function counted(answer: RowsAnswer, trans: Trans): string {
  const { matching, total, columns, column_count } = answer;
  const all =
    matching === total
      ? trans.__('%1 rows', number(total))
      : trans.__('%1 of %2 rows', number(matching), number(total));
  const rows =
    matching > MOST_ROWS
      ? trans.__(
          '%1, of which the first %2 are listed; filter or sort to see others',
          all,
          number(MOST_ROWS)
        )
      : all;
  return columns.length === column_count
    ? rows
    : trans.__(
        '%1, %2 of %3 columns',
        rows,
        number(columns.length),
        number(column_count)
      );
}

const TYPE_WIDTHS = {
  integer: 90,
  float: 100,
  boolean: 80,
  datetime: 180,
  text: 130
};

/** Wide enough for the values of a type, and for most of the name. */
function widthOf(name: string, type: ColumnType['type']): number {
  return Math.max(TYPE_WIDTHS[type], Math.min(220, 9 * name.length + 28));
}

function gridColumns(columns: ColumnType[], trans: Trans): IColumn<IRow>[] {
  const missing = trans.__('missing');
  return [
    {
      id: '',
      title: '#',
      width: 72,
      numeric: true,
      cell: row => number(row.number + 1)
    },
    ...columns.map(({ name, type }, at): IColumn<IRow> => {
      const numeric = type === 'integer' || type === 'float';
      return {
        id: name,
        title: name,
        width: widthOf(name, type),
        sortable: true,
        numeric,
        cell: row => <CellView value={row.cells[at]} missing={missing} />
      };
    })
  ];
}
