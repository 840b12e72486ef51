import React from 'react';

import type { IGridProps } from './grid';
import { type IPlaced, widest } from './gridlayout';

const PADDING = 16;

interface IRowProps<R> {
  row: R | undefined;
  index: number;
  id?: string;
  height: number;
  active: boolean;
  /** Undefined where rows cannot be selected. */
  chosen: boolean | undefined;
  cells: ReadonlyArray<IPlaced<R>>;
  classOf: IGridProps<R>['classOf'];
}

/** A row in its slot; it is drawn again only when something of it changes. */
export const Row = React.memo(RowOf) as typeof RowOf;

function RowOf<R>(
  props: IRowProps<R> & {
    attributes: IGridProps<R>['attributes'];
    branch: IGridProps<R>['branch'];
    draggable: boolean;
  }
): React.JSX.Element {
  const { row, index } = props;
  const branch = row !== undefined ? props.branch?.(row) : undefined;
  return (
    <div
      id={props.id}
      role="row"
      {...(row !== undefined && props.attributes?.(row))}
      data-row={index}
      aria-rowindex={index + 2}
      aria-selected={props.chosen}
      aria-level={branch?.level}
      aria-expanded={branch?.expanded}
      className={look(props)}
      style={place(props)}
      draggable={props.draggable && row !== undefined}
    >
      {props.cells.map(each => (
        <Cell key={each.slot} row={row} place={each} />
      ))}
    </div>
  );
}

/**
 * The pinned cells of a row, a part of it with the same index: they lie in the one block that stays
 * at the left, since a block of its own for each row costs the browser a layer each.
 */
export const Pinned = React.memo(PinnedOf) as typeof PinnedOf;

function PinnedOf<R>(
  props: IRowProps<R> & { draggable: boolean }
): React.JSX.Element {
  return (
    <div
      role="row"
      data-row={props.index}
      aria-rowindex={props.index + 2}
      aria-selected={props.chosen}
      className={look(props)}
      style={place(props)}
      draggable={props.draggable && props.row !== undefined}
    >
      {props.cells.map(each => (
        <Cell key={each.column.id} row={props.row} place={each} />
      ))}
    </div>
  );
}

function look<R>(props: IRowProps<R>): string {
  const own = props.row !== undefined && props.classOf?.(props.row);
  return [
    'jp-StudioGrid-row',
    props.active && 'jp-mod-active',
    props.chosen && 'jp-mod-chosen',
    own
  ]
    .filter(Boolean)
    .join(' ');
}

function place<R>({ index, height }: IRowProps<R>): React.CSSProperties {
  return {
    height,
    lineHeight: `${height - 1}px`,
    transform: `translateY(${index * height}px)`
  };
}

const Cell = React.memo(CellOf) as typeof CellOf;

function CellOf<R>(props: {
  row: R | undefined;
  place: IPlaced<R>;
}): React.JSX.Element {
  const { row } = props;
  const { column, index, left, width } = props.place;
  const content = row === undefined ? AWAITED : column.cell(row);
  const shade = row !== undefined ? column.shade?.(row) : undefined;
  return (
    <div
      role="gridcell"
      aria-colindex={index + 1}
      className={classOf(
        content,
        row !== undefined ? column.text?.(row) : '',
        width,
        column.numeric
      )}
      style={{ left, width, ...shade }}
    >
      {content}
    </div>
  );
}

const AWAITED = <span className="jp-StudioGrid-awaited" />;

/** What fits is not clipped: clips cost the browser more than all else while rows pass by. */
function classOf(
  content: React.ReactNode,
  text: string | undefined,
  width: number,
  numeric: boolean | undefined
): string | undefined {
  const plain = typeof content === 'string';
  const shown = plain ? content : text;
  const names = [];
  if (!plain) {
    names.push('jp-mod-node');
  }
  if (shown !== undefined && widest(shown) + PADDING <= width) {
    names.push('jp-mod-fits');
  }
  if (numeric) {
    names.push('jp-mod-numeric');
  }
  return names.length ? names.join(' ') : undefined;
}
