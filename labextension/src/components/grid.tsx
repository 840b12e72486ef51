import { useVirtualizer } from '@tanstack/react-virtual';
import React from 'react';

import { Head } from './gridhead';
import { useStudio } from './hooks';

/** A column: what it is called, how wide, what a cell shows. */
export interface IColumn<R> {
  id: string;
  title: string;
  /** Width in pixels; the user may change it. */
  width: number;
  cell: (row: R) => React.ReactNode;
  /** Whether the header sorts. */
  sortable?: boolean;
  /** Numbers stand at the right. */
  numeric?: boolean;
}

export interface ISort {
  by: string;
  descending: boolean;
}

export interface IGridProps<R> {
  label: string;
  columns: ReadonlyArray<IColumn<R>>;
  /** Rows in all, loaded or not. */
  count: number;
  /** The row at an index; undefined while it is on its way. */
  row: (index: number) => R | undefined;
  keyOf: (row: R) => string;
  /** The rows first..last are looked at. */
  onRange?: (first: number, last: number) => void;
  sort?: ISort;
  onSort?: (sort: ISort) => void;
  /** Keys of selected rows; without it rows cannot be selected. */
  selected?: ReadonlySet<string>;
  onSelect?: (keys: ReadonlySet<string>) => void;
  /** Moving selects too: for a list that has its details beside it. */
  follow?: boolean;
  onOpen?: (row: R) => void;
  onDelete?: () => void;
  /** The menu of a row is asked for, by mouse or by key; JupyterLab's own opens by itself. */
  onContextMenu?: (row: R, event: React.MouseEvent) => void;
  /** Attributes of a row's element, such as those that context menus look for. */
  attributes?: (row: R) => Record<`data-${string}`, string>;
  onDragStart?: (row: R, event: React.DragEvent) => void;
  /** Widths that the user gave to columns. */
  widths?: Readonly<Record<string, number>>;
  onWidths?: (widths: Record<string, number>) => void;
  /** Shown instead of rows when there are none. */
  empty?: React.ReactNode;
  rowHeight?: number;
}

const ROW = 28;
/** With more columns than this, only those in view exist. */
const MANY_COLUMNS = 40;

/**
 * A table of any length: only the rows in view exist.
 *
 * Keys per WAI-ARIA's grid pattern, with the row as the unit: arrows, Page Up and Down, Home, End
 * move; Space, Shift and Ctrl select; Enter opens; Delete deletes.
 */
