import React from 'react';

import { copyAs } from '../codegen/copyas';
import { askedOf } from '../codegen';
import { carry, CommandButton } from '../components/actions';
import { type ISeries, seriesOf } from '../components/chart/series';
import { Empty, Problem, Skeleton } from '../components/empty';
import { duration } from '../components/format';
import { useArgs, useLive, useNow, useStudio } from '../components/hooks';
import type { LogModel } from '../components/log/model';
import type { ILogState } from '../components/log/state';
import { LogView, useLog } from '../components/log/view';
import { Section, Status, Tabs, When } from '../components/parts';
import { Provenance } from '../components/provenance';
import type { StudioView } from '../core/documents';
import { ApiError } from '../core/errors';
import { CommandIDs } from '../tokens';
import type { sagemaker, studio } from '../wire';
import { type IChartState, MetricCharts, SystemCharts } from './charts';
import { FinalMetrics, Inputs, Outputs, Parameters, Setup } from './facts';
import { FailureCard } from './failurecard';
import { elapsed, isOver, phases } from './phases';
import { PhaseBar } from './phasebar';

interface IJobArgs {
  name: string;
  tab?: string;
  log?: ILogState;
  charts?: IChartState;
}

const KIND = 'training-job';

/** A training job: what it is doing, what it says, what came of it. */
export function JobPage(props: { view: StudioView }): React.JSX.Element {
  const [args, setArgs] = useArgs<IJobArgs>(props.view);
  const { client, trans } = useStudio();
  const { name } = args;
  const job = useLive(
    signal =>
      client.call(
        'sagemaker',
        'DescribeTrainingJob',
        { TrainingJobName: name },
        signal
      ),
    event =>
      event.type === 'resource' && event.Kind === KIND && event.Name === name,
    [client, name]
  );
  const log = useLog(KIND, name, args.log?.stream);
  const gone = job.error instanceof ApiError && job.error.status === 400;
  if (!job.value) {
    return gone ? (
      <Empty
        title={trans.__('There is no training job %1.', name)}
        hint={trans.__('It was deleted, or it belongs to somebody else.')}
      >
        <CommandButton command={CommandIDs.openJobs}>
          {trans.__('All training jobs')}
        </CommandButton>
      </Empty>
    ) : job.error ? (
      <Problem
        error={job.error}
        what={trans.__('The job %1 could not be read.', name)}
        retry={job.refresh}
      />
    ) : (
      <Skeleton />
    );
  }
  const shown = job.value;
  const setLog = (changes: ILogState) =>
    setArgs({ log: { ...args.log, ...changes } });
  const toLine = (line: number) => {
    setArgs({
      tab: 'log',
      log: { ...args.log, line, top: undefined, follow: false }
    });
  };
  const logView = (brief: boolean) => (
    <LogView
      model={log}
      label={trans.__('Log of %1', name)}
      state={args.log ?? {}}
      onState={setLog}
      brief={brief}
    />
  );
  return (
    <div className="jp-StudioPage jp-StudioJob">
      <Header job={shown} gone={gone} />
      <Tabs
        label={trans.__('Parts of the page')}
        selected={args.tab ?? 'overview'}
        onSelect={tab => setArgs({ tab })}
        tabs={[
          {
            id: 'overview',
            label: trans.__('Overview'),
            content: () => (
              <Overview
                job={shown}
                log={log}
                charts={args.charts ?? {}}
                onCharts={changes =>
                  setArgs({ charts: { ...args.charts, ...changes } })
                }
                onLine={toLine}
              >
                {logView(true)}
              </Overview>
            )
          },
          { id: 'log', label: trans.__('Log'), content: () => logView(false) },
          {
            id: 'provenance',
            label: trans.__('Provenance'),
            content: () => (
              <div className="jp-StudioJob-provenance">
                <Provenance arn={shown.TrainingJobArn} />
              </div>
            )
          }
        ]}
      />
    </div>
  );
}

function Header(props: {
  job: sagemaker.DescribeTrainingJobResponse;
  gone: boolean;
}): React.JSX.Element {
  const app = useStudio();
  const { trans, client } = app;
  const { job } = props;
  const over = isOver(job.TrainingJobStatus);
  const now = useNow(!over);
  const name = job.TrainingJobName;
  const copy = async () => {
    const request = await askedOf(client, job);
    await copyAs(app, trans.__('%1 as code', name), [
      { operation: 'CreateTrainingJob', request }
    ]);
  };
  return (
    <>
      <div className="jp-StudioPage-header">
        <h1
          draggable
          title={trans.__('Drag into a notebook to load this job there')}
          onDragStart={event => carry(event, { kind: 'job', name })}
        >
          {name}
        </h1>
        <Status
          status={job.TrainingJobStatus}
          detail={
            over && job.SecondaryStatus === job.TrainingJobStatus
              ? undefined
              : job.SecondaryStatus
          }
        />
        <span className="jp-StudioJob-none">
          {duration(elapsed(job, now) / 1000)}
          {' · '}
          <When at={job.CreationTime && job.CreationTime * 1000} />
        </span>
        <div className="jp-StudioPage-actions">
          {!over && (
            <CommandButton
              command={CommandIDs.stopJobs}
              args={{ names: [name] }}
              disabled={job.TrainingJobStatus === 'Stopping' || props.gone}
            >
              {trans.__('Stop')}
            </CommandButton>
          )}
          {job.TrainingJobStatus === 'Completed' && (
            <CommandButton
              kind="accept"
              command={CommandIDs.deploy}
              args={{ job: name }}
            >
              {trans.__('Deploy')}
            </CommandButton>
          )}
          <CommandButton
            command={CommandIDs.newJob}
            args={{ from: name }}
            disabled={props.gone}
          >
            {trans.__('Clone')}
          </CommandButton>
          <button className="jp-StudioButton" onClick={() => void copy()}>
            {trans.__('Copy as…')}
          </button>
          <CommandButton
            command={CommandIDs.insertLoader}
            args={{ kind: 'job', name }}
          >
            {trans.__('Insert in notebook')}
          </CommandButton>
          <CommandButton command={CommandIDs.copyLink}>
            {trans.__('Copy link')}
          </CommandButton>
          {over && (
            <CommandButton
              command={CommandIDs.deleteJobs}
              args={{ names: [name] }}
              disabled={props.gone}
            >
              {trans.__('Delete')}
            </CommandButton>
          )}
        </div>
      </div>
      {props.gone && (
        <p className="jp-StudioJob-gone" role="status">
          {trans.__('This job was deleted; what is shown is what was known.')}
        </p>
      )}
      <PhaseBar phases={phases(job, now)} />
    </>
  );
}

