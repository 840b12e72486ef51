import React from 'react';

import { useStudio } from '../components/hooks';
import { isWhole, opLabel, opsOf, shown, typed, valuesOf } from './conditions';
import { usePage } from './context';
import { ColumnSelect } from './fields';
import type { Condition, Op } from '../core/protocol';

const PAUSE_MS = 500;

interface IDraft {
  id: number;
  condition: Condition;
}

let lastId = 0;

/** Conditions on rows, to add, change and remove; those that lack a value are kept back. */
export function Filters(props: {
  filters: Condition[];
  onChange: (filters: Condition[]) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { profile } = usePage();
  const [drafts, setDrafts] = useDrafts(props.filters, props.onChange);
  const [first] = profile.columns;
  return (
    <div
      className="jp-StudioData-filters"
      role="group"
      aria-label={trans.__('Filters')}
    >
      {drafts.map(({ id, condition }) => (
        <ConditionEditor
          key={id}
          condition={condition}
          onChange={changed =>
            setDrafts(
              drafts.map(each =>
                each.id === id ? { id, condition: changed } : each
              )
            )
          }
          onRemove={() => setDrafts(drafts.filter(each => each.id !== id))}
        />
      ))}
      <button
        className="jp-StudioButton"
        disabled={!first}
        onClick={() =>
          setDrafts([
            ...drafts,
            draft({ column: first.name, op: opsOf(first.type)[0], value: null })
          ])
        }
      >
        {trans.__('Add filter')}
      </button>
      {drafts.length > 1 && (
        <button
          className="jp-StudioButton jp-mod-minimal"
          onClick={() => setDrafts([])}
        >
          {trans.__('Remove all')}
        </button>
      )}
    </div>
  );
}

function draft(condition: Condition): IDraft {
  return { id: ++lastId, condition };
}

/** What is being typed, told on when the user pauses. */
function useDrafts(
  filters: Condition[],
  onChange: (filters: Condition[]) => void
): [IDraft[], (drafts: IDraft[]) => void] {
  const [drafts, setDrafts] = React.useState(() => filters.map(draft));
  const whole = JSON.stringify(
    drafts.map(({ condition }) => condition).filter(isWhole)
  );
  const given = JSON.stringify(filters);
  const told = React.useRef(given);
  const tell = React.useRef(onChange);
  tell.current = onChange;
  React.useEffect(() => {
    // They were changed elsewhere: by undo, by a click on a warning.
    if (given !== told.current) {
      told.current = given;
      setDrafts((JSON.parse(given) as Condition[]).map(draft));
    }
  }, [given]);
  React.useEffect(() => {
    if (whole === told.current) {
      return;
    }
    const timer = setTimeout(() => {
      told.current = whole;
      tell.current(JSON.parse(whole) as Condition[]);
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [whole]);
  return [drafts, setDrafts];
}

function ConditionEditor(props: {
  condition: Condition;
  onChange: (condition: Condition) => void;
  onRemove: () => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { profile } = usePage();
  const { condition, onChange } = props;
  const column = profile.column(condition.column);
  const type = column?.type ?? 'text';
  const [texts, setTexts] = React.useState(() => shown(condition));
  const ops =
    condition.op === 'duplicated' ? ['duplicated' as Op] : opsOf(type);
  const type_ = (at: number, text: string) => {
    const next = [...texts];
    next[at] = text;
    setTexts(next);
    onChange({ ...condition, value: typed(next, condition.op, type) });
  };
  const choose = (name: string, op: Op) => {
    const chosen = profile.column(name)?.type ?? 'text';
    const kept = opsOf(chosen).includes(op) ? op : opsOf(chosen)[0];
    onChange({ column: name, op: kept, value: typed(texts, kept, chosen) });
  };
  const count = valuesOf(condition.op);
  return (
    <div className="jp-StudioData-filter">
      {condition.op !== 'duplicated' && (
        <ColumnSelect
          label={trans.__('Column')}
          columns={profile.columns}
          value={condition.column}
          onChange={name => choose(name ?? '', condition.op)}
          required
        />
      )}
      <select
        aria-label={trans.__('Condition')}
        value={condition.op}
        onChange={event =>
          choose(condition.column ?? '', event.target.value as Op)
        }
      >
        {ops.map(op => (
          <option key={op} value={op}>
            {opLabel(op, trans)}
          </option>
        ))}
      </select>
      {Array.from({ length: count === 'list' ? 1 : count }, (_, at) => (
        <Value
          key={at}
          boolean={type === 'boolean'}
          numeric={(type === 'integer' || type === 'float') && count !== 'list'}
          label={
            count === 2
              ? at === 0
                ? trans.__('From')
                : trans.__('To')
              : trans.__('Value')
          }
          placeholder={
            count === 'list'
              ? trans.__('a, b, c')
              : type === 'datetime'
                ? trans.__('2026-01-31T12:00')
                : ''
          }
          suggestions={
            type === 'text'
              ? (column?.top ?? []).map(({ value }) => String(value))
              : []
          }
          text={texts[at] ?? ''}
          onType={text => type_(at, text)}
        />
      ))}
      <button
        className="jp-StudioButton jp-mod-minimal"
        aria-label={trans.__('Remove this filter')}
        onClick={props.onRemove}
      >
        ✕
      </button>
    </div>
  );
}

function Value(props: {
  label: string;
  text: string;
  onType: (text: string) => void;
  boolean: boolean;
  numeric: boolean;
  placeholder: string;
  suggestions: string[];
}): React.JSX.Element {
  const id = React.useId();
  if (props.boolean) {
    return (
      <select
        aria-label={props.label}
        value={props.text}
        onChange={event => props.onType(event.target.value)}
      >
        <option value="" />
        {['true', 'false'].map(value => (
          <option key={value} value={value}>
            {value}
          </option>
        ))}
      </select>
    );
  }
  return (
    <>
      <input
        aria-label={props.label}
        value={props.text}
        placeholder={props.placeholder}
        inputMode={props.numeric ? 'decimal' : undefined}
        aria-invalid={
          props.numeric && props.text !== '' && Number.isNaN(Number(props.text))
        }
        list={props.suggestions.length ? id : undefined}
        onChange={event => props.onType(event.target.value)}
      />
      {props.suggestions.length > 0 && (
        <datalist id={id}>
          {props.suggestions.map((text, at) => (
            <option key={at} value={text} />
          ))}
        </datalist>
      )}
    </>
  );
}
