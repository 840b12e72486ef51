import React from 'react';

import { carry, CommandButton, CommandLink } from '../components/actions';
import { bytes, number } from '../components/format';
import { useLive, useStudio } from '../components/hooks';
import { Copyable, Facts, Section } from '../components/parts';
import { NotebookOutput, outputOf } from '../notebookjob/output';
import { CommandIDs } from '../tokens';
import type { sagemaker } from '../wire';
import { isOver } from './phases';
import { ImageDigest } from './supply';
import { byName } from '../components/names';

type Job = sagemaker.DescribeTrainingJobResponse;

// What a name like that holds is shown only when somebody asks.
const SECRET = /secret|token|passw|credential|private|api_?key|access_?key/i;
const MANY = 10;
const EMPTY_ARCHIVE = 200; // bytes, compressed

/** The last value of each metric. */
export function FinalMetrics(props: { job: Job }): React.JSX.Element | null {
  const { trans } = useStudio();
  const [more, setMore] = React.useState(false);
  const metrics = props.job.FinalMetricDataList ?? [];
  const shown = more ? metrics : metrics.slice(0, MANY);
  return metrics.length === 0 ? null : (
    <Section title={trans.__('Last values')}>
      <table className="jp-StudioJob-table">
        <tbody>
          {shown.map(metric => (
            <tr key={metric.MetricName}>
              <th scope="row">{metric.MetricName}</th>
              <td className="jp-mod-numeric" title={String(metric.Value)}>
                {number(metric.Value ?? NaN)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length < metrics.length && (
        <div>
          <button className="jp-StudioButton" onClick={() => setMore(true)}>
            {trans.__('Show all (%1 of %2)', shown.length, metrics.length)}
          </button>
        </div>
      )}
    </Section>
  );
}

/** Names and values in a table with a filter, each to be copied. */
export function Parameters(props: {
  title: string;
  values: { [key: string]: string } | undefined;
  empty: string;
}): React.JSX.Element {
  const { trans } = useStudio();
  const [filter, setFilter] = React.useState('');
  const all = Object.entries(props.values ?? {}).sort(([one], [other]) =>
    byName(one, other)
  );
  const wanted = filter.toLowerCase();
  const shown = all.filter(([name, value]) =>
    `${name}\n${value}`.toLowerCase().includes(wanted)
  );
  return (
    <Section
      title={props.title}
      actions={
        all.length > MANY && (
          <input
            type="search"
            aria-label={trans.__('Filter %1', props.title)}
            placeholder={trans.__('Filter')}
            value={filter}
            onChange={event => setFilter(event.target.value)}
          />
        )
      }
    >
      {all.length === 0 && <p className="jp-StudioJob-none">{props.empty}</p>}
      <table className="jp-StudioJob-table">
        <tbody>
          {shown.map(([name, value]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>
                {SECRET.test(name) ? (
                  <Hidden value={value} />
                ) : (
                  <Copyable text={value} />
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length < all.length && (
        <p className="jp-StudioJob-none">
          {trans.__('%1 of %2', shown.length, all.length)}
        </p>
      )}
    </Section>
  );
}

/** A value that others beside the screen should not read. */
function Hidden(props: { value: string }): React.JSX.Element {
  const { trans } = useStudio();
  const [shown, setShown] = React.useState(false);
  return (
    <span className="jp-StudioJob-row">
      {shown ? props.value : '••••••••'}
      <button
        className="jp-StudioButton jp-mod-minimal"
        onClick={() => setShown(!shown)}
      >
        {shown ? trans.__('Hide') : trans.__('Show')}
      </button>
    </span>
  );
}

/** The channels, each with the way to its data. */
export function Inputs(props: { job: Job }): React.JSX.Element {
  const { trans } = useStudio();
  const channels = props.job.InputDataConfig ?? [];
  return (
    <Section title={trans.__('Inputs')}>
      {channels.length === 0 && (
        <p className="jp-StudioJob-none">
          {trans.__('The job reads no channels.')}
        </p>
      )}
      <Facts
        facts={channels.map(channel => [
          channel.ChannelName,
          <S3Link
            key={channel.ChannelName}
            uri={channel.DataSource.S3DataSource?.S3Uri ?? ''}
            note={channel.ContentType}
            data
          />
        ])}
      />
    </Section>
  );
}

/** What the job leaves: the model, with what can be done with it. */
export function Outputs(props: { job: Job }): React.JSX.Element {
  const { trans, client } = useStudio();
  const { job } = props;
  const uri = job.ModelArtifacts?.S3ModelArtifacts ?? '';
  const place = parsed(uri);
  const size = useSize(uri, job.TrainingJobStatus);
  const checkpoints = job.CheckpointConfig?.S3Uri;
  // A notebook may leave a model as well; most leave an archive of nothing.
  const plain = outputOf(job) && (size ?? 0) < EMPTY_ARCHIVE;
  return (
    <Section title={trans.__('Outputs')}>
      <NotebookOutput job={job} />
      {plain ? null : size === undefined ? (
        <p className="jp-StudioJob-none">
          {isOver(job.TrainingJobStatus)
            ? trans.__('The job left no model.')
            : trans.__('The model is stored when the job has ended.')}
        </p>
      ) : (
        <>
          <S3Link uri={uri} note={bytes(size)} />
          <div className="jp-StudioJob-row">
            <CommandButton
              command={CommandIDs.deploy}
              args={{ job: job.TrainingJobName }}
            >
              {trans.__('Deploy')}
            </CommandButton>
            <a
              className="jp-StudioButton"
              href={client.s3Url(place.bucket, place.key)}
              download
            >
              {trans.__('Download')}
            </a>
          </div>
        </>
      )}
      {checkpoints && (
        <Facts
          facts={[
            [trans.__('Checkpoints'), <S3Link key="uri" uri={checkpoints} />]
          ]}
        />
      )}
    </Section>
  );
}

/** How large an object is; undefined while there is none. */
function useSize(uri: string, status: string | undefined): number | undefined {
  const { client } = useStudio();
  const { bucket, key } = parsed(uri);
  const over = status === 'Completed' || status === 'Stopped';
  const { value } = useLive(
    async signal => {
      if (!over || !key) {
        return undefined;
      }
      const response = await client.s3('HEAD', bucket, key, {}, { signal });
      return Number(response.headers.get('Content-Length') ?? 0);
    },
    event =>
      event.type === 'object' &&
      event.Bucket === bucket &&
      key.startsWith(event.Prefix),
    [bucket, key, over]
  );
  return value;
}

/** An S3 URI that opens the folder it names, and its data. */
export function S3Link(props: {
  uri: string;
  note?: string;
  data?: boolean;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { bucket, key } = parsed(props.uri);
  const folder = key.slice(0, key.lastIndexOf('/') + 1);
  return (
    <span
      className="jp-StudioJob-uri"
      draggable
      onDragStart={event => carry(event, { kind: 'object', name: props.uri })}
    >
      <CommandLink
        command={CommandIDs.openObjects}
        args={{ bucket, prefix: folder }}
        title={trans.__('Browse %1', props.uri)}
      >
        {props.uri}
      </CommandLink>
      {props.note && <span className="jp-StudioJob-none">{props.note}</span>}
      {props.data && (
        <CommandButton
          kind="minimal"
          command={CommandIDs.openData}
          args={{ uri: props.uri }}
        >
          {trans.__('Visualize')}
        </CommandButton>
      )}
    </span>
  );
}

/** What the job runs, and where. */
export function Setup(props: { job: Job }): React.JSX.Element {
  const { trans } = useStudio();
  const { job } = props;
  const algorithm = job.AlgorithmSpecification;
  const config = job.ResourceConfig;
  const command = [
    ...(algorithm?.ContainerEntrypoint ?? []),
    ...(algorithm?.ContainerArguments ?? [])
  ].join(' ');
  const groups = config?.InstanceGroups ?? (config ? [config] : []);
  const facts: [string, React.ReactNode][] = [
    [
      trans.__('Image'),
      <span key="image">
        <Copyable text={algorithm?.TrainingImage ?? ''} />
        <ImageDigest job={job} />
      </span>
    ],
    ...(command
      ? [
          [trans.__('Command'), <code key="command">{command}</code>] as [
            string,
            React.ReactNode
          ]
        ]
      : []),
    [
      trans.__('Instances'),
      groups
        .map(group => `${group.InstanceCount ?? 1} × ${group.InstanceType}`)
        .join(', ')
    ],
    [
      trans.__('Longest time'),
      `${(job.StoppingCondition?.MaxRuntimeInSeconds ?? 0).toLocaleString()} s`
    ],
    [trans.__('Role'), <Copyable key="role" text={job.RoleArn ?? ''} />],
    [trans.__('ARN'), <Copyable key="arn" text={job.TrainingJobArn} />]
  ];
  return (
    <Section title={trans.__('Setup')}>
      <Facts facts={facts} />
    </Section>
  );
}

/** The tags of what an ARN names. */
export function Tags({ arn }: { arn: string }): React.JSX.Element {
  const { client, trans } = useStudio();
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

/** `s3://bucket/a/key` in its parts; empty for something else. */
export function parsed(uri: string): { bucket: string; key: string } {
  const match = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(uri);
  return { bucket: match?.[1] ?? '', key: match?.[2] ?? '' };
}
