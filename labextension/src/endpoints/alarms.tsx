import React from 'react';

import { asked } from '../components/ask';
import { Problem } from '../components/empty';
import { Field } from '../components/form';
import { number } from '../components/format';
import { useLive, useStudio } from '../components/hooks';
import { Section, Status } from '../components/parts';
import { Scroll } from '../components/scroll';
import type { Client } from '../core/client';
import { confirmed } from '../core/confirm';
import { notifyError } from '../core/errors';
import { unique } from '../deploy/draft';
import type { cloudwatch } from '../wire';

/** What a new alarm looks at. */
export interface IAlarm {
  name: string;
  variant: string;
  metric: string;
  threshold: number;
  minutes: number;
}

const METRICS = [
  'Invocation5XXErrors',
  'Invocation4XXErrors',
  'ModelLatency',
  'OverheadLatency',
  'Invocations'
];
const SIGNS: Record<string, string> = {
  GreaterThanThreshold: '>',
  GreaterThanOrEqualToThreshold: '≥',
  LessThanThreshold: '<',
  LessThanOrEqualToThreshold: '≤'
};

/** The alarms on the metrics of an endpoint. */
export function Alarms(props: {
  endpoint: string;
  variants: string[];
}): React.JSX.Element {
  const studio = useStudio();
  const { client, trans } = studio;
  const { endpoint } = props;
  const { value, error, refresh } = useLive(
    signal => alarmsOf(client, endpoint, signal),
    event => event.type === 'resource' && event.Kind === 'alarm',
    [client, endpoint]
  );
  const add = async () => {
    const first = {
      // Of an alarm that exists this would be a change.
      name: unique(
        `${endpoint}-errors`,
        (value ?? []).map(each => each.AlarmName!)
      ),
      variant: props.variants[0] ?? 'AllTraffic',
      metric: METRICS[0],
      threshold: 0,
      minutes: 1
    };
    const wanted = await asked<IAlarm>(studio, {
      title: trans.__('Add an alarm on %1', endpoint),
      accept: trans.__('Add'),
      first,
      fields: fieldsFor(props.variants)
    });
    if (wanted) {
      await client
        .call('cloudwatch', 'PutMetricAlarm', requestOf(endpoint, wanted))
        .catch(reason =>
          notifyError(trans.__('The alarm was not added'), reason)
        );
    }
  };
  const remove = async (name: string) => {
    const sure = await confirmed(
      trans.__('Delete the alarm %1?', name),
      trans.__('Updates that go by it are no longer rolled back by it.'),
      trans.__('Delete')
    );
    if (sure) {
      await client
        .call('cloudwatch', 'DeleteAlarms', { AlarmNames: [name] })
        .catch(reason =>
          notifyError(trans.__('The alarm was not deleted'), reason)
        );
    }
  };
  return (
    <Section title={trans.__('Alarms')}>
      {!!error && !value && <Problem error={error} retry={refresh} />}
      {value?.length ? (
        <Table alarms={value} onDelete={name => void remove(name)} />
      ) : (
        value && (
          <p>
            {trans.__(
              'None. An alarm on errors or latency can take an update back by itself.'
            )}
          </p>
        )
      )}
      <div className="jp-StudioRollout-actions">
        <button className="jp-StudioButton" onClick={() => void add()}>
          {trans.__('Add alarm…')}
        </button>
      </div>
    </Section>
  );
}

