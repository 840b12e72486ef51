import React from 'react';

import { useStudio } from '../components/hooks';
import { useForm, useWas } from './form';
import { type Path, spelled, valueAt } from './paths';

type Pair = [string, string];

/** Edits a map of texts, or AWS's list of keys and values, as rows of two fields. */
export function Pairs(props: {
  path: Path;
  /** What a key is called. */
  name: string;
  add: string;
  /** The member is a list of {Key, Value}. */
  list?: boolean;
}): React.JSX.Element {
  const { trans } = useStudio();
  const form = useForm<object>();
  const stored = pairsOf(valueAt(form.draft, props.path));
  // Rows without a key yet, or with one that another has, are not in the request.
  const [rows, setRows] = React.useState<Pair[]>(stored);
  const same = JSON.stringify(kept(rows)) === JSON.stringify(stored);
  const shown = same ? rows : stored;
  const put = (next: Pair[]) => {
    setRows(next);
    const pairs = kept(next);
    form.set(
      props.path,
      pairs.length === 0
        ? undefined
        : props.list
          ? pairs.map(([Key, Value]) => ({ Key, Value }))
          : Object.fromEntries(pairs)
    );
  };
  const edit = (index: number, pair: Pair) =>
    put(shown.map((each, at) => (at === index ? pair : each)));
  return (
    <div className="jp-StudioNewJob-pairs">
      {shown.map(([key, value], index) => (
        <div key={index} className="jp-StudioNewJob-row">
          <input
            type="text"
            className="jp-mod-code"
            spellCheck={false}
            value={key}
            aria-label={trans.__('%1 %2: name', props.name, index + 1)}
            placeholder={trans.__('name')}
            data-path={spelled([...props.path, props.list ? index : key])}
            onChange={event => edit(index, [event.target.value, value])}
          />
          <input
            type="text"
            className="jp-mod-code jp-StudioNewJob-wide"
            spellCheck={false}
            value={value}
            aria-label={trans.__('%1 %2: value', props.name, key || index + 1)}
            placeholder={trans.__('value')}
            onChange={event => edit(index, [key, event.target.value])}
          />
          <button
            className="jp-StudioButton jp-mod-minimal"
            aria-label={trans.__('Remove %1', key || String(index + 1))}
            onClick={() => put(shown.filter((_, at) => at !== index))}
          >
            {trans.__('Remove')}
          </button>
          {!props.list && <Was path={[...props.path, key]} />}
        </div>
      ))}
      <button
        className="jp-StudioButton"
        onClick={() => setRows([...shown, ['', '']])}
      >
        {props.add}
      </button>
    </div>
  );
}

function Was({ path }: { path: Path }): React.JSX.Element | null {
  const was = useWas(path);
  return was ? <em className="jp-StudioField-help">{was}</em> : null;
}

function pairsOf(value: unknown): Pair[] {
  return Array.isArray(value)
    ? (value as { Key: string; Value: string }[]).map(tag => [
        tag.Key,
        tag.Value
      ])
    : Object.entries((value ?? {}) as Record<string, string>);
}

/** Rows with a key, the last of those that have the same. */
function kept(rows: Pair[]): Pair[] {
  return [...new Map(rows.filter(([key]) => key !== ''))];
}
