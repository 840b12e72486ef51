import type React from 'react';

import type { IGridProps } from './grid';
import type { IModifiers } from './gridkeys';

const PLAIN = { shiftKey: false, ctrlKey: false, metaKey: false };

/** The handlers of all rows, for the body: rows that pass by need none of their own. */
export function pointers<R>(
  props: IGridProps<R>,
  activate: (index: number) => void,
  select: (index: number, event: IModifiers) => void
): React.HTMLAttributes<HTMLDivElement> {
  const found = (
    event: React.SyntheticEvent,
    then: (row: R | undefined, index: number) => void
  ) => {
    const line = (event.target as HTMLElement).closest('[data-row]');
    if (line) {
      const index = Number(line.getAttribute('data-row'));
      then(props.row(index), index);
    }
  };
  return {
    onMouseOver: event => {
      tellCut(event);
      point(event.currentTarget, event.target as HTMLElement);
    },
    onMouseLeave: event => point(event.currentTarget, null),
    onClick: event =>
      found(event, (_, index) => {
        activate(index);
        select(index, event);
      }),
    onDoubleClick: event =>
      found(event, row => row !== undefined && props.onOpen?.(row)),
    onContextMenu: event =>
      found(event, (row, index) => {
        activate(index);
        if (row === undefined || !props.selected?.has(props.keyOf(row))) {
          select(index, PLAIN);
        }
        if (row !== undefined) {
          props.onContextMenu?.(row, event);
        }
      }),
    onDragStart: event =>
      found(event, row => row !== undefined && props.onDragStart?.(row, event))
  };
}

/** Mark the row that the pointer is on, its pinned cells too. */
function point(body: HTMLElement, node: HTMLElement | null): void {
  const at = node?.closest('[data-row]')?.getAttribute('data-row');
  for (const each of body.querySelectorAll('.jp-mod-hover')) {
    each.classList.remove('jp-mod-hover');
  }
  if (at) {
    for (const each of body.querySelectorAll(`[data-row="${at}"]`)) {
      each.classList.add('jp-mod-hover');
    }
  }
}

/** A cell whose content is cut tells all of it on hover. */
function tellCut(event: React.MouseEvent): void {
  const cell = (event.target as HTMLElement).closest<HTMLElement>(
    '[role=gridcell]'
  );
  if (cell && !cell.querySelector('[title]')) {
    const cut = cell.scrollWidth > cell.clientWidth;
    cell.title = cut ? (cell.textContent ?? '') : '';
  }
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
