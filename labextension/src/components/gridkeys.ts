import type React from 'react';

import type { IGridProps } from './grid';
import type { ILayout } from './gridlayout';

/** The keys that change what a press selects. */
export interface IModifiers {
  shiftKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
}

interface IKeyed<R> {
  props: IGridProps<R>;
  scroller: React.RefObject<HTMLElement>;
  layout: ILayout<R>;
  active: number;
  /** Rows that a page holds. */
  page: number;
  go: (index: number, event: React.KeyboardEvent) => void;
  select: (index: number, event: IModifiers) => void;
  selectAll: () => void;
  menu: () => void;
}

const TOGGLE = { shiftKey: false, ctrlKey: true, metaKey: false };

/** What the keys do in a table. */
export function onKey<R>(it: IKeyed<R>, event: React.KeyboardEvent): void {
  const { props, active } = it;
  if (event.target !== event.currentTarget || !props.count) {
    return;
  }
  const row = props.row(active);
  const control = event.ctrlKey || event.metaKey;
  const to = goal(it, event.key);
  const done = () => event.preventDefault();
  if (to !== undefined && !event.altKey && !control) {
    it.go(to, event);
  } else if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
    aside(it, row, event);
  } else if (event.key === ' ') {
    done();
    it.select(active, { ...TOGGLE, shiftKey: event.shiftKey });
  } else if (event.key === 'a' && control && props.onSelect) {
    done();
    it.selectAll();
  } else if (event.key === 'Escape' && props.selected?.size) {
    event.stopPropagation();
    props.onSelect?.(new Set());
  } else if (event.key === 'Enter' && row !== undefined) {
    done();
    props.onOpen?.(row);
  } else if (event.key === 'Delete') {
    props.onDelete?.();
  } else if (
    event.key === 'ContextMenu' ||
    (event.shiftKey && event.key === 'F10')
  ) {
    done();
    it.menu();
  } else {
    props.onKey?.(row, event);
  }
}

/** The row that a key leads to. */
function goal<R>(it: IKeyed<R>, key: string): number | undefined {
  const { active, page, props } = it;
  return {
    ArrowDown: active + 1,
    j: active + 1,
    ArrowUp: active - 1,
    k: active - 1,
    PageDown: active + page,
    PageUp: active - page,
    Home: 0,
    End: props.count - 1
  }[key];
}

/** Left and right close and open a branch; elsewhere they scroll by a column. */
function aside<R>(
  it: IKeyed<R>,
  row: R | undefined,
  event: React.KeyboardEvent
): void {
  const right = event.key === 'ArrowRight';
  const branch = row !== undefined ? it.props.branch?.(row) : undefined;
  event.preventDefault();
  if (branch?.expanded !== undefined && branch.expanded !== right) {
    it.props.onToggle?.(row!);
    return;
  }
  const node = it.scroller.current!;
  const from = node.scrollLeft + it.layout.pinnedWidth;
  const free = it.layout.placed.slice(it.layout.pinned.length);
  const next = right
    ? free.find(each => each.left > from + 1)
    : [...free].reverse().find(each => each.left < from - 1);
  if (next) {
    node.scrollLeft = next.left - it.layout.pinnedWidth;
  }
}
