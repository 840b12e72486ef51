import React from 'react';

import { Chart } from '../components/chart/chart';
import { plain } from '../components/chart/theme';
import { number } from '../components/format';
import { useNow, useStudio } from '../components/hooks';
import { Status, When } from '../components/parts';
import { Scroll } from '../components/scroll';
import type { studio } from '../wire';
import { local } from './charts';
import { countsOf, shownValue, trackedOf } from './scaling';
import { useWords } from './scalingforms';

/** What a variant keeps to, and how it is now. */
export function Policies(props: {
  policies: studio.ScalingPolicyState[];
  onEdit: (policy: studio.ScalingPolicyState) => void;
  onDelete: (name: string) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  if (!props.policies.length) {
    return (
      <p>
        {trans.__('No policy: it changes only by the clock and by its limits.')}
      </p>
    );
  }
  return (
    <Scroll label={trans.__('Table of scaling policies')}>
      <table>
        <thead>
          <tr>
            <th scope="col">{trans.__('Policy')}</th>
            <th scope="col">{trans.__('Keeps to')}</th>
            <th scope="col">{trans.__('Now')}</th>
            <th scope="col">{trans.__('Alarms')}</th>
            <th scope="col">
              <span className="jp-StudioStatus-hidden">
                {trans.__('Actions')}
              </span>
            </th>
          </tr>
        </thead>
        <tbody>
          {props.policies.map(policy => (
            <Policy
              key={policy.PolicyName}
              policy={policy}
              onEdit={() => props.onEdit(policy)}
              onDelete={() => props.onDelete(policy.PolicyName)}
            />
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function Policy(props: {
  policy: studio.ScalingPolicyState;
  onEdit: () => void;
  onDelete: () => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const words = useWords();
  const { policy } = props;
  const tracked = trackedOf(policy);
  const name = tracked
    ? words[tracked].name
    : trans.__('%1 (%2)', policy.MetricName, policy.Statistic);
  const unit = tracked ? words[tracked].unit : '';
  const said = (value: number) => number(shownValue(policy.MetricName, value));
  return (
    <tr>
      <td>{policy.PolicyName}</td>
      <td>
        {policy.MetricName
          ? trans.__('%1: %2 %3', name, said(policy.TargetValue!), unit)
          : trans._n('%1 step', '%1 steps', policy.Steps!, policy.Steps!)}
      </td>
      <td>{policy.Value === undefined ? '–' : said(policy.Value)}</td>
      <td>
        {policy.Alarms.map(alarm => (
          <Said key={alarm.AlarmName} alarm={alarm} />
        ))}
        {!policy.Alarms.length &&
          trans.__('None: no alarm has this policy among its actions.')}
      </td>
      <td>
        {tracked && (
          <button
            className="jp-StudioButton jp-mod-minimal"
            aria-label={trans.__('Change %1', policy.PolicyName)}
            onClick={props.onEdit}
          >
            {trans.__('Change…')}
          </button>
        )}
        <button
          className="jp-StudioButton jp-mod-minimal"
          aria-label={trans.__('Delete %1', policy.PolicyName)}
          onClick={props.onDelete}
        >
          {trans.__('Delete')}
        </button>
      </td>
    </tr>
  );
}

/** What an alarm says; that there is too little to do is no bad news. */
function Said(props: { alarm: studio.ScalingAlarmState }): React.JSX.Element {
  const { trans } = useStudio();
  const { AlarmName: name, State: state, Reason: reason } = props.alarm;
  const low = name.includes('-AlarmLow-');
  const high = name.includes('-AlarmHigh-');
  const question = high
    ? trans.__('Too few instances')
    : low
      ? trans.__('Too many instances')
      : name;
  const known: Record<string, [string, string]> = {
    ALARM: [trans.__('yes'), low ? 'busy' : 'warn'],
    OK: [trans.__('no'), 'good']
  };
  const [answer, tone] = known[state] ?? [trans.__('not known'), 'none'];
  return (
    <div title={reason}>
      <Status
        status={question}
        detail={high || low ? answer : state}
        tone={tone}
      />
    </div>
  );
}

/** New limits by the clock. */
export function Actions(props: {
  actions: studio.ScalingActionState[];
  onDelete: (name: string) => void;
}): React.JSX.Element | null {
  const { trans } = useStudio();
  if (!props.actions.length) {
    return null;
  }
  return (
    <Scroll label={trans.__('Table of scheduled actions')}>
      <table>
        <thead>
          <tr>
            <th scope="col">{trans.__('Scheduled action')}</th>
            <th scope="col">{trans.__('Instances')}</th>
            <th scope="col">{trans.__('Times')}</th>
            <th scope="col">{trans.__('Next')}</th>
            <th scope="col">
              <span className="jp-StudioStatus-hidden">
                {trans.__('Actions')}
              </span>
            </th>
          </tr>
        </thead>
        <tbody>
          {props.actions.map(action => (
            <tr key={action.ScheduledActionName}>
              <td>{action.ScheduledActionName}</td>
              <td>
                {trans.__(
                  '%1 to %2',
                  action.MinCapacity ?? '–',
                  action.MaxCapacity ?? '–'
                )}
              </td>
              <td>
                <code>{action.Schedule}</code> {action.Timezone}
              </td>
              <td>
                {action.NextTime
                  ? new Date(1000 * action.NextTime).toLocaleString()
                  : '–'}
              </td>
              <td>
                <button
                  className="jp-StudioButton jp-mod-minimal"
                  aria-label={trans.__('Delete %1', action.ScheduledActionName)}
                  onClick={() => props.onDelete(action.ScheduledActionName)}
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

/** The number of instances over time; each change is a point that says why. */
export function Counts(props: {
  variant: studio.ScaledVariant;
}): React.JSX.Element | null {
  const { trans } = useStudio();
  const { variant } = props;
  const now = useNow(true, 30_000);
  const { at, count } = React.useMemo(
    () => countsOf(variant, now),
    [variant, now]
  );
  const title = trans.__('Instances');
  const data = React.useMemo(
    () => [
      {
        type: 'scatter',
        mode: 'lines+markers',
        marker: { size: 5 },
        name: plain(variant.VariantName),
        x: at.map(local),
        y: count,
        line: { width: 2 },
        hovertemplate: '%{y}'
      }
    ],
    [at, count, variant.VariantName]
  );
  const layout = React.useMemo(
    () => ({
      xaxis: { type: 'date' },
      yaxis: { title: { text: title }, rangemode: 'tozero' },
      showlegend: false
    }),
    [title]
  );
  if (!at.length) {
    return null;
  }
  return (
    <Chart
      title={title}
      summary={trans.__(
        '%1 over time. Latest: %2',
        title,
        count[count.length - 1]
      )}
      data={data}
      layout={layout}
      height={180}
      table={{
        columns: [trans.__('Time'), title],
        rows: at.map((time, index) => [
          new Date(time).toLocaleString(),
          count[index]
        ])
      }}
    />
  );
}

/** What was done, and why; and what was not. */
export function Activities(props: {
  activities: studio.ScalingActivityState[];
}): React.JSX.Element {
  const { trans } = useStudio();
  if (!props.activities.length) {
    return <p>{trans.__('Nothing was changed yet.')}</p>;
  }
  return (
    <Scroll label={trans.__('Table of scaling activities')}>
      <table>
        <thead>
          <tr>
            <th scope="col">{trans.__('When')}</th>
            <th scope="col">{trans.__('What')}</th>
            <th scope="col">{trans.__('Outcome')}</th>
            <th scope="col">{trans.__('Why')}</th>
          </tr>
        </thead>
        <tbody>
          {props.activities.map(each => (
            <tr key={each.ActivityId}>
              <td>
                <When at={1000 * each.StartTime} />
              </td>
              <td>{what(each, trans)}</td>
              <td>
                <Status
                  status={each.NotScaledReason ?? each.StatusCode}
                  tone={outcome(each)}
                />
                {each.StatusCode === 'Failed' && (
                  <div>{each.StatusMessage}</div>
                )}
              </td>
              <td className="jp-StudioAlarms-reason">{each.Cause}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function what(
  each: studio.ScalingActivityState,
  trans: ReturnType<typeof useStudio>['trans']
): string {
  return each.ToCapacity === undefined
    ? each.Description
    : trans.__('From %1 to %2', each.FromCapacity, each.ToCapacity);
}

function outcome(each: studio.ScalingActivityState): string | undefined {
  if (each.NotScaledReason) {
    return 'none';
  }
  const tones: Record<string, string> = { Successful: 'good', Pending: 'busy' };
  return tones[each.StatusCode];
}
