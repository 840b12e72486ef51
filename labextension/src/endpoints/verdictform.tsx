import React from 'react';

import type { Fields } from '../components/ask';
import { Field } from '../components/form';
import { useStudio } from '../components/hooks';
import type { studio } from '../wire';

/** What a new test is of; effects in percent. */
export interface ITest {
  name: string;
  control: string;
  treatment: string;
  metric: studio.CreateVariantTestRequest['Metric'];
  lessIsBetter: boolean;
  effect: number;
  days: number;
  /** Percent worse at the most; 0: no guardrail. */
  errors: number;
  latency: number;
  promote: boolean;
  rollback: boolean;
}

/** A test to begin with: the variant with the most requests is the control. */
export function firstTest(name: string, variants: string[]): ITest {
  return {
    name,
    control: variants[0] ?? '',
    treatment: variants[1] ?? '',
    metric: 'Conversion',
    lessIsBetter: false,
    effect: 5,
    days: 14,
    errors: 20,
    latency: 20,
    promote: false,
    rollback: true
  };
}

/** The request that begins a test. */
export function requestOf(
  endpoint: string,
  test: ITest
): studio.CreateVariantTestRequest {
  const limits: [studio.CreateVariantTestRequest['Metric'], number][] = [
    ['Errors', test.errors],
    ['ModelLatency', test.latency]
  ];
  return {
    VariantTestName: test.name,
    EndpointName: endpoint,
    ControlVariant: test.control,
    TreatmentVariant: test.treatment,
    Metric: test.metric,
    ...(test.metric === 'Value' && test.lessIsBetter
      ? { Direction: 'Decrease' as const }
      : {}),
    MinimumEffect: test.effect / 100,
    MaximumDurationInSeconds: Math.round(86_400 * test.days),
    Guardrails: limits
      .filter(([metric, limit]) => metric !== test.metric && limit > 0)
      .map(([Metric, limit]) => ({ Metric, MaxWorsening: limit / 100 })),
    AutoPromote: test.promote,
    AutoRollback: test.rollback
  };
}

/** The form of a test on an endpoint with these variants. */
export function fieldsFor(variants: string[]): Fields<ITest> {
  return function TestFields({ value, onChange }) {
    const { trans } = useStudio();
    const set = (change: Partial<ITest>) => onChange({ ...value, ...change });
    const metrics: [
      studio.CreateVariantTestRequest['Metric'],
      string,
      string
    ][] = [
      [
        'Conversion',
        trans.__('Conversion'),
        trans.__('Your program says 0 or 1 of each answer, by its InferenceId.')
      ],
      [
        'Value',
        trans.__('Value'),
        trans.__(
          'Your program says a number of each answer, by its InferenceId.'
        )
      ],
      [
        'Errors',
        trans.__('Errors'),
        trans.__('Requests that are not answered. Fewer is better.')
      ],
      [
        'ModelLatency',
        trans.__('Latency'),
        trans.__('The time that the model takes. Less is better.')
      ]
    ];
    return (
      <>
        <Field label={trans.__('Name')}>
          {ids => (
            <input
              {...ids}
              value={value.name}
              onChange={event => set({ name: event.target.value })}
            />
          )}
        </Field>
        <Choice
          label={trans.__('Control')}
          help={trans.__('What serves now.')}
          value={value.control}
          options={variants}
          onChange={control => set({ control })}
        />
        <Choice
          label={trans.__('Treatment')}
          help={trans.__('What may take its place.')}
          error={
            value.control === value.treatment
              ? trans.__('A variant is not compared with itself.')
              : undefined
          }
          value={value.treatment}
          options={variants}
          onChange={treatment => set({ treatment })}
        />
        <Field
          label={trans.__('What it is about')}
          help={metrics.find(([metric]) => metric === value.metric)?.[2]}
        >
          {ids => (
            <select
              {...ids}
              value={value.metric}
              onChange={event =>
                set({
                  metric: event.target.value
                })
              }
            >
              {metrics.map(([metric, label]) => (
                <option key={metric} value={metric}>
                  {label}
                </option>
              ))}
            </select>
          )}
        </Field>
        {value.metric === 'Value' && (
          <Check
            label={trans.__('Less is better')}
            checked={value.lessIsBetter}
            onChange={lessIsBetter => set({ lessIsBetter })}
          />
        )}
        <Amount
          label={trans.__('Least difference that matters, %')}
          help={trans.__('The smaller it is, the longer the test takes.')}
          least={0.01}
          value={value.effect}
          onChange={effect => set({ effect })}
        />
        <Amount
          label={trans.__('Days at the most')}
          help={trans.__('Without a verdict by then it is inconclusive.')}
          least={0.001}
          value={value.days}
          onChange={days => set({ days })}
        />
        {value.metric !== 'Errors' && (
          <Amount
            label={trans.__('Errors: worse by at most, %')}
            help={trans.__(
              'Beyond that the test ends, whoever leads; 0: not looked at.'
            )}
            least={0}
            value={value.errors}
            onChange={errors => set({ errors })}
          />
        )}
        {value.metric !== 'ModelLatency' && (
          <Amount
            label={trans.__('Latency: worse by at most, %')}
            help={trans.__(
              'Beyond that the test ends, whoever leads; 0: not looked at.'
            )}
            least={0}
            value={value.latency}
            onChange={latency => set({ latency })}
          />
        )}
        <Check
          label={trans.__('Promote the treatment by itself when it wins')}
          checked={value.promote}
          onChange={promote => set({ promote })}
        />
        <Check
          label={trans.__(
            'Roll back by itself when the control wins or a limit is passed'
          )}
          checked={value.rollback}
          onChange={rollback => set({ rollback })}
        />
      </>
    );
  };
}

function Choice(props: {
  label: string;
  help: string;
  error?: string;
  value: string;
  options: string[];
  onChange: (value: string) => void;
}): React.JSX.Element {
  return (
    <Field label={props.label} help={props.help} error={props.error}>
      {ids => (
        <select
          {...ids}
          value={props.value}
          onChange={event => props.onChange(event.target.value)}
        >
          {props.options.map(each => (
            <option key={each}>{each}</option>
          ))}
        </select>
      )}
    </Field>
  );
}

function Amount(props: {
  label: string;
  help: string;
  least: number;
  value: number;
  onChange: (value: number) => void;
}): React.JSX.Element {
  return (
    <Field label={props.label} help={props.help}>
      {ids => (
        <input
          {...ids}
          type="number"
          step="any"
          min={props.least}
          value={props.value}
          onChange={event => props.onChange(+event.target.value)}
        />
      )}
    </Field>
  );
}

function Check(props: {
  label: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
}): React.JSX.Element {
  return (
    <label className="jp-StudioVerdict-check">
      <input
        type="checkbox"
        checked={props.checked}
        onChange={event => props.onChange(event.target.checked)}
      />
      {props.label}
    </label>
  );
}