function Table(props: {
  alarms: cloudwatch.MetricAlarm[];
  onDelete: (name: string) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <Scroll label={trans.__('Table of alarms')}>
      <table>
        <thead>
          <tr>
            <th scope="col">{trans.__('Alarm')}</th>
            <th scope="col">{trans.__('State')}</th>
            <th scope="col">{trans.__('When')}</th>
            <th scope="col">{trans.__('Why it is so')}</th>
            <th scope="col">
              <span className="jp-StudioStatus-hidden">
                {trans.__('Actions')}
              </span>
            </th>
          </tr>
        </thead>
        <tbody>
          {props.alarms.map(alarm => (
            <tr key={alarm.AlarmName}>
              <td>{alarm.AlarmName}</td>
              <td>
                <Status status={alarm.StateValue!} />
              </td>
              <td>
                {trans.__(
                  '%1 of %2 %3 %4, %5 × %6 s',
                  alarm.Statistic ?? alarm.ExtendedStatistic,
                  alarm.MetricName,
                  SIGNS[alarm.ComparisonOperator!] ?? alarm.ComparisonOperator,
                  number(alarm.Threshold!),
                  alarm.EvaluationPeriods,
                  alarm.Period
                )}
              </td>
              <td className="jp-StudioAlarms-reason">{alarm.StateReason}</td>
              <td>
                <button
                  className="jp-StudioButton jp-mod-minimal"
                  aria-label={trans.__('Delete %1', alarm.AlarmName)}
                  onClick={() => props.onDelete(alarm.AlarmName!)}
                >
                  {trans.__('Delete')}
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function fieldsFor(
  variants: string[]
): React.ComponentType<{ value: IAlarm; onChange: (value: IAlarm) => void }> {
  return function AlarmFields({ value, onChange }) {
    const { trans } = useStudio();
    return (
      <>
        <Field label={trans.__('Name')}>
          {ids => (
            <input
              {...ids}
              value={value.name}
              onChange={event =>
                onChange({ ...value, name: event.target.value })
              }
            />
          )}
        </Field>
        <Choice
          label={trans.__('Variant')}
          value={value.variant}
          options={variants}
          onChange={variant => onChange({ ...value, variant })}
        />
        <Choice
          label={trans.__('Metric')}
          value={value.metric}
          options={METRICS}
          onChange={metric => onChange({ ...value, metric })}
        />
        <Field
          label={trans.__('Alarm above')}
          help={
            value.metric.endsWith('Latency')
              ? trans.__('Microseconds, on average')
              : trans.__('How many in a period')
          }
        >
          {ids => (
            <input
              {...ids}
              type="number"
              min={0}
              value={value.threshold}
              onChange={event =>
                onChange({ ...value, threshold: +event.target.value })
              }
            />
          )}
        </Field>
        <Field label={trans.__('Period in minutes')}>
          {ids => (
            <input
              {...ids}
              type="number"
              min={1}
              max={1440}
              value={value.minutes}
              onChange={event =>
                onChange({ ...value, minutes: +event.target.value })
              }
            />
          )}
        </Field>
      </>
    );
  };
}

function Choice(props: {
  label: string;
  value: string;
  options: string[];
  onChange: (value: string) => void;
}): React.JSX.Element {
  return (
    <Field label={props.label}>
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

/** The request that makes an alarm; without values it is not in ALARM. */
export function requestOf(
  endpoint: string,
  wanted: IAlarm
): cloudwatch.PutMetricAlarmInput {
  return {
    AlarmName: wanted.name,
    Namespace: 'AWS/SageMaker',
    MetricName: wanted.metric,
    Dimensions: [
      { Name: 'EndpointName', Value: endpoint },
      { Name: 'VariantName', Value: wanted.variant }
    ],
    Statistic: wanted.metric.endsWith('Latency') ? 'Average' : 'Sum',
    Period: 60 * wanted.minutes,
    EvaluationPeriods: 1,
    Threshold: wanted.threshold,
    ComparisonOperator: 'GreaterThanThreshold',
    TreatMissingData: 'notBreaching'
  };
}

/** All alarms on metrics of the endpoint, but for those of its scaling policies. */
export async function alarmsOf(
  client: Client,
  endpoint: string,
  signal?: AbortSignal
): Promise<cloudwatch.MetricAlarm[]> {
  const found: cloudwatch.MetricAlarm[] = [];
  let token: string | undefined;
  do {
    const page = await client.call(
      'cloudwatch',
      'DescribeAlarms',
      { NextToken: token },
      signal
    );
    found.push(...(page.MetricAlarms ?? []));
    token = page.NextToken;
  } while (token);
  return found.filter(
    alarm =>
      !alarm.AlarmName!.startsWith('TargetTracking-') &&
      alarm.Dimensions?.some(
        each => each.Name === 'EndpointName' && each.Value === endpoint
      )
  );
}
