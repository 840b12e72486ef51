import React from 'react';

import { CommandButton, CommandLink } from '../components/actions';
import { Empty, Problem, Skeleton } from '../components/empty';
import { useArgs, useLive, useStudio } from '../components/hooks';
import { List, type IListArgs, type IListColumn } from '../components/list';
import { Status, When } from '../components/parts';
import type { StudioView } from '../core/documents';
import { jobKind } from '../jobs/kinds';
import { CommandIDs } from '../tokens';
import type { studio } from '../wire';
import { Detail } from './detail';
import { zoned } from './when';

const JOB = /:(training-job|processing-job)\/(.+)$/;

/** The state of the page. */
interface ISchedulesArgs extends IListArgs {
  /** The schedule that is shown beside the list. */
  selected?: string;
}

/** All schedules, and what becomes of the one that is chosen. */
export function SchedulesPage(props: { view: StudioView }): React.JSX.Element {
  const { client, commands, trans } = useStudio();
  const [args, setArgs] = useArgs<ISchedulesArgs>(props.view);
  const { value, error, refresh } = useLive(
    signal => client.call('studio', 'DescribeSchedules', {}, signal),
    event => event.type === 'resource' && event.Kind === 'schedule',
    [client]
  );
  const columns = useColumns();
  if (!value) {
    return error ? <Problem error={error} retry={refresh} /> : <Skeleton />;
  }
  const rows = value.Schedules;
  const shown = rows.find(each => each.Name === args.selected);
  return (
    <div className="jp-StudioExperiments">
      <div className="jp-StudioExperiments-list">
        <List
          title={trans.__('Schedules')}
          label={trans.__('Schedules')}
          columns={columns}
          rows={rows}
          total={rows.length}
          keyOf={row => row.Name}
          text={row => `${row.Name} ${row.State} ${row.ScheduleExpression}`}
          args={args}
          setArgs={setArgs}
          selected={new Set(shown ? [shown.Name] : [])}
          onSelect={keys => setArgs({ selected: [...keys].at(-1) })}
          onOpen={row => setArgs({ selected: row.Name })}
          onDelete={() =>
            shown &&
            void commands.execute(CommandIDs.deleteSchedules, {
              names: [shown.Name]
            })
          }
          attributes={row => ({
            'data-studio-kind': 'schedule',
            'data-studio-name': row.Name,
            'data-studio-status': row.State
          })}
          actions={
            <CommandButton
              command={CommandIDs.openJobs}
              args={{ text: 'sagemaker:is-scheduling-notebook-job=true' }}
            >
              {trans.__('All notebook jobs')}
            </CommandButton>
          }
          empty={<Nothing />}
        />
      </div>
      {shown && (
        <Detail
          key={shown.Name}
          schedule={shown}
          onClose={() => setArgs({ selected: undefined })}
        />
      )}
    </div>
  );
}

function useColumns(): IListColumn<studio.ScheduleState>[] {
  const { trans } = useStudio();
  return React.useMemo(
    () => [
      {
        id: 'name',
        title: trans.__('Name'),
        width: 200,
        value: row => row.Name,
        cell: row => <span title={row.Description ?? row.Name}>{row.Name}</span>
      },
      {
        id: 'state',
        title: trans.__('State'),
        width: 100,
        value: row => row.State,
        cell: row => <State schedule={row} />
      },
      {
        id: 'next',
        title: trans.__('Next'),
        width: 215,
        value: row => row.NextTimes[0] ?? Infinity,
        cell: row => <Next schedule={row} />
      },
      {
        id: 'last',
        title: trans.__('Last'),
        width: 200,
        value: row => row.Runs[0]?.Time ?? 0,
        cell: row => <Last schedule={row} />
      },
      {
        id: 'times',
        title: trans.__('Times'),
        width: 240,
        value: row => row.ScheduleExpression,
        cell: row => (
          <span title={row.ScheduleExpressionTimezone}>
            <code>{row.ScheduleExpression}</code>{' '}
            {row.ScheduleExpressionTimezone}
          </span>
        )
      }
    ],
    [trans]
  );
}

/** Whether a schedule is at work. */
export function State(props: {
  schedule: studio.ScheduleState;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { State: state, NextTimes } = props.schedule;
  const [tone, text] =
    state !== 'ENABLED'
      ? ['warn', trans.__('Paused')]
      : NextTimes.length
        ? ['good', trans.__('Active')]
        : ['none', trans.__('Over')];
  return <Status status={text} tone={tone} />;
}

function Next(props: { schedule: studio.ScheduleState }): React.JSX.Element {
  const { NextTimes, ScheduleExpressionTimezone, Waiting } = props.schedule;
  const next = NextTimes.at(0);
  return (
    <span title={Waiting}>
      {next === undefined ? '–' : zoned(next, ScheduleExpressionTimezone)}
    </span>
  );
}

function Last(props: { schedule: studio.ScheduleState }): React.JSX.Element {
  const last = props.schedule.Runs.at(0);
  return last ? <Outcome run={last} /> : <span>–</span>;
}

/** What became of a time, and the way to the job that it started. */
export function Outcome(props: { run: studio.ScheduleRun }): React.JSX.Element {
  const { trans } = useStudio();
  const { run } = props;
  const [, kind, name] = JOB.exec(run.Arn ?? '') ?? [];
  const page = jobKind(kind)?.page;
  const texts: Record<string, [string, string]> = {
    Started: [trans.__('Started'), 'good'],
    Failed: [trans.__('Refused'), 'bad'],
    Missed: [trans.__('Missed'), 'warn']
  };
  const [text, tone] = texts[run.Status] ?? [run.Status, 'none'];
  return (
    <span className="jp-StudioSchedules-outcome" title={run.Message}>
      {page ? (
        <CommandLink command={page} args={{ name }}>
          {text}
        </CommandLink>
      ) : (
        <Status status={text} tone={tone} />
      )}{' '}
      <When at={1000 * run.Time} />
    </span>
  );
}

/** What to do first. */
function Nothing(): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <Empty
      title={trans.__('No schedule yet')}
      hint={trans.__(
        'A schedule starts a job again and again. Choose "Schedule…" on the page of a job, or right-click a notebook or a script in the file browser, choose "Run as Job…", and say when; or call create_schedule of boto3.client("scheduler").'
      )}
    />
  );
}
