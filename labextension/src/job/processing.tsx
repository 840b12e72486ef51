import React from 'react';

import { askedOfProcessing } from '../codegen';
import { useStudio } from '../components/hooks';
import { Copyable, Facts, Section } from '../components/parts';
import type { StudioView } from '../core/documents';
import { PROCESSING } from '../jobs/kinds';
import type { sagemaker } from '../wire';
import { type IBatchJob, BatchJobPage } from './batch';
import { S3Link } from './facts';
import { processingPhases } from './phases';

type Job = sagemaker.DescribeProcessingJobResponse;

const JOB: IBatchJob<Job> = {
  kind: PROCESSING,
  describe: (client, name, signal) =>
    client.call(
      'sagemaker',
      'DescribeProcessingJob',
      { ProcessingJobName: name },
      signal
    ),
  common: job => ({
    arn: job.ProcessingJobArn,
    status: job.ProcessingJobStatus,
    created: job.CreationTime,
    start: job.ProcessingStartTime,
    end: job.ProcessingEndTime,
    reason: job.FailureReason,
    environment: job.Environment
  }),
  phases: processingPhases,
  call: async (client, job) => ({
    operation: 'CreateProcessingJob',
    request: await askedOfProcessing(client, job)
  }),
  said: job => job.ExitMessage && <Message text={job.ExitMessage} />,
  facts: job => (
    <>
      <Outputs job={job} />
      <Inputs job={job} />
      <Setup job={job} />
    </>
  )
};

/** A processing job: what it does, what it says, which files it read and wrote. */
export function ProcessingJobPage(props: {
  view: StudioView;
}): React.JSX.Element {
  return <BatchJobPage view={props.view} of={JOB} />;
}

/** What it left for people. */
function Message(props: { text: string }): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <Section title={trans.__('Exit message')}>
      <pre className="jp-StudioJob-said" tabIndex={0}>
        {props.text}
      </pre>
    </Section>
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
