import React from 'react';

import { askedOfTransform } from '../codegen';
import { bytes } from '../components/format';
import { useLive, useStudio } from '../components/hooks';
import { Copyable, Facts, Section } from '../components/parts';
import type { StudioView } from '../core/documents';
import { TRANSFORM } from '../jobs/kinds';
import { CommandIDs } from '../tokens';
import type { sagemaker } from '../wire';
import { type IBatchJob, BatchJobPage } from './batch';
import { S3Link } from './facts';
import { isOver, transformPhases } from './phases';

type Job = sagemaker.DescribeTransformJobResponse;

const JOB: IBatchJob<Job> = {
  kind: TRANSFORM,
  describe: (client, name, signal) =>
    client.call(
      'sagemaker',
      'DescribeTransformJob',
      { TransformJobName: name },
      signal
    ),
  common: job => ({
    arn: job.TransformJobArn,
    status: job.TransformJobStatus,
    created: job.CreationTime,
    start: job.TransformStartTime,
    end: job.TransformEndTime,
    reason: job.FailureReason,
    environment: job.Environment
  }),
  phases: transformPhases,
  call: async (client, job) => ({
    operation: 'CreateTransformJob',
    request: await askedOfTransform(client, job)
  }),
  said: job => (
    <Progress
      name={job.TransformJobName}
      over={isOver(job.TransformJobStatus)}
    />
  ),
  facts: job => (
    <>
      <Files job={job} />
      <Setup job={job} />
    </>
  )
};

/** A transform job: how far it is, what failed, its files, its model and its log. */
export function TransformJobPage(props: {
  view: StudioView;
}): React.JSX.Element {
  return <BatchJobPage view={props.view} of={JOB} />;
}

/** How many files and records are done, and how many failed. */
function Progress(props: { name: string; over: boolean }): React.JSX.Element {
  const { client, trans } = useStudio();
  const { name } = props;
  const { value: known } = useLive(
    signal =>
      client.call(
        'studio',
        'DescribeTransformProgress',
        { TransformJobName: name },
        signal
      ),
    event =>
      event.type === 'resource' &&
      event.Kind === TRANSFORM.kind &&
      event.Name === name,
    [client, name]
  );
  const title = trans.__('Progress');
  if (!known?.Files) {
    return (
      <Section title={title}>
        <p className="jp-StudioJob-none" role="status">
          {props.over
            ? trans.__('The job ended before it read a file.')
            : trans.__('The model server is being started.')}
        </p>
      </Section>
    );
  }
  const settled = known.FilesDone + known.FilesFailed;
  const label = trans.__(
    '%1 of %2 files done',
    known.FilesDone.toLocaleString(),
    known.Files.toLocaleString()
  );
  return (
    <Section title={title}>
      <progress
        className="jp-StudioJob-progress"
        aria-label={label}
        max={known.Files}
        value={settled}
      />
      <Facts
        facts={[
          [trans.__('Files'), label],
          ...failed(
            known.FilesFailed,
            trans.__('Failed files'),
            trans.__('without an output; the log names their records')
          ),
          [trans.__('Records'), known.Records.toLocaleString()],
          ...failed(
            known.RecordsFailed,
            trans.__('Failed records'),
            trans.__('up to 100 a file are counted')
          ),
          [
            trans.__('Read'),
            trans.__('%1 of %2', bytes(known.BytesRead), bytes(known.Bytes))
          ]
        ]}
      />
    </Section>
  );
}

function failed(
  count: number,
  name: string,
  note: string
): [string, React.ReactNode][] {
  return count
    ? [
        [
          name,
          <span key={name} className="jp-StudioJob-failed">
            {`${count.toLocaleString()} (${note})`}
          </span>
        ]
      ]
    : [];
}

/** Where the files are read and stored, and what becomes of their records in between. */
function Files(props: { job: Job }): React.JSX.Element {
  const { trans } = useStudio();
  const { TransformInput: input, TransformOutput: output } = props.job;
  const { DataProcessing: processing } = props.job;
  const source = input.DataSource.S3DataSource;
  const facts: [string, React.ReactNode][] = [
    [
      trans.__('Input'),
      <S3Link
        key="input"
        uri={source.S3Uri}
        note={[input.ContentType, input.CompressionType]
          .filter(each => each && each !== 'None')
          .join(', ')}
        data
      />
    ],
    [
      trans.__('Output'),
      <S3Link
        key="output"
        uri={`${(output?.S3OutputPath ?? '').replace(/\/$/, '')}/`}
        note={output?.Accept}
      />
    ],
    [trans.__('Split'), input.SplitType],
    [trans.__('Assembled'), output?.AssembleWith],
    [trans.__('Input filter'), code(processing?.InputFilter)],
    [
      trans.__('Joined'),
      processing?.JoinSource === 'Input' && trans.__('with the input')
    ],
    [trans.__('Output filter'), code(processing?.OutputFilter)]
  ];
  return (
    <Section title={trans.__('Files')}>
      <Facts facts={facts.filter(([, value]) => value)} />
    </Section>
  );
}

function code(path: string | undefined): React.ReactNode {
  return path && path !== '$' && <code>{path}</code>;
}

/** Which model answers, and how it is asked. */
function Setup(props: { job: Job }): React.JSX.Element {
  const { commands, trans } = useStudio();
  const { job } = props;
  const resources = job.TransformResources;
  const facts: [string, React.ReactNode][] = [
    [
      trans.__('Model'),
      <button
        key="model"
        className="jp-StudioLink"
        onClick={() =>
          void commands.execute(CommandIDs.openModel, { name: job.ModelName })
        }
      >
        {job.ModelName}
      </button>
    ],
    [
      trans.__('Instances'),
      `${resources.InstanceCount} × ${resources.InstanceType}`
    ],
    [trans.__('Records in a request'), job.BatchStrategy],
    [
      trans.__('Largest request'),
      job.MaxPayloadInMB !== undefined && `${job.MaxPayloadInMB} MB`
    ],
    [trans.__('Requests at once'), job.MaxConcurrentTransforms],
    [trans.__('Experiment'), job.ExperimentConfig?.ExperimentName],
    [trans.__('ARN'), <Copyable key="arn" text={job.TransformJobArn} />]
  ];
  return (
    <Section title={trans.__('Setup')}>
      <Facts facts={facts.filter(([, value]) => value)} />
    </Section>
  );
}
