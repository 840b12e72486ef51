import React from 'react';

import { number } from '../components/format';
import { useStudio } from '../components/hooks';
import { TypeMark } from './cells';
import { Popover } from '../components/popover';
import type { ColumnProfile } from '../core/protocol';

/** What is dragged from the list of fields onto a shelf: the column's name. */
export const FIELD_MIME = 'application/x-studio-column';

const MOST_FIELDS = 200;
const MOST_OPTIONS = 300;
const MOST_SUGGESTIONS = 50;

/** One column, or none, out of some; out of very many, by typing its name. */
export function ColumnSelect(props: {
  label: string;
  columns: ReadonlyArray<{ name: string }>;
  value: string | undefined | null;
  onChange: (name: string | undefined) => void;
  required?: boolean;
}): React.JSX.Element {
  const { trans } = useStudio();
  if (props.columns.length > MOST_OPTIONS) {
    return <ColumnInput {...props} />;
  }
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

function ColumnInput(
  props: React.ComponentProps<typeof ColumnSelect>
): React.JSX.Element {
  const { trans } = useStudio();
  const { columns, value, onChange } = props;
  const id = React.useId();
  const [text, setText] = React.useState(value ?? '');
  React.useEffect(() => setText(value ?? ''), [value]);
  const type = (next: string) => {
    setText(next);
    if (columns.some(({ name }) => name === next)) {
      onChange(next);
    } else if (!next && !props.required) {
      onChange(undefined);
    }
  };
  const wanted = text.toLowerCase();
  const found = columns
    .filter(({ name }) => name.toLowerCase().includes(wanted))
    .slice(0, MOST_SUGGESTIONS);
  return (
    <>
      <input
        aria-label={props.label}
        placeholder={trans.__('Type its name')}
        list={id}
        value={text}
        onChange={event => type(event.target.value)}
        onBlur={() => setText(value ?? '')}
      />
      <datalist id={id}>
        {found.map(({ name }) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </>
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
  const found = columns.filter(({ name }) =>
    name.toLowerCase().includes(find.toLowerCase())
  );
  return (
    <Popover
      button={trans.__(
        '%1: %2 of %3',
        props.label,
        number(chosen.length),
        number(columns.length)
      )}
      label={props.label}
    >
      {columns.length > 10 && (
        <input
          type="search"
          aria-label={trans.__('Find columns')}
          placeholder={trans.__('Find columns')}
          value={find}
          onChange={event => setFind(event.target.value)}
        />
      )}
      {found.slice(0, MOST_FIELDS).map(column => {
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
            <TypeMark semantic={column.semantic} trans={trans} /> {column.name}
          </label>
        );
      })}
      {chosen.length >= most && (
        <p>{trans.__('At most %1 can be chosen.', most)}</p>
      )}
    </Popover>
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
          {trans.__(
            '%1 of %2 columns',
            number(shown.length),
            number(found.length)
          )}
        </p>
      )}
    </div>
  );
}