export function Grid<R>(props: IGridProps<R>): React.JSX.Element {
  const { count, row, keyOf, onRange, columns } = props;
  const { trans } = useStudio();
  const height = props.rowHeight ?? ROW;
  const base = React.useId();
  const scroller = React.useRef<HTMLDivElement>(null);
  const [active, setActive] = React.useState(0);
  const anchor = React.useRef(0);
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: 6,
    // React draws once a frame then, not once more within each scroll event.
    useFlushSync: false,
    scrollPaddingStart: height
  });
  const items = virtual.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items[items.length - 1]?.index ?? 0;
  React.useEffect(() => onRange?.(first, last), [first, last, onRange]);

  const widthOf = (column: IColumn<R>) =>
    props.widths?.[column.id] ?? column.width;
  const template = columns
    .map((each, i) =>
      i === columns.length - 1
        ? `minmax(${widthOf(each)}px, 1fr)`
        : `${widthOf(each)}px`
    )
    .join(' ');
  const total = columns.reduce((sum, each) => sum + widthOf(each), 0);
  const across = useVirtualizer({
    horizontal: true,
    enabled: columns.length > MANY_COLUMNS,
    count: columns.length,
    getScrollElement: () => scroller.current,
    estimateSize: index => widthOf(columns[index]),
    overscan: 4
  });
  const many = columns.length > MANY_COLUMNS;
  React.useEffect(() => {
    if (many) {
      across.measure();
    }
  }, [across, many, columns, props.widths]);
  const every = React.useMemo(() => columns.map((_, i) => i), [columns]);
  const inView = many
    ? across.getVirtualItems().map(item => item.index)
    : every;
  const keys = (from: number, to: number): string[] => {
    const found: string[] = [];
    for (let i = Math.min(from, to); i <= Math.max(from, to); i++) {
      const each = row(i);
      if (each !== undefined) {
        found.push(keyOf(each));
      }
    }
    return found;
  };
  const select = (
    index: number,
    event: { shiftKey: boolean; ctrlKey: boolean; metaKey: boolean }
  ) => {
    if (!props.onSelect) {
      return;
    }
    if (event.shiftKey) {
      props.onSelect(new Set(keys(anchor.current, index)));
      return;
    }
    anchor.current = index;
    const [key] = keys(index, index);
    if (key === undefined) {
      return;
    }
    if (event.ctrlKey || event.metaKey) {
      const next = new Set(props.selected);
      if (!next.delete(key)) {
        next.add(key);
      }
      props.onSelect(next);
    } else {
      props.onSelect(new Set([key]));
    }
  };
  const go = (index: number, event: React.KeyboardEvent) => {
    const to = Math.max(0, Math.min(count - 1, index));
    event.preventDefault();
    setActive(to);
    virtual.scrollToIndex(to);
    if (event.shiftKey || props.follow) {
      select(to, event);
    } else {
      anchor.current = to;
    }
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.target !== event.currentTarget || !count) {
      return;
    }
    const page = Math.max(
      1,
      Math.floor((scroller.current?.clientHeight ?? 300) / height) - 1
    );
    const moves: Record<string, number> = {
      ArrowDown: active + 1,
      j: active + 1,
      ArrowUp: active - 1,
      k: active - 1,
      PageDown: active + page,
      PageUp: active - page,
      Home: 0,
      End: count - 1
    };
    const current = row(active);
    if (
      event.key in moves &&
      !event.altKey &&
      !event.ctrlKey &&
      !event.metaKey
    ) {
      go(moves[event.key], event);
    } else if (event.key === ' ') {
      event.preventDefault();
      select(active, {
        shiftKey: event.shiftKey,
        ctrlKey: true,
        metaKey: false
      });
    } else if (
      event.key === 'a' &&
      (event.ctrlKey || event.metaKey) &&
      props.onSelect
    ) {
      event.preventDefault();
      props.onSelect(new Set(keys(0, count - 1)));
    } else if (event.key === 'Escape' && props.selected?.size) {
      event.stopPropagation();
      props.onSelect?.(new Set());
    } else if (event.key === 'Enter' && current !== undefined) {
      event.preventDefault();
      props.onOpen?.(current);
    } else if (event.key === 'Delete') {
      props.onDelete?.();
    } else if (
      (event.key === 'ContextMenu' ||
        (event.shiftKey && event.key === 'F10')) &&
      current !== undefined
    ) {
      event.preventDefault();
      openMenu(document.getElementById(`${base}-${active}`)!);
    }
  };

  return (
    <div className="jp-StudioGrid">
      <div
        ref={scroller}
        role="grid"
        className="jp-StudioGrid-scroller"
        tabIndex={0}
        aria-label={props.label}
        aria-rowcount={count + 1}
        aria-colcount={columns.length}
        aria-multiselectable={props.onSelect ? true : undefined}
        aria-activedescendant={
          count && row(active) !== undefined ? `${base}-${active}` : undefined
        }
        onKeyDown={onKeyDown}
      >
        <div
          role="rowgroup"
          className="jp-StudioGrid-head"
          style={{ minWidth: total }}
        >
          <div
            role="row"
            aria-rowindex={1}
            style={{ gridTemplateColumns: template, height }}
          >
            {inView.map(index => {
              const column = columns[index];
              return (
                <Head
                  key={column.id}
                  column={column}
                  index={index}
                  sort={props.sort}
                  onSort={props.onSort}
                  width={widthOf(column)}
                  onWidth={
                    props.onWidths &&
                    (width =>
                      props.onWidths!({ ...props.widths, [column.id]: width }))
                  }
                  resize={trans.__('Width of %1', column.title)}
                />
              );
            })}
          </div>
        </div>
        <div
          role="rowgroup"
          className="jp-StudioGrid-body"
          style={{ height: virtual.getTotalSize(), minWidth: total }}
        >
          {items.map(item => {
            const each = row(item.index);
            const key = each !== undefined ? keyOf(each) : undefined;
            const chosen = key !== undefined && !!props.selected?.has(key);
            return (
              <div
                key={item.index}
                id={`${base}-${item.index}`}
                role="row"
                {...(each !== undefined && props.attributes?.(each))}
                aria-rowindex={item.index + 2}
                aria-selected={props.onSelect ? chosen : undefined}
                className={`jp-StudioGrid-row ${item.index === active ? 'jp-mod-active' : ''}`}
                style={{
                  gridTemplateColumns: template,
                  height,
                  top: item.start
                }}
                draggable={each !== undefined && !!props.onDragStart}
                onDragStart={event =>
                  each !== undefined && props.onDragStart?.(each, event)
                }
                onClick={event => {
                  setActive(item.index);
                  select(item.index, event);
                }}
                onDoubleClick={() => each !== undefined && props.onOpen?.(each)}
                onContextMenu={event => {
                  setActive(item.index);
                  if (!chosen) {
                    select(item.index, {
                      shiftKey: false,
                      ctrlKey: false,
                      metaKey: false
                    });
                  }
                  if (each !== undefined) {
                    props.onContextMenu?.(each, event);
                  }
                }}
              >
                <Cells row={each} columns={columns} inView={inView} />
              </div>
            );
          })}
        </div>
      </div>
      {count === 0 && props.empty}
    </div>
  );
}

interface ICellsProps<R> {
  row: R | undefined;
  columns: ReadonlyArray<IColumn<R>>;
  inView: ReadonlyArray<number>;
}

// While the table scrolls most rows stay as they are, if `columns` is the same array.
const Cells = React.memo(CellsOf) as typeof CellsOf;

function CellsOf<R>(props: ICellsProps<R>): React.JSX.Element {
  return (
    <>
      {props.inView.map(index => {
        const column = props.columns[index];
        return (
          <div
            key={column.id}
            role="gridcell"
            aria-colindex={index + 1}
            className={column.numeric ? 'jp-mod-numeric' : undefined}
            style={{ gridColumn: index + 1 }}
          >
            {props.row !== undefined ? (
              column.cell(props.row)
            ) : (
              <span className="jp-StudioSkeleton-bar" />
            )}
          </div>
        );
      })}
    </>
  );
}

/** Ask for the context menu of a node as the mouse would, below its beginning. */
export function openMenu(node: HTMLElement): void {
  const { left, bottom } = node.getBoundingClientRect();
  node.dispatchEvent(
    new MouseEvent('contextmenu', {
      bubbles: true,
      cancelable: true,
      clientX: left + 24,
      clientY: bottom
    })
  );
}
