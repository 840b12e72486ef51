import React from 'react';

import { useStudio } from '../components/hooks';
import { TypeMark } from './cells';
import type { ColumnProfile } from './protocol';

/** What is dragged from the list of fields onto a shelf: the column's name. */
export const FIELD_MIME = 'application/x-studio-column';

/** One column, or none, out of some. */
export function ColumnSelect(props: {
  label: string;
  columns: ReadonlyArray<ColumnProfile>;
  value: string | undefined | null;
  onChange: (name: string | undefined) => void;
  required?: boolean;
}): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <select
      aria-label={props.label}
      value={props.value ?? ''}
      onChange={event => props.onChange(event.target.value || undefined)}
    >
      {!props.required && <option value="">{trans.__('None')}</option>}
      {props.columns.map(({ name }) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
}

/** Several columns out of some, as a list of boxes to tick that opens. */
export function Columns(props: {
  label: string;
  columns: ReadonlyArray<ColumnProfile>;
  chosen: string[];
  onChange: (chosen: string[]) => void;
  most: number;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { columns, chosen, onChange, most } = props;
  const [find, setFind] = React.useState('');
  const box = React.useRef<HTMLDetailsElement>(null);
  const close = (event: React.KeyboardEvent) => {
    if (event.key === 'Escape' && box.current?.open) {
      event.stopPropagation();
      box.current.open = false;
      box.current.querySelector('summary')?.focus();
    }
  };
  const found = columns.filter(({ name }) =>
    name.toLowerCase().includes(find.toLowerCase())
  );
  return (
    <details className="jp-StudioData-choice" ref={box} onKeyDown={close}>
      <summary className="jp-StudioButton">
        {trans.__('%1: %2 of %3', props.label, chosen.length, columns.length)}
      </summary>
      <div role="group" aria-label={props.label}>
        {columns.length > 10 && (
          <input
            type="search"
            aria-label={trans.__('Find columns')}
            placeholder={trans.__('Find columns')}
            value={find}
            onChange={event => setFind(event.target.value)}
          />
        )}
        {found.map(column => {
          const ticked = chosen.includes(column.name);
          return (
            <label key={column.name} title={column.name}>
              <input
                type="checkbox"
                checked={ticked}
                disabled={!ticked && chosen.length >= most}
                onChange={() =>
                  onChange(
                    ticked
                      ? chosen.filter(name => name !== column.name)
                      : [...chosen, column.name]
                  )
                }
              />
              <TypeMark semantic={column.semantic} trans={trans} />{' '}
              {column.name}
            </label>
          );
        })}
        {chosen.length >= most && (
          <p>{trans.__('At most %1 can be chosen.', most)}</p>
        )}
      </div>
    </details>
  );
}

/** All columns, to drag onto the shelves of a chart or to click there. */
export function FieldList(props: {
  columns: ReadonlyArray<ColumnProfile>;
  onPick: (column: ColumnProfile) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const [find, setFind] = React.useState('');
  const found = props.columns.filter(({ name }) =>
    name.toLowerCase().includes(find.toLowerCase())
  );
  const shown = found.slice(0, MOST_FIELDS);
  return (
    <div className="jp-StudioData-fields">
      <input
        type="search"
        aria-label={trans.__('Find columns')}
        placeholder={trans.__('Find columns')}
        value={find}
        onChange={event => setFind(event.target.value)}
      />
      <ul aria-label={trans.__('Columns to place on the chart')}>
        {shown.map(column => (
          <li key={column.name}>
            <button
              draggable
              title={trans.__(
                '%1: drag it to a place of the chart, or press to put it where it fits',
                column.name
              )}
              onClick={() => props.onPick(column)}
              onDragStart={event => {
                event.dataTransfer.setData(FIELD_MIME, column.name);
                event.dataTransfer.setData('text/plain', column.name);
                event.dataTransfer.effectAllowed = 'copy';
              }}
            >
              <TypeMark semantic={column.semantic} trans={trans} />{' '}
              {column.name}
            </button>
          </li>
        ))}
      </ul>
      {shown.length < found.length && (
        <p className="jp-StudioData-words">
          {trans.__('%1 of %2 columns', shown.length, found.length)}
        </p>
      )}
    </div>
  );
}

const MOST_FIELDS = 200;
