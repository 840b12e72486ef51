import React from 'react';

import type { IColumn } from './grid';
import type { IViewport } from './gridview';

/** With more columns than this, only those in view exist. */
const MANY_COLUMNS = 40;
const OVERSCAN = 200;
/** Columns that are asked for together while they pass by. */
const BLOCK = 16;
/** The share of the width that pinned columns take at most. */
const MOST_PINNED = 0.7;

/** A column where it stands: pinned ones from the left edge, the others from the pinned ones on. */
export interface IPlaced<R> {
  column: IColumn<R>;
  index: number;
  /** A column that comes into view takes over the cells of one that goes. */
  slot: number;
  left: number;
  width: number;
}

/** Where the columns stand, in pixels. */
export interface ILayout<R> {
  pinned: ReadonlyArray<IPlaced<R>>;
  /** Those that scroll, as far as they are in view. */
  inView: ReadonlyArray<IPlaced<R>>;
  placed: ReadonlyArray<IPlaced<R>>;
  pinnedWidth: number;
  total: number;
}

/** Place columns in a viewport that moves in steps of `step` pixels; the last one fills what is left. */
export function useLayout<R>(
  columns: ReadonlyArray<IColumn<R>>,
  widths: Readonly<Record<string, number>> | undefined,
  view: IViewport,
  step: number
): ILayout<R> {
  const { x, width, down } = view;
  const virtual = columns.length > MANY_COLUMNS;
  const whole = React.useMemo(() => {
    const all = laid(columns, widths, width);
    return virtual ? slotted(all, step + width + 2 * OVERSCAN) : all;
  }, [columns, widths, width, virtual, step]);
  // Rows that only pass by need no more than is seen of them; the rest comes when they stand still.
  const many = virtual || down;
  const inView = React.useMemo(
    () =>
      many
        ? seen(whole, x, x + step + width)
        : whole.placed.slice(whole.pinned.length),
    [many, whole, x, step, width]
  );
  return { ...whole, inView };
}

function laid<R>(
  columns: ReadonlyArray<IColumn<R>>,
  widths: Readonly<Record<string, number>> | undefined,
  room: number
): Omit<ILayout<R>, 'inView'> {
  const wanted = columns.filter(each => each.pinned);
  const kept = pinnable(wanted, widths, room);
  let left = 0;
  const ordered = [...wanted, ...columns.filter(each => !each.pinned)];
  const placed = ordered.map((column, index): IPlaced<R> => {
    const own = widths?.[column.id] ?? column.width;
    const last = index === ordered.length - 1;
    const width = last ? Math.max(own, room - left) : own;
    left += width;
    return { column, index, slot: index, left: left - width, width };
  });
  const pinned = placed.slice(0, kept);
  const pinnedWidth = pinned.reduce((sum, each) => sum + each.width, 0);
  return { pinned, placed, pinnedWidth, total: left };
}

/** With as many slots as there are columns in view at most; those that are pinned keep their own. */
function slotted<R>(
  whole: Omit<ILayout<R>, 'inView'>,
  room: number
): Omit<ILayout<R>, 'inView'> {
  const { placed } = whole;
  let [first, most] = [0, 1];
  placed.forEach(({ left }, at) => {
    while (left - placed[first].left - placed[first].width > room) {
      first++;
    }
    most = Math.max(most, at - first + 1);
  });
  return {
    ...whole,
    placed: placed.map(each => ({ ...each, slot: each.index % most }))
  };
}

/** How many of the pinned columns leave room for others to pass by. */
function pinnable<R>(
  columns: ReadonlyArray<IColumn<R>>,
  widths: Readonly<Record<string, number>> | undefined,
  room: number
): number {
  let left = room * MOST_PINNED;
  const at = columns.findIndex(each => {
    left -= widths?.[each.id] ?? each.width;
    return room > 0 && left < 0;
  });
  return at < 0 ? columns.length : at;
}

function seen<R>(
  whole: Omit<ILayout<R>, 'inView'>,
  from: number,
  to: number
): IPlaced<R>[] {
  return whole.placed
    .slice(whole.pinned.length)
    .filter(
      ({ left, width }) =>
        left + width > from + whole.pinnedWidth - OVERSCAN &&
        left < to + OVERSCAN
    );
}

/** The columns in view with their neighbours, in whole blocks: of each is asked once, not for each column. */
export function inBlocks<R>(layout: ILayout<R>): ReadonlyArray<IPlaced<R>> {
  const { placed, inView, pinned } = layout;
  const [first, last] = [inView[0]?.index ?? 0, inView.at(-1)?.index ?? 0];
  return placed.slice(
    Math.max(pinned.length, first - (first % BLOCK)),
    last + BLOCK - (last % BLOCK)
  );
}

/** Scroll so that a column is in view. */
export function revealColumn<R>(
  node: HTMLElement,
  layout: ILayout<R>,
  index: number
): void {
  const { left, width } = layout.placed[index];
  if (index >= layout.pinned.length) {
    node.scrollLeft = Math.min(
      Math.max(node.scrollLeft, left + width - node.clientWidth),
      left - layout.pinnedWidth
    );
  }
}

/** How wide a text may be at most in a font of `size` pixels, by its letters. */
export function widest(text: string, size = 13): number {
  let width = 0;
  for (let at = 0; at < text.length; at++) {
    width += letter(text.charCodeAt(at));
  }
  return width * size;
}

function letter(code: number): number {
  if (code > 126 || code === 77 || code === 87 || code === 109 || code === 37) {
    return 1.1; // M W m %, and what is not ASCII
  }
  if (code >= 64 && code <= 90) {
    return 0.85;
  }
  return code === 119 ? 0.85 : 0.68;
}
