import React from 'react';

import { useStudio } from '../components/hooks';
import { Section } from '../components/parts';
import type { studio } from '../wire';
import { SectionFaults, SelectField, TextField, useForm } from './form';
import { Pairs } from './pairs';

type Row = studio.HyperParameterSpecification;

/** What the algorithm is told; generated from its own table. */
export function Hyperparameters(): React.JSX.Element {
  const { trans } = useStudio();
  const { algorithm, draft } = useForm();
  return (
    <Section title={trans.__('Hyperparameters')}>
      <SectionFaults path="HyperParameters" />
      {algorithm ? (
        <Table algorithm={algorithm} />
      ) : !draft.AlgorithmSpecification?.TrainingImage ? (
        <p>{trans.__('They are those of the algorithm: choose one first.')}</p>
      ) : (
        <Pairs
          path={['HyperParameters']}
          name={trans.__('Hyperparameter')}
          add={trans.__('Add hyperparameter')}
        />
      )}
    </Section>
  );
}

function Table(props: {
  algorithm: studio.DescribeAlgorithmResponse;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { draft, set } = useForm();
  const [filter, setFilter] = React.useState('');
  const given = draft.HyperParameters ?? {};
  const rows = props.algorithm.HyperParameters;
  const found = rows.filter(row => matches(row, filter));
  const unknown = Object.keys(given).filter(
    name => !rows.some(row => row.Name === name || row.Aliases.includes(name))
  );
  const groups = grouped(found, given);
  return (
    <>
      <div className="jp-StudioNewJob-row">
        <input
          type="search"
          value={filter}
          placeholder={trans.__('Find by name or description')}
          aria-label={trans.__('Find a hyperparameter')}
          onChange={event => setFilter(event.target.value)}
        />
        <span className="jp-StudioField-help" aria-live="polite">
          {filter
            ? trans.__('%1 of %2', found.length, rows.length)
            : trans.__('%1 of %2 set', Object.keys(given).length, rows.length)}
        </span>
        <button
          className="jp-StudioButton jp-mod-minimal"
          disabled={Object.keys(given).length === 0}
          onClick={() => set(['HyperParameters'], undefined)}
        >
          {trans.__('Reset all')}
        </button>
      </div>
      {groups.required.length > 0 && (
        <Group title={trans.__('Required')} rows={groups.required} />
      )}
      {groups.common.length > 0 && (
        <Group title={trans.__('Common')} rows={groups.common} />
      )}
      {groups.others.length > 0 && (
        <details open={filter !== '' || undefined}>
          <summary>{trans.__('All others (%1)', groups.others.length)}</summary>
          <Group rows={groups.others} />
        </details>
      )}
      {unknown.length > 0 && (
        <div className="jp-StudioNewJob-fields">
          {unknown.map(name => (
            <TextField
              key={name}
              path={['HyperParameters', name]}
              label={name}
              help={trans.__('Not in the table of this algorithm.')}
            />
          ))}
        </div>
      )}
    </>
  );
}

/** Rows by how likely they are wanted; what is set is never hidden among the others. */
export function grouped(
  rows: Row[],
  given: Record<string, string>
): { required: Row[]; common: Row[]; others: Row[] } {
  const isSet = (row: Row) =>
    [row.Name, ...row.Aliases].some(name => name in given);
  const applies = (row: Row) => isSet(row) || meets(row, rows, given) !== false;
  const common = (row: Row) =>
    !row.IsRequired && (row.IsCommon || isSet(row)) && applies(row);
  return {
    required: rows.filter(row => row.IsRequired),
    common: rows.filter(common),
    others: rows.filter(row => !row.IsRequired && !common(row))
  };
}

/** Whether the condition of a row is met; undefined when it has none. */
export function meets(
  row: Row,
  rows: Row[],
  given: Record<string, string>
): boolean | undefined {
  if (!row.When) {
    return undefined;
  }
  const { Name: name, Values: values } = row.When;
  const other = rows.find(each => each.Name === name);
  return values.includes(given[name] ?? other?.DefaultValue ?? '');
}

function matches(row: Row, filter: string): boolean {
  const text = [row.Name, ...row.Aliases, row.Description].join(' ');
  return text.toLowerCase().includes(filter.trim().toLowerCase());
}

function Group(props: { title?: string; rows: Row[] }): React.JSX.Element {
  return (
    <>
      {props.title && <h3>{props.title}</h3>}
      <div className="jp-StudioNewJob-fields">
        {props.rows.map(row => (
          <Hyperparameter key={row.Name} row={row} />
        ))}
      </div>
    </>
  );
}

function Hyperparameter({ row }: { row: Row }): React.JSX.Element {
  const { trans } = useStudio();
  const { draft, algorithm } = useForm();
  const given = draft.HyperParameters ?? {};
  const idle = meets(row, algorithm!.HyperParameters, given) === false;
  // Who set an alias goes on with that one.
  const name = row.Aliases.find(alias => alias in given) ?? row.Name;
  const shared = {
    path: ['HyperParameters', name],
    label: name,
    required: row.IsRequired,
    help: <Help row={row} idle={idle} />
  };
  const options = closed(row);
  const usual = row.DefaultValue
    ? trans.__('default: %1', row.DefaultValue)
    : row.IsRequired
      ? trans.__('choose')
      : trans.__('not set');
  return (
    <div className={idle ? 'jp-mod-idle' : undefined}>
      {options ? (
        <SelectField
          {...shared}
          options={[
            { value: '', label: usual },
            ...options.map(value => ({ value, label: value }))
          ]}
        />
      ) : (
        <TextField
          {...shared}
          code
          placeholder={row.DefaultValue || undefined}
          words={[...row.Words, ...row.Values]}
        />
      )}
    </div>
  );
}

/** All values of a row that has only so many; null for the others. */
function closed(row: Row): string[] | null {
  if (row.Type === 'boolean') {
    return ['true', 'false', ...row.Words];
  }
  return row.Type === 'choice' && !row.IsOpen
    ? [...new Set([...row.Words, ...row.Values])]
    : null;
}

/** What a number may be: "≥ 1 or auto"; empty where everything goes. */
export function allowed(
  row: Row,
  trans: ReturnType<typeof useStudio>['trans']
): string {
  const range = row.Range;
  if (!range) {
    return '';
  }
  const low =
    range.MinValue !== undefined &&
    `${range.IsMinExcluded ? '>' : '≥'} ${range.MinValue}`;
  const high =
    range.MaxValue !== undefined &&
    `${range.IsMaxExcluded ? '<' : '≤'} ${range.MaxValue}`;
  const limits = [low, high].filter(Boolean).join(trans.__(' and '));
  return [limits, ...row.Words].filter(Boolean).join(trans.__(' or '));
}

function Help({ row, idle }: { row: Row; idle: boolean }): React.JSX.Element {
  const { trans } = useStudio();
  const limits = allowed(row, trans);
  return (
    <>
      {row.Description}
      {limits && <span className="jp-StudioNewJob-limits"> {limits}</span>}
      {idle && row.When && (
        <strong>
          {' '}
          {trans.__(
            'Only with %1 %2.',
            row.When.Name,
            row.When.Values.join(trans.__(' or '))
          )}
        </strong>
      )}
    </>
  );
}
