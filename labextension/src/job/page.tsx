import React from 'react';

import { copyAs } from '../codegen/copyas';
import { askedOf } from '../codegen';
import { CommandButton } from '../components/actions';
import { useArgs, useStudio } from '../components/hooks';
import type { LogModel } from '../components/log/model';
import type { ILogState } from '../components/log/state';
import { LogView, useLog } from '../components/log/view';
import { Section, Tabs } from '../components/parts';
import { Provenance } from '../components/provenance';
import type { Client } from '../core/client';
import type { StudioView } from '../core/documents';
import { TRAINING } from '../jobs/kinds';
import { outputOf } from '../notebookjob/output';
import { CommandIDs } from '../tokens';
import type { sagemaker } from '../wire';
import { type IChartState, MetricCharts, SystemCharts } from './charts';
import {
  FinalMetrics,
  Inputs,
  Outputs,
  Parameters,
  Setup,
  Tags
} from './facts';
import { failureOf, type IEnd } from './failure';
import { FailureCard } from './failurecard';
import { Absent, JobHeader, useJob } from './frame';
import { isOver, phases } from './phases';
import { useSeries } from './series';
import { Supply } from './supply';

interface IJobArgs {
  name: string;
  tab?: string;
  log?: ILogState;
  charts?: IChartState;
}

type Job = sagemaker.DescribeTrainingJobResponse;

const KIND = TRAINING.kind;

const describe = (client: Client, name: string, signal: AbortSignal) =>
  client.call(
    'sagemaker',
    'DescribeTrainingJob',
    { TrainingJobName: name },
    signal
  );

/** A training job: what it is doing, what it says, what came of it. */
export function JobPage(props: { view: StudioView }): React.JSX.Element {
  const [args, setArgs] = useArgs<IJobArgs>(props.view);
  const { trans } = useStudio();
  const { name } = args;
  const job = useJob(TRAINING, name, describe);
  const log = useLog(KIND, name, args.log?.stream);
  if (!job.value) {
    return <Absent kind={TRAINING} name={name} job={job} />;
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
      <Header job={shown} gone={job.gone} />
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

function Header(props: { job: Job; gone: boolean }): React.JSX.Element {
  const app = useStudio();
  const { trans, client } = app;
  const { job } = props;
  const name = job.TrainingJobName;
  const copy = async () => {
    const request = await askedOf(client, job);
    await copyAs(app, trans.__('%1 as code', name), [
      { operation: 'CreateTrainingJob', request }
    ]);
  };
  return (
    <JobHeader
      kind={TRAINING}
      name={name}
      status={job.TrainingJobStatus}
      detail={
        isOver(job.TrainingJobStatus) &&
        job.SecondaryStatus === job.TrainingJobStatus
          ? undefined
          : job.SecondaryStatus
      }
      gone={props.gone}
      created={job.CreationTime}
      ended={job.TrainingEndTime}
      phases={now => phases(job, now)}
      main={
        job.TrainingJobStatus === 'Completed' &&
        !outputOf(job) && (
          <>
            <CommandButton
              command={CommandIDs.registerModel}
              args={{ job: name }}
            >
              {trans.__('Register…')}
            </CommandButton>
            <CommandButton
              kind="accept"
              command={CommandIDs.deploy}
              args={{ job: name }}
            >
              {trans.__('Deploy')}
            </CommandButton>
          </>
        )
      }
    >
      <button className="jp-StudioButton" onClick={() => void copy()}>
        {trans.__('Copy as…')}
      </button>
      <CommandButton
        command={CommandIDs.insertLoader}
        args={{ kind: 'job', name }}
      >
        {trans.__('Insert in notebook')}
      </CommandButton>
    </JobHeader>
  );
}

function Overview(
  props: React.PropsWithChildren<{
    job: Job;
    log: LogModel;
    charts: IChartState;
    onCharts: (changes: IChartState) => void;
    onLine: (line: number) => void;
  }>
): React.JSX.Element {
  const { trans } = useStudio();
  const { job } = props;
  const { series, complete } = useSeries(KIND, job.TrainingJobName);
  const start = 1000 * (job.TrainingStartTime ?? job.CreationTime ?? 0);
  const system = series?.filter(each => each.group === 'system') ?? [];
  const printed = series?.filter(each => each.group === 'job') ?? [];
  const defined = !!job.AlgorithmSpecification?.MetricDefinitions?.length;
  return (
    <div className="jp-StudioJob-overview">
      <div className="jp-StudioJob-main">
        <FailureCard
          failure={failureOf(endOf(job), trans)}
          clone={[CommandIDs.newJob, job.TrainingJobName]}
          log={props.log}
          onLine={props.onLine}
        />
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
        <Supply job={job} />
        <Setup job={job} />
        {job.Environment && (
          <Parameters
            title={trans.__('Environment')}
            values={job.Environment}
            empty=""
          />
        )}
        <Tags arn={job.TrainingJobArn} />
      </aside>
    </div>
  );
}

/** What is known of the job's end. */
export function endOf(job: Job): IEnd {
  return {
    failed: job.TrainingJobStatus === 'Failed',
    late: job.SecondaryStatus === 'MaxRuntimeExceeded',
    reason: job.FailureReason ?? '',
    limit: job.StoppingCondition?.MaxRuntimeInSeconds ?? 0
  };
}
