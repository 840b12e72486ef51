import React from 'react';

import { Heads } from './gridhead';
import { type IModifiers, onKey } from './gridkeys';
import { inBlocks, useLayout } from './gridlayout';
import { openMenu, pointers } from './gridpointer';
import { Pinned, Row } from './gridrows';
import { slotted, useViewport } from './gridview';

/** A column: what it is called, how wide, what a cell shows. */
export interface IColumn<R> {
  id: string;
  title: string;
  /** A word above the title: of what kind it is. */
  caption?: string;
  /** What the header tells on hover. */
  hint?: string;
  /** Width in pixels; the user may change it. */
  width: number;
  /** What a cell shows; texts are fastest. */
  cell: (row: R) => React.ReactNode;
  /** The text that `cell` shows in its own way; what surely fits is drawn faster. */
  text?: (row: R) => string;
  /** Colours that stand for the value that is also written. */
  shade?: (row: R) => React.CSSProperties | undefined;
  /** A CSS background below the title: what the shades stand for, from low to high. */
  legend?: string;
  /** Whether the header sorts. */
  sortable?: boolean;
  /** Numbers stand at the right. */
  numeric?: boolean;
  /** Stays at the left edge while the others scroll. */
  pinned?: boolean;
}

export interface ISort {
  by: string;
  descending: boolean;
}

/** Where a row stands in a tree; `expanded` is absent for a leaf. */
export interface IBranch {
  level: number;
  expanded?: boolean;
}

export interface IGridProps<R> {
  label: string;
  columns: ReadonlyArray<IColumn<R>>;
  /** Rows in all, loaded or not. */
  count: number;
  /** The row at an index, the same object as long as it is the same; undefined while it is on its way. */
  row: (index: number) => R | undefined;
  keyOf: (row: R) => string;
  /** The rows first..last are looked at. */
  onRange?: (first: number, last: number) => void;
  /** The columns that are looked at; while they pass by, their neighbours too. */
  onColumns?: (ids: string[]) => void;
  /** One sort or several, the first one first. */
  sort?: ISort | ReadonlyArray<ISort>;
  /** `further`: after those that there are, not instead of them. */
  onSort?: (sort: ISort, further: boolean) => void;
  /** Keys of selected rows; without it rows cannot be selected. */
  selected?: ReadonlySet<string>;
  onSelect?: (keys: ReadonlySet<string>) => void;
  /** A range of rows is selected of which some may not be here; without it those that are here are. */
  onSelectRange?: (first: number, last: number) => void;
  /** A press adds a row to those that are selected, or takes it away. */
  toggles?: boolean;
  /** Moving selects too: for a list that has its details beside it. */
  follow?: boolean;
  onOpen?: (row: R) => void;
  onDelete?: () => void;
  /** A key that the table itself has no use for. */
  onKey?: (row: R | undefined, event: React.KeyboardEvent) => void;
  /** The menu of a row is asked for, by mouse or by key; JupyterLab's own opens by itself. */
  onContextMenu?: (row: R, event: React.MouseEvent) => void;
  /** The menu of a column is asked for. */
  onHeadMenu?: (column: IColumn<R>, event: React.MouseEvent) => void;
  /** A column is put into the place of another one, or one place on or back. */
  onMove?: (id: string, to: string | 1 | -1) => void;
  /** Attributes of a row's element, such as those that context menus look for. */
  attributes?: (row: R) => Record<`data-${string}`, string>;
  /** Classes of a row's element. */
  classOf?: (row: R) => string | undefined;
  /** Makes the table a tree: where a row stands in it. */
  branch?: (row: R) => IBranch;
  /** A branch is opened or closed. */
  onToggle?: (row: R) => void;
  onDragStart?: (row: R, event: React.DragEvent) => void;
  /** Widths that the user gave to columns. */
  widths?: Readonly<Record<string, number>>;
  onWidths?: (widths: Record<string, number>) => void;
  /** Shown instead of rows when there are none. */
  empty?: React.ReactNode;
  rowHeight?: number;
  /** The row to go to; another object goes there again. */
  target?: { index: number } | null;
}

const ROW = 28;
const CAPTIONED = 42;
const OVERSCAN = 6;
const STEPS = 4;
const STEP_X = 100;

/**
 * A table of any length and breadth: only the rows and columns in view exist.
 *
 * Keys per WAI-ARIA's grid pattern, with the row as the unit: arrows, Page Up and Down, Home, End
 * move; Space, Shift and Ctrl select; Enter opens; Delete deletes; left and right open and close a
 * branch, or scroll.
 */
