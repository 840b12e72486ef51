import React from 'react';

import { CommandButton } from '../components/actions';
import { Field } from '../components/form';
import { useStudio } from '../components/hooks';
import { Code, Facts, Section } from '../components/parts';
import { notifyError } from '../core/errors';
import { CommandIDs } from '../tokens';
import type { studio } from '../wire';
import { kept } from './actions';
import { Outcome, State } from './page';
import { type ITimes, Preview, Repeats, TimesList, zoned } from './when';

/** A schedule: what it starts, when, what became of it; and what can be done with it. */
export function Detail(props: {
  schedule: studio.ScheduleState;
  onClose: () => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { schedule } = props;
  const [editing, setEditing] = React.useState(false);
  const name = schedule.Name;
  const names = [name];
  const enabled = schedule.State === 'ENABLED';
  return (
    <aside
      className="jp-StudioSchedules-detail"
      aria-label={trans.__('Schedule %1', name)}
    >
      <header className="jp-StudioPage-header">
        <h2>{name}</h2>
        <State schedule={schedule} />
        <button
          className="jp-StudioButton jp-mod-minimal"
          onClick={props.onClose}
        >
          {trans.__('Close')}
        </button>
      </header>
      <div className="jp-StudioSchedules-actions">
        <CommandButton command={CommandIDs.runSchedule} args={{ name }}>
          {trans.__('Run now')}
        </CommandButton>
        <CommandButton
          command={
            enabled ? CommandIDs.pauseSchedules : CommandIDs.resumeSchedules
          }
          args={{ names }}
        >
          {enabled ? trans.__('Pause') : trans.__('Resume')}
        </CommandButton>
        <button
          className="jp-StudioButton"
          aria-expanded={editing}
          onClick={() => setEditing(!editing)}
        >
          {trans.__('Edit')}
        </button>
        <CommandButton command={CommandIDs.deleteSchedules} args={{ names }}>
          {trans.__('Delete…')}
        </CommandButton>
      </div>
      {editing ? (
        <Edit schedule={schedule} onDone={() => setEditing(false)} />
      ) : (
        <Shown schedule={schedule} />
      )}
      <Runs schedule={schedule} />
    </aside>
  );
}

function Shown(props: { schedule: studio.ScheduleState }): React.JSX.Element {
  const { trans } = useStudio();
  const { schedule } = props;
  const { Target: target, ScheduleExpressionTimezone: zone } = schedule;
  return (
    <>
      {schedule.Waiting && (
        <p className="jp-StudioField-error" role="status">
          {trans.__('What is due is tried again: %1', schedule.Waiting)}
        </p>
      )}
      <Section title={trans.__('Next times')}>
        {schedule.NextTimes.length ? (
          <TimesList times={schedule.NextTimes} timezone={zone} />
        ) : (
          <p>
            {schedule.State === 'ENABLED'
              ? trans.__('All its times are over.')
              : trans.__('None while it is paused.')}
          </p>
        )}
      </Section>
      <Section title={trans.__('What it starts')}>
        <Facts
          facts={[
            [
              trans.__('Times'),
              <code key="times">{schedule.ScheduleExpression}</code>
            ],
            [trans.__('Time zone'), zone],
            [trans.__('Operation'), operation(target.Arn)],
            [trans.__('Role'), target.RoleArn.split('/').pop()]
          ]}
        />
        <details>
          <summary>{trans.__('Request')}</summary>
          <Code code={pretty(target.Input)} label={trans.__('Request')} />
        </details>
      </Section>
    </>
  );
}

function Edit(props: {
  schedule: studio.ScheduleState;
  onDone: () => void;
}): React.JSX.Element {
  const { client, trans } = useStudio();
  const { schedule } = props;
  const [times, setTimes] = React.useState<ITimes>({
    expression: schedule.ScheduleExpression,
    timezone: schedule.ScheduleExpressionTimezone
  });
  const [input, setInput] = React.useState(pretty(schedule.Target.Input));
  const [saving, setSaving] = React.useState(false);
  const save = async () => {
    setSaving(true);
    try {
      await client.call('scheduler', 'UpdateSchedule', {
        ...kept(schedule),
        ScheduleExpression: times.expression,
        ScheduleExpressionTimezone: times.timezone,
        Target: { ...schedule.Target, Input: input }
      });
      props.onDone();
    } catch (error) {
      notifyError(trans.__('%1 was not changed', schedule.Name), error);
      setSaving(false);
    }
  };
  return (
    <Section title={trans.__('Edit')}>
      <Repeats times={times} onChange={setTimes} />
      <Preview times={times} />
      <Field label={trans.__('Request')}>
        {ids => (
          <textarea
            {...ids}
            className="jp-mod-code"
            rows={12}
            spellCheck={false}
            value={input}
            onChange={event => setInput(event.target.value)}
          />
        )}
      </Field>
      <div className="jp-StudioSchedules-actions">
        <button
          className="jp-StudioButton jp-mod-accept"
          disabled={saving}
          onClick={() => void save()}
        >
          {trans.__('Save')}
        </button>
        <button className="jp-StudioButton" onClick={props.onDone}>
          {trans.__('Cancel')}
        </button>
      </div>
    </Section>
  );
}

function Runs(props: { schedule: studio.ScheduleState }): React.JSX.Element {
  const { trans } = useStudio();
  const { Runs: runs, ScheduleExpressionTimezone: zone } = props.schedule;
  return (
    <Section title={trans.__('What became of its times')}>
      {runs.length === 0 && <p>{trans.__('None has come yet.')}</p>}
      <ul className="jp-StudioSchedules-runs">
        {runs.map(run => (
          <li key={`${run.DueTime} ${run.Time} ${run.Status}`}>
            <span>
              {zoned(run.DueTime, zone)}
              {run.LastDueTime !== undefined &&
                run.LastDueTime !== run.DueTime &&
                ` – ${zoned(run.LastDueTime, zone)}`}
              {run.ByHand && ` (${trans.__('by hand')})`}
            </span>
            <Outcome run={run} />
            {run.Message && <p>{run.Message}</p>}
          </li>
        ))}
      </ul>
    </Section>
  );
}

function operation(arn: string): string {
  return arn.split(':').pop() ?? arn;
}

function pretty(text = '{}'): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
