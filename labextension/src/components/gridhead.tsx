import React from 'react';

import type { IGridProps, ISort } from './grid';
import { type ILayout, type IPlaced, revealColumn } from './gridlayout';
import { useStudio } from './hooks';

const NARROWEST = 48;
const PADDING = 18;
const HEAD_MIME = 'application/x-studio-column';

/** The sorts of a table, the first one first. */
export function sortsOf(
  sort: ISort | ReadonlyArray<ISort> | undefined
): ReadonlyArray<ISort> {
  return sort === undefined ? [] : 'by' in sort ? [sort] : sort;
}

/** The header row: one of its headers is what Tab leads to, arrows lead to the others. */
export function Heads<R>(given: {
  props: IGridProps<R>;
  layout: ILayout<R>;
  height: number;
  scroller: React.RefObject<HTMLDivElement>;
}): React.JSX.Element {
  const { props, layout, scroller } = given;
  const [current, setCurrent] = React.useState(0);
  const shown = [...layout.pinned, ...layout.inView];
  const tab = shown.some(each => each.index === current)
    ? current
    : shown[0]?.index;
  const onKeyDown = (event: React.KeyboardEvent) => {
    const to = {
      ArrowLeft: current - 1,
      ArrowRight: current + 1,
      Home: 0,
      End: layout.placed.length - 1
    }[event.key];
    if (to === undefined || event.altKey || !layout.placed[to]) {
      return;
    }
    event.preventDefault();
    revealColumn(scroller.current!, layout, to);
    setCurrent(to);
    // The header comes to be when the scrolling was seen.
    requestAnimationFrame(() =>
      requestAnimationFrame(() =>
        scroller.current
          ?.querySelector<HTMLElement>(`[data-head="${to}"]`)
          ?.focus({ preventScroll: true })
      )
    );
  };
  const fit = React.useCallback(
    (index: number) => fitted(scroller.current!, index),
    [scroller]
  );
  const head = (place: (typeof shown)[number]) => (
    <Head
      key={place.column.id}
      place={place}
      props={props}
      current={place.index === tab}
      onFocus={setCurrent}
      fit={fit}
    />
  );
  return (
    <div
      role="rowgroup"
      className="jp-StudioGrid-head"
      style={{ width: layout.total }}
      onKeyDown={onKeyDown}
    >
      <div role="row" aria-rowindex={1} style={{ height: given.height }}>
        {layout.pinned.length > 0 && (
          <div
            role="presentation"
            className="jp-StudioGrid-pinned"
            style={{ width: layout.pinnedWidth }}
          >
            {layout.pinned.map(head)}
          </div>
        )}
        {layout.inView.map(head)}
      </div>
    </div>
  );
}

/** The width that the cells of a column, as far as they are in view, need. */
function fitted(node: HTMLElement, index: number): number {
  const range = document.createRange();
  const cells = node.querySelectorAll(`[aria-colindex="${index + 1}"]`);
  const widths = [...cells].map(cell => {
    range.selectNodeContents(cell);
    return Math.max(range.getBoundingClientRect().width, cell.scrollWidth - 16);
  });
  return Math.max(...widths) + PADDING;
}

interface IHeadProps<R> {
  place: IPlaced<R>;
  props: IGridProps<R>;
  /** It is the one that Tab leads to. */
  current: boolean;
  onFocus: (index: number) => void;
  /** The width that its cells in view need. */
  fit: (index: number) => number;
}

/**
 * A header: sorts by a press, its right edge sets the width, and it is dragged elsewhere.
 *
 * Keys: Enter sorts, with Shift as well as before; Alt and arrows set the width, with Shift the place.
 */
const Head = React.memo(HeadOf) as typeof HeadOf;

