import React from 'react';

import { Empty } from './empty';
import { Grid, type IColumn, type IGridProps } from './grid';
import { useStudio } from './hooks';
import { byName } from './names';

/** A column of a list; one with a `value` sorts by it. */
export interface IListColumn<R> extends IColumn<R> {
  value?: (row: R) => string | number;
}

/** What the user made of a list; part of a page's arguments. */
export interface IListArgs {
  filter?: string;
  sort?: string;
  descending?: boolean;
  widths?: Record<string, number>;
}

/** The rows that hold every word of the filter, in the order that was asked for. */
export function arranged<R>(
  rows: ReadonlyArray<R>,
  columns: ReadonlyArray<IListColumn<R>>,
  text: (row: R) => string,
  args: IListArgs
): R[] {
  const words = (args.filter ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  const found = rows.filter(row => {
    const searched = text(row).toLowerCase();
    return words.every(word => searched.includes(word));
  });
  const value = columns.find(each => each.id === args.sort)?.value;
  if (!value) {
    return found;
  }
  const way = args.descending ? -1 : 1;
  return found
    .map(row => ({ row, key: value(row) }))
    .sort((a, b) => way * compared(a.key, b.key))
    .map(each => each.row);
}

function compared(a: string | number, b: string | number): number {
  return typeof a === 'string' && typeof b === 'string'
    ? byName(a, b)
    : Number(a) - Number(b);
}

type Passed<R> = Pick<
  IGridProps<R>,
  | 'label'
  | 'keyOf'
  | 'selected'
  | 'onSelect'
  | 'onOpen'
  | 'onDelete'
  | 'onContextMenu'
  | 'attributes'
  | 'onDragStart'
>;

/**
 * A list that is here as a whole: filtered, sorted and counted in the page.
 *
 * `/` leads to the filter, Escape from there to the rows.
 */
export function List<R>(
  props: Passed<R> & {
    columns: ReadonlyArray<IListColumn<R>>;
    rows: ReadonlyArray<R>;
    /** How many there are, where only some are here. */
    total: number;
    text: (row: R) => string;
    args: IListArgs;
    setArgs: (changes: Partial<IListArgs>) => void;
    /** Buttons beside the filter. */
    actions?: React.ReactNode;
    title: string;
    empty: React.ReactNode;
  }
): React.JSX.Element {
  const { trans } = useStudio();
  const { args, setArgs, rows, columns, text } = props;
  const filter = React.useRef<HTMLInputElement>(null);
  const shown = React.useMemo(
    () => arranged(rows, columns, text, args),
    [rows, columns, text, args]
  );
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.key === '/' && event.target !== filter.current) {
      event.preventDefault();
      filter.current?.focus();
    }
  };
  return (
    <div className="jp-StudioPage" onKeyDown={onKeyDown}>
      <div className="jp-StudioPage-header">
        <h1>{props.title}</h1>
        <input
          ref={filter}
          type="search"
          placeholder={trans.__('Filter')}
          aria-label={trans.__('Filter %1', props.label)}
          value={args.filter ?? ''}
          onChange={event =>
            setArgs({ filter: event.target.value || undefined })
          }
        />
        <span role="status" className="jp-StudioList-count">
          {shown.length === props.total
            ? trans._n('%1 row', '%1 rows', props.total)
            : trans.__('%1 of %2', shown.length, props.total)}
        </span>
        <div className="jp-StudioPage-actions">{props.actions}</div>
      </div>
      <Grid
        label={props.label}
        columns={columns.map(each => ({ ...each, sortable: !!each.value }))}
        count={shown.length}
        row={index => shown[index]}
        keyOf={props.keyOf}
        sort={
          args.sort
            ? { by: args.sort, descending: !!args.descending }
            : undefined
        }
        onSort={({ by, descending }) => setArgs({ sort: by, descending })}
        widths={args.widths}
        onWidths={widths => setArgs({ widths })}
        selected={props.selected}
        onSelect={props.onSelect}
        onOpen={props.onOpen}
        onDelete={props.onDelete}
        onContextMenu={props.onContextMenu}
        attributes={props.attributes}
        onDragStart={props.onDragStart}
        empty={
          rows.length ? (
            <Empty title={trans.__('Nothing matches the filter')}>
              <button
                className="jp-StudioButton"
                onClick={() => setArgs({ filter: undefined })}
              >
                {trans.__('Show all')}
              </button>
            </Empty>
          ) : (
            props.empty
          )
        }
      />
    </div>
  );
}
