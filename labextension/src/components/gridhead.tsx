import React from 'react';

import type { IColumn, ISort } from './grid';

const NARROWEST = 48;

/** A header: sorts by a press, and its right edge sets the width. */
export function Head<R>(props: {
  column: IColumn<R>;
  index: number;
  sort?: ISort;
  onSort?: (sort: ISort) => void;
  width: number;
  onWidth?: (width: number) => void;
  resize: string;
}): React.JSX.Element {
  const { column, sort } = props;
  const sorted = sort?.by === column.id;
  const direction = sorted
    ? sort.descending
      ? 'descending'
      : 'ascending'
    : 'none';
  const mark = sorted ? (sort.descending ? ' ▼' : ' ▲') : '';
  return (
    <div
      role="columnheader"
      aria-colindex={props.index + 1}
      aria-sort={column.sortable ? direction : undefined}
      className={column.numeric ? 'jp-mod-numeric' : undefined}
      style={{ gridColumn: props.index + 1 }}
    >
      {column.sortable && props.onSort ? (
        <button
          onClick={() =>
            props.onSort!({
              by: column.id,
              descending: sorted ? !sort.descending : !!column.numeric
            })
          }
        >
          {column.title}
          <span aria-hidden="true">{mark}</span>
        </button>
      ) : (
        <span>{column.title}</span>
      )}
      {props.onWidth && (
        <Handle
          width={props.width}
          onWidth={props.onWidth}
          label={props.resize}
        />
      )}
    </div>
  );
}

/** The right edge of a header: drag it, or give it the focus and press the arrows. */
function Handle(props: {
  width: number;
  onWidth: (width: number) => void;
  label: string;
}): React.JSX.Element {
  const begin = (event: React.PointerEvent<HTMLDivElement>) => {
    event.preventDefault();
    const node = event.currentTarget;
    const from = event.clientX;
    node.setPointerCapture(event.pointerId);
    node.onpointermove = move =>
      props.onWidth(Math.max(NARROWEST, props.width + move.clientX - from));
    node.onpointerup = () => (node.onpointermove = node.onpointerup = null);
  };
  const press = (event: React.KeyboardEvent) => {
    const by = { ArrowLeft: -16, ArrowRight: 16 }[event.key];
    if (by) {
      event.preventDefault();
      props.onWidth(Math.max(NARROWEST, props.width + by));
    }
  };
  return (
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label={props.label}
      aria-valuenow={props.width}
      aria-valuemin={NARROWEST}
      tabIndex={0}
      className="jp-StudioGrid-handle"
      onPointerDown={begin}
      onKeyDown={press}
    />
  );
}