function HeadOf<R>(given: IHeadProps<R>): React.JSX.Element {
  const { place, props } = given;
  const { column, index, left, width } = place;
  const sorts = sortsOf(props.sort);
  const at = sorts.findIndex(each => each.by === column.id);
  const sorted = at < 0 ? undefined : sorts[at];
  const way = sorted
    ? sorted.descending
      ? 'descending'
      : 'ascending'
    : 'none';
  const sortable = !!column.sortable && !!props.onSort;
  const setWidth = (to: number) =>
    props.onWidths?.({
      ...props.widths,
      [column.id]: Math.max(NARROWEST, Math.round(to))
    });
  const sort = (event: React.MouseEvent) =>
    props.onSort!(
      {
        by: column.id,
        descending: sorted ? !sorted.descending : !!column.numeric
      },
      event.shiftKey
    );
  const press = (event: React.KeyboardEvent) => {
    const by = ({ ArrowLeft: -1, ArrowRight: 1 } as const)[
      event.key as 'ArrowLeft'
    ] as -1 | 1 | undefined;
    if (!by || !event.altKey) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    if (event.shiftKey) {
      props.onMove?.(column.id, by);
    } else {
      setWidth(width + 16 * by);
    }
  };
  const common = {
    tabIndex: given.current ? 0 : -1,
    onFocus: () => given.onFocus(index),
    onKeyDown: press,
    'data-head': index
  };
  const label = (
    <>
      {column.caption && <small>{column.caption}</small>}
      <span>
        {column.title}
        <Mark sort={sorted} rank={sorts.length > 1 ? at + 1 : 0} />
      </span>
    </>
  );
  return (
    <div
      role="columnheader"
      aria-colindex={index + 1}
      aria-sort={column.sortable ? way : undefined}
      className={column.numeric ? 'jp-mod-numeric' : undefined}
      style={{ left, width }}
      title={column.hint}
      onContextMenu={event => props.onHeadMenu?.(column, event)}
      {...(props.onMove && dragged(column.id, props))}
    >
      {sortable ? (
        <button {...common} onClick={sort}>
          {label}
        </button>
      ) : (
        <span className="jp-StudioGrid-title" {...common}>
          {label}
        </span>
      )}
      {column.legend && (
        <div
          className="jp-StudioGrid-legend"
          style={{ background: column.legend }}
        />
      )}
      {props.onWidths && (
        <Handle
          width={width}
          onWidth={setWidth}
          onFit={() => setWidth(given.fit(index))}
        />
      )}
    </div>
  );
}

function Mark(props: {
  sort: ISort | undefined;
  rank: number;
}): React.JSX.Element | null {
  if (!props.sort) {
    return null;
  }
  return (
    <span aria-hidden="true">
      {props.sort.descending ? ' ▼' : ' ▲'}
      {props.rank > 0 && <sup>{props.rank}</sup>}
    </span>
  );
}

/** What makes a header something that is dragged to the place of another. */
function dragged<R>(
  id: string,
  props: IGridProps<R>
): React.HTMLAttributes<HTMLDivElement> & { draggable: boolean } {
  const ours = (event: React.DragEvent) =>
    event.dataTransfer.types.includes(HEAD_MIME);
  const over = (event: React.DragEvent<HTMLDivElement>, on: boolean) =>
    event.currentTarget.classList.toggle('jp-mod-target', on);
  return {
    draggable: true,
    onDragStart: event => {
      event.dataTransfer.setData(HEAD_MIME, id);
      event.dataTransfer.effectAllowed = 'move';
    },
    onDragOver: event => {
      if (ours(event)) {
        event.preventDefault();
        over(event, true);
      }
    },
    onDragLeave: event => void over(event, false),
    onDrop: event => {
      over(event, false);
      if (ours(event)) {
        event.preventDefault();
        props.onMove!(event.dataTransfer.getData(HEAD_MIME), id);
      }
    }
  };
}

/** The right edge of a header: drag it, or press it twice for the width that the cells need. */
function Handle(props: {
  width: number;
  onWidth: (width: number) => void;
  onFit: () => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const begin = (event: React.PointerEvent<HTMLDivElement>) => {
    event.preventDefault();
    const node = event.currentTarget;
    const from = event.clientX;
    const head = node.parentElement!;
    const draggable = head.draggable;
    head.draggable = false;
    node.setPointerCapture(event.pointerId);
    node.onpointermove = move =>
      props.onWidth(props.width + move.clientX - from);
    node.onlostpointercapture = () => {
      head.draggable = draggable;
      node.onpointermove = node.onlostpointercapture = null;
    };
  };
  return (
    <div
      className="jp-StudioGrid-handle"
      title={trans.__('Drag to set the width; press twice to fit')}
      onPointerDown={begin}
      onDoubleClick={props.onFit}
    />
  );
}