export function Grid<R>(props: IGridProps<R>): React.JSX.Element {
  const { count, row, keyOf, onRange, onColumns } = props;
  const height = props.rowHeight ?? ROW;
  const head = props.columns.some(each => each.caption)
    ? Math.max(CAPTIONED, height)
    : height;
  const base = React.useId();
  const scroller = React.useRef<HTMLDivElement>(null);
  const [active, setActive] = React.useState(0);
  const anchor = React.useRef(0);
  const view = useViewport(scroller, STEP_X, STEPS * height);
  const layout = useLayout(props.columns, props.widths, view, STEP_X);

  const size = Math.ceil(view.height / height) + 2 * OVERSCAN + STEPS;
  const first = Math.max(0, Math.min(view.y / height - OVERSCAN, count - size));
  const last = Math.min(count, first + size) - 1;
  const { pinned, inView } = layout;
  React.useEffect(() => {
    if (!view.unknown) {
      const wanted = view.moving ? inBlocks(layout) : inView;
      onColumns?.([...pinned, ...wanted].map(each => each.column.id));
    }
    // The layout is another object each time: what is read of it changes with the columns in view.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [view.unknown, view.moving, pinned, inView, onColumns]);
  React.useEffect(() => {
    if (!view.unknown) {
      onRange?.(first, Math.max(first, last));
    }
  }, [view.unknown, first, last, onRange]);
  const origin = React.useRef(first);
  if (!view.moving) {
    origin.current = first;
  }

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
  const selectRange = (from: number, to: number) =>
    props.onSelectRange
      ? props.onSelectRange(Math.min(from, to), Math.max(from, to))
      : props.onSelect?.(new Set(keys(from, to)));
  const select = (index: number, event: IModifiers) => {
    if (!props.onSelect) {
      return;
    }
    if (event.shiftKey) {
      selectRange(anchor.current, index);
      return;
    }
    anchor.current = index;
    const [key] = keys(index, index);
    if (key === undefined) {
      return;
    }
    if (event.ctrlKey || event.metaKey || props.toggles) {
      const next = new Set(props.selected);
      if (!next.delete(key)) {
        next.add(key);
      }
      props.onSelect(next);
    } else {
      props.onSelect(new Set([key]));
    }
  };
  const reveal = (index: number) => {
    const node = scroller.current!;
    const room = node.clientHeight - head;
    const top = index * height;
    node.scrollTop = Math.max(
      Math.min(node.scrollTop, top),
      top + height - room
    );
  };
  const { target } = props;
  React.useEffect(() => {
    if (target) {
      setActive(target.index);
      reveal(target.index);
    }
    // Where it leads to is that of then.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [target]);
  const go = (index: number, event: React.KeyboardEvent) => {
    const to = Math.max(0, Math.min(count - 1, index));
    event.preventDefault();
    setActive(to);
    reveal(to);
    if (event.shiftKey || props.follow) {
      select(to, event);
    } else {
      anchor.current = to;
    }
  };
  const keyed = {
    props,
    scroller,
    layout,
    active,
    page: Math.max(1, Math.floor(view.height / height) - 1),
    go,
    select,
    selectAll: () => selectRange(0, count - 1),
    menu: () => {
      const line = document.getElementById(`${base}-active`);
      if (line) {
        openMenu(line);
      }
    }
  };

  // Rows that are not seen wait until what passes by at their side stands still.
  const aside = view.moving && !view.down;
  const still = React.useRef(inView);
  if (!aside) {
    still.current = inView;
  }
  const [top, bottom] = [view.y, view.y + view.height + STEPS * height];
  const cells = (index: number) =>
    aside && ((index + 1) * height < top || index * height > bottom)
      ? still.current
      : inView;

  const pins = pinned.length > 0;
  const drawn = slotted(first, last, size, origin.current).map(
    ({ slot, index }) => {
      const each = row(index);
      return {
        slot,
        index,
        row: each,
        height,
        active: index === active,
        chosen:
          props.onSelect &&
          each !== undefined &&
          !!props.selected?.has(keyOf(each)),
        classOf: props.classOf
      };
    }
  );

  return (
    <div className="jp-StudioGrid">
      <div
        ref={scroller}
        role={props.branch ? 'treegrid' : 'grid'}
        className="jp-StudioGrid-scroller"
        tabIndex={0}
        aria-label={props.label}
        aria-rowcount={count + 1}
        aria-colcount={props.columns.length}
        aria-multiselectable={props.onSelect ? true : undefined}
        aria-activedescendant={
          active >= first && active <= last && row(active) !== undefined
            ? `${base}-active`
            : undefined
        }
        onKeyDown={event => onKey(keyed, event)}
      >
        <Heads
          props={props}
          layout={layout}
          height={head}
          scroller={scroller}
        />
        <div
          role="rowgroup"
          className="jp-StudioGrid-body"
          style={{ height: count * height, width: layout.total }}
          {...pointers(props, setActive, select)}
        >
          {pins && (
            <div
              role="presentation"
              className="jp-StudioGrid-pinned"
              style={{ width: layout.pinnedWidth }}
            >
              {drawn.map(({ slot, ...each }) => (
                <Pinned
                  key={slot}
                  cells={pinned}
                  draggable={!!props.onDragStart}
                  {...each}
                />
              ))}
            </div>
          )}
          {drawn.map(({ slot, ...each }) => (
            <Row
              key={slot}
              id={each.active ? `${base}-active` : undefined}
              cells={cells(each.index)}
              attributes={props.attributes}
              branch={props.branch}
              draggable={!!props.onDragStart}
              {...each}
            />
          ))}
        </div>
      </div>
      {count === 0 && props.empty}
    </div>
  );
}
