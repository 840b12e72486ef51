import React from 'react';

import { askedOfProcessing } from '../codegen';
import { copyAs } from '../codegen/copyas';
import { useArgs, useStudio } from '../components/hooks';
import type { ILogState } from '../components/log/state';
import { useLog } from '../components/log/view';
import { Copyable, Facts, Section } from '../components/parts';
import type { Client } from '../core/client';
import type { StudioView } from '../core/documents';
import { PROCESSING } from '../jobs/kinds';
import type { sagemaker } from '../wire';
import { Parameters, S3Link, Tags } from './facts';
import { Absent, JobHeader, useJob } from './frame';
import { Overview } from './overview';
import { processingPhases } from './phases';

type Job = sagemaker.DescribeProcessingJobResponse;

interface IArgs {
  name: string;
  log?: ILogState;
}

const KIND = PROCESSING.kind;

const describe = (client: Client, name: string, signal: AbortSignal) =>
  client.call(
    'sagemaker',
    'DescribeProcessingJob',
    { ProcessingJobName: name },
    signal
  );

/** A processing job: what it does, what it says, which files it read and wrote. */
export function ProcessingJobPage(props: {
  view: StudioView;
}): React.JSX.Element {
  const [args, setArgs] = useArgs<IArgs>(props.view);
  const app = useStudio();
  const { client, trans } = app;
  const { name } = args;
  const job = useJob(PROCESSING, name, describe);
  const log = useLog(KIND, name, args.log?.stream);
  if (!job.value) {
    return <Absent kind={PROCESSING} name={name} job={job} />;
  }
  const shown = job.value;
  const copy = async () => {
    const request = await askedOfProcessing(client, shown);
    await copyAs(app, trans.__('%1 as code', name), [
      { operation: 'CreateProcessingJob', request }
    ]);
  };
  return (
    <div className="jp-StudioPage jp-StudioJob">
      <JobHeader
        kind={PROCESSING}
        name={name}
        status={shown.ProcessingJobStatus}
        gone={job.gone}
        created={shown.CreationTime}
        ended={shown.ProcessingEndTime}
        phases={now => processingPhases(shown, now, trans)}
      >
        <button className="jp-StudioButton" onClick={() => void copy()}>
          {trans.__('Copy as…')}
        </button>
      </JobHeader>
      <Overview
        kind={PROCESSING}
        name={name}
        failed={
          shown.ProcessingJobStatus === 'Failed'
            ? (shown.FailureReason ?? '')
            : undefined
        }
        start={shown.ProcessingStartTime ?? shown.CreationTime}
        log={log}
        state={args.log}
        onState={changes => setArgs({ log: { ...args.log, ...changes } })}
        said={
          shown.ExitMessage && (
            <Section title={trans.__('Exit message')}>
              <pre className="jp-StudioJob-said" tabIndex={0}>
                {shown.ExitMessage}
              </pre>
            </Section>
          )
        }
      >
        <Outputs job={shown} />
        <Inputs job={shown} />
        <Setup job={shown} />
        {shown.Environment && (
          <Parameters
            title={trans.__('Environment')}
            values={shown.Environment}
            empty=""
          />
        )}
        <Tags arn={shown.ProcessingJobArn} />
      </Overview>
    </div>
  );
}

/** The files that the job is given: from where, and where it finds them. */
function Inputs(props: { job: Job }): React.JSX.Element {
  const { trans } = useStudio();
  const inputs = props.job.ProcessingInputs ?? [];
  return (
    <Section title={trans.__('Inputs')}>
      {inputs.length === 0 && (
        <p className="jp-StudioJob-none">
          {trans.__('The job is given no files.')}
        </p>
      )}
      <Facts
        facts={inputs.map(({ InputName: name, S3Input: source }) => [
          name,
          <S3Link
            key={name}
            uri={source?.S3Uri ?? ''}
            note={source?.LocalPath && `→ ${source.LocalPath}`}
            data
          />
        ])}
      />
    </Section>
  );
}

/** The folders whose files the job leaves in S3. */
function Outputs(props: { job: Job }): React.JSX.Element {
  const { trans } = useStudio();
  const outputs = props.job.ProcessingOutputConfig?.Outputs ?? [];
  const when = (mode: string | undefined) =>
    mode === 'Continuous' ? trans.__('while it runs') : trans.__('at its end');
  return (
    <Section title={trans.__('Outputs')}>
      {outputs.length === 0 && (
        <p className="jp-StudioJob-none">
          {trans.__('The job stores no files.')}
        </p>
      )}
      <Facts
        facts={outputs.map(({ OutputName: name, S3Output: target }) => [
          name,
          <S3Link
            key={name}
            uri={folder(target?.S3Uri ?? '')}
            note={`← ${target?.LocalPath ?? ''}, ${when(target?.S3UploadMode)}`}
          />
        ])}
      />
    </Section>
  );
}

/** What the job runs, and where. */
function Setup(props: { job: Job }): React.JSX.Element {
  const { trans } = useStudio();
  const { job } = props;
  const app = job.AppSpecification;
  const cluster = job.ProcessingResources.ClusterConfig;
  const limit = job.StoppingCondition?.MaxRuntimeInSeconds;
  const command = [
    ...(app.ContainerEntrypoint ?? []),
    ...(app.ContainerArguments ?? [])
  ].join(' ');
  const facts: [string, React.ReactNode][] = [
    [trans.__('Image'), <Copyable key="image" text={app.ImageUri} />],
    [trans.__('Command'), command && <code key="command">{command}</code>],
    [
      trans.__('Instances'),
      `${cluster.InstanceCount ?? 1} × ${cluster.InstanceType}`
    ],
    [trans.__('Longest time'), limit && `${limit.toLocaleString()} s`],
    [
      trans.__('Network'),
      job.NetworkConfig?.EnableNetworkIsolation && trans.__('isolated')
    ],
    [trans.__('Experiment'), job.ExperimentConfig?.ExperimentName],
    [trans.__('Role'), <Copyable key="role" text={job.RoleArn ?? ''} />],
    [trans.__('ARN'), <Copyable key="arn" text={job.ProcessingJobArn} />]
  ];
  return (
    <Section title={trans.__('Setup')}>
      <Facts facts={facts.filter(([, value]) => value)} />
    </Section>
  );
}

/** What is stored below a URI is opened as a folder, however it was written. */
function folder(uri: string): string {
  return uri === '' || uri.endsWith('/') ? uri : `${uri}/`;
}
