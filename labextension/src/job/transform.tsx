import React from 'react';

import { askedOfTransform } from '../codegen';
import { copyAs } from '../codegen/copyas';
import { bytes } from '../components/format';
import { useArgs, useLive, useStudio } from '../components/hooks';
import type { ILogState } from '../components/log/state';
import { useLog } from '../components/log/view';
import { Copyable, Facts, Section } from '../components/parts';
import type { Client } from '../core/client';
import type { StudioView } from '../core/documents';
import { TRANSFORM } from '../jobs/kinds';
import { CommandIDs } from '../tokens';
import type { sagemaker } from '../wire';
import { Parameters, S3Link, Tags } from './facts';
import { Absent, JobHeader, useJob } from './frame';
import { Overview } from './overview';
import { isOver, transformPhases } from './phases';

type Job = sagemaker.DescribeTransformJobResponse;

interface IArgs {
  name: string;
  log?: ILogState;
}

const describe = (client: Client, name: string, signal: AbortSignal) =>
  client.call(
    'sagemaker',
    'DescribeTransformJob',
    { TransformJobName: name },
    signal
  );

/** A transform job: how far it is, what failed, its files, its model and its log. */
export function TransformJobPage(props: {
  view: StudioView;
}): React.JSX.Element {
  const [args, setArgs] = useArgs<IArgs>(props.view);
  const app = useStudio();
  const { client, trans } = app;
  const { name } = args;
  const job = useJob(TRANSFORM, name, describe);
  const log = useLog(TRANSFORM.kind, name, args.log?.stream);
  if (!job.value) {
    return <Absent kind={TRANSFORM} name={name} job={job} />;
  }
  const shown = job.value;
  const status = shown.TransformJobStatus;
  const copy = async () => {
    const request = await askedOfTransform(client, shown);
    await copyAs(app, trans.__('%1 as code', name), [
      { operation: 'CreateTransformJob', request }
    ]);
  };
  return (
    <div className="jp-StudioPage jp-StudioJob">
      <JobHeader
        kind={TRANSFORM}
        name={name}
        status={status}
        gone={job.gone}
        created={shown.CreationTime}
        ended={shown.TransformEndTime}
        phases={now => transformPhases(shown, now, trans)}
      >
        <button className="jp-StudioButton" onClick={() => void copy()}>
          {trans.__('Copy as…')}
        </button>
      </JobHeader>
      <Overview
        kind={TRANSFORM}
        name={name}
        failed={status === 'Failed' ? (shown.FailureReason ?? '') : undefined}
        start={shown.TransformStartTime ?? shown.CreationTime}
        log={log}
        state={args.log}
        onState={changes => setArgs({ log: { ...args.log, ...changes } })}
        said={<Progress name={name} over={isOver(status)} />}
      >
        <Files job={shown} />
        <Setup job={shown} />
        {shown.Environment && (
          <Parameters
            title={trans.__('Environment')}
            values={shown.Environment}
            empty=""
          />
        )}
        <Tags arn={shown.TransformJobArn} />
      </Overview>
    </div>
  );
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