function Overview(
  props: React.PropsWithChildren<{
    job: sagemaker.DescribeTrainingJobResponse;
    log: LogModel;
    charts: IChartState;
    onCharts: (changes: IChartState) => void;
    onLine: (line: number) => void;
  }>
): React.JSX.Element {
  const { trans } = useStudio();
  const { job } = props;
  const { series, complete } = useSeries(job.TrainingJobName);
  const start = 1000 * (job.TrainingStartTime ?? job.CreationTime ?? 0);
  const system = series?.filter(each => each.group === 'system') ?? [];
  const printed = series?.filter(each => each.group === 'job') ?? [];
  const defined = !!job.AlgorithmSpecification?.MetricDefinitions?.length;
  return (
    <div className="jp-StudioJob-overview">
      <div className="jp-StudioJob-main">
        <FailureCard job={job} log={props.log} onLine={props.onLine} />
        <Section title={trans.__('Metrics')}>
          {!complete && (
            <p className="jp-StudioJob-none" role="status">
              {trans.__('A long log is being read: the charts still grow.')}
            </p>
          )}
          {printed.length > 0 ? (
            <MetricCharts
              series={printed}
              start={start}
              state={props.charts}
              onState={props.onCharts}
            />
          ) : (
            <p className="jp-StudioJob-none">
              {defined
                ? trans.__('No metric has been printed yet.')
                : trans.__(
                    'This job defines no metrics. Clone it and give it MetricDefinitions: a name and a regular expression whose first group is the value.'
                  )}
            </p>
          )}
        </Section>
        <Section title={trans.__('Log')} className="jp-StudioJob-log">
          {props.children}
        </Section>
        {system.length > 0 && (
          <Section title={trans.__('System')}>
            <SystemCharts series={system} start={start} />
          </Section>
        )}
      </div>
      <aside className="jp-StudioJob-side">
        <FinalMetrics job={job} />
        <Outputs job={job} />
        <Inputs job={job} />
        <Parameters
          title={trans.__('Hyperparameters')}
          values={job.HyperParameters}
          empty={trans.__('None were given.')}
        />
        <Setup job={job} />
        {job.Environment && (
          <Parameters
            title={trans.__('Environment')}
            values={job.Environment}
            empty=""
          />
        )}
        <Tags job={job} />
      </aside>
    </div>
  );
}

/** All series of the job, kept up to date; undefined before the first answer. */
function useSeries(name: string): {
  series: ISeries[] | undefined;
  complete: boolean;
} {
  const { client } = useStudio();
  const { value, refresh } = useLive<studio.GetMetricSeriesResponse>(
    signal =>
      client.call(
        'studio',
        'GetMetricSeries',
        { Kind: KIND, Name: name },
        signal
      ),
    event =>
      (event.type === 'metrics' || event.type === 'resource') &&
      event.Kind === KIND &&
      event.Name === name,
    [client, name]
  );
  React.useEffect(() => {
    if (value && !value.Complete) {
      refresh(); // a long log is read in parts
    }
  }, [value, refresh]);
  // A series that is as it was stays the same object: its chart need not be drawn again.
  const known = React.useRef(new Map<string, [studio.MetricSeries, ISeries]>());
  const series = React.useMemo(
    () =>
      value?.Series.map(each => {
        const key = `${each.MetricName}\n${each.Host}`;
        const before = known.current.get(key);
        if (
          before?.[0].Values === each.Values &&
          before[0].Times === each.Times
        ) {
          return before[1];
        }
        const made = seriesOf(each);
        known.current.set(key, [each, made]);
        return made;
      }),
    [value]
  );
  return { series, complete: value?.Complete ?? true };
}

function Tags(props: {
  job: sagemaker.DescribeTrainingJobResponse;
}): React.JSX.Element {
  const { client, trans } = useStudio();
  const arn = props.job.TrainingJobArn;
  const { value } = useLive(
    signal =>
      client.call('sagemaker', 'ListTags', { ResourceArn: arn }, signal),
    event => event.type === 'resource' && event.Arn === arn,
    [client, arn]
  );
  return (
    <Parameters
      title={trans.__('Tags')}
      values={Object.fromEntries(
        (value?.Tags ?? []).map(tag => [tag.Key, tag.Value])
      )}
      empty={trans.__('None.')}
    />
  );
}
