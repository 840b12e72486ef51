import React from 'react';

import { Field } from '../components/form';
import { useStudio } from '../components/hooks';
import { Section } from '../components/parts';
import { Preview, Repeats, Zone } from '../schedules/when';
import type { IPart, Put } from './basis';
import type { IRun } from './request';

/** In which environment it runs, on what, for how long, and what goes along. */
export function Place(props: IPart & { put: Put }): React.JSX.Element {
  const { trans } = useStudio();
  const { run, put, basis } = props;
  const kernels = basis.kernels;
  const types = basis.types.map(each => each.InstanceType);
  const beside = basis.file.beside.length;
  return (
    <Section title={trans.__('Where it runs')}>
      <div className="jp-StudioNewJob-fields">
        <Field
          label={trans.__('Environment')}
          help={run.python || trans.__('The Python that Studio runs in')}
        >
          {ids => (
            <select
              {...ids}
              value={run.python}
              onChange={event => put({ python: event.target.value })}
            >
              <option value="">{trans.__("Studio's own")}</option>
              {kernels
                .filter(each => each.python)
                .map(each => (
                  <option key={each.name} value={each.python}>
                    {each.title}
                  </option>
                ))}
            </select>
          )}
        </Field>
        <Field label={trans.__('Instance type')}>
          {ids => (
            <select
              {...ids}
              value={run.instanceType}
              onChange={event => put({ instanceType: event.target.value })}
            >
              {[...new Set([run.instanceType, ...types])].map(each => (
                <option key={each}>{each}</option>
              ))}
            </select>
          )}
        </Field>
        <Field label={trans.__('Longest run (minutes)')}>
          {ids => (
            <input
              {...ids}
              type="number"
              min={1}
              value={run.minutes}
              onChange={event => put({ minutes: Number(event.target.value) })}
            />
          )}
        </Field>
      </div>
      <label className="jp-StudioNewJob-row">
        <input
          type="checkbox"
          checked={run.beside && beside > 0}
          disabled={beside === 0}
          onChange={event => put({ beside: event.target.checked })}
        />
        {beside
          ? trans._n(
              'Take %1 other file of its folder along',
              'Take %1 other files of its folder along',
              beside
            )
          : trans.__('No other files of its folder to take along')}
      </label>
    </Section>
  );
}

/** Now, later, or again and again. */
export function Times(props: { run: IRun; put: Put }): React.JSX.Element {
  const { trans } = useStudio();
  const { run, put } = props;
  const group = React.useId();
  const choices: [IRun['when'], string, string][] = [
    ['now', trans.__('Now'), trans.__('It starts when there is room.')],
    ['once', trans.__('Once, later'), trans.__('At a time that you say.')],
    [
      'repeat',
      trans.__('Again and again'),
      trans.__('By a schedule, until you pause or delete it.')
    ]
  ];
  const times =
    run.when === 'once'
      ? { ...run.times, expression: `at(${run.at}:00)` }
      : run.times;
  return (
    <Section title={trans.__('When')}>
      <div className="jp-StudioNewJob-cards">
        {choices.map(([value, label, hint]) => (
          <label key={value} className="jp-StudioNewJob-card">
            <input
              type="radio"
              name={group}
              checked={run.when === value}
              onChange={() => put({ when: value })}
            />
            <span>
              {label}
              <span>{hint}</span>
            </span>
          </label>
        ))}
      </div>
      {run.when === 'once' && (
        <div className="jp-StudioNewJob-fields">
          <Field label={trans.__('At')}>
            {ids => (
              <input
                {...ids}
                type="datetime-local"
                required
                value={run.at}
                onChange={event => put({ at: event.target.value })}
              />
            )}
          </Field>
          <Zone
            value={run.times.timezone}
            onChange={timezone => put({ times: { ...run.times, timezone } })}
          />
        </div>
      )}
      {run.when === 'repeat' && (
        <Repeats times={run.times} onChange={next => put({ times: next })} />
      )}
      {run.when !== 'now' && <Preview times={times} />}
    </Section>
  );
}
