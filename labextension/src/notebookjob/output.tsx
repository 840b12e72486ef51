import React from 'react';

import { CommandButton } from '../components/actions';
import { useLive, useStudio } from '../components/hooks';
import type { Client } from '../core/client';
import { parseS3 } from '../core/s3';
import { CommandIDs } from '../tokens';
import type { sagemaker } from '../wire';

type Job = sagemaker.DescribeTrainingJobResponse;

/** Where a notebook job keeps its notebook; null for another job. */
export function outputOf(job: Job): { bucket: string; key: string } | null {
  const { Environment: given = {}, CheckpointConfig: kept } = job;
  const name =
    given['SM_OUTPUT_NOTEBOOK_NAME'] ?? given['SM_INPUT_NOTEBOOK_NAME'];
  const place = kept && parseS3(kept.S3Uri);
  const folder = place?.key.replace(/\/*$/, '');
  return name && place
    ? { bucket: place.bucket, key: folder ? `${folder}/${name}` : name }
    : null;
}

/** What there is of the notebook of a job, to open and to download. */
export function NotebookOutput(props: { job: Job }): React.JSX.Element | null {
  const { client, trans } = useStudio();
  const { job } = props;
  const place = outputOf(job);
  const { bucket = '', key = '' } = place ?? {};
  const { value: there } = useLive(
    signal =>
      key ? exists(client, bucket, key, signal) : Promise.resolve(false),
    event =>
      (event.type === 'object' &&
        event.Bucket === bucket &&
        key.startsWith(event.Prefix)) ||
      (event.type === 'resource' && event.Name === job.TrainingJobName),
    [client, bucket, key]
  );
  if (!place) {
    return null;
  }
  return there ? (
    <div className="jp-StudioJob-row">
      <Progress name={job.TrainingJobName} />
      <CommandButton
        kind="accept"
        command={CommandIDs.openOutput}
        args={{ name: job.TrainingJobName, uri: `s3://${bucket}/${key}` }}
      >
        {trans.__('Open output')}
      </CommandButton>
      <a className="jp-StudioButton" href={client.s3Url(bucket, key)} download>
        {trans.__('Download notebook')}
      </a>
    </div>
  ) : (
    <p className="jp-StudioJob-none">
      {trans.__('The notebook is kept after its first cell, and after each.')}
    </p>
  );
}

/** How many cells of code are done. */
function Progress(props: { name: string }): React.JSX.Element | null {
  const { client, trans } = useStudio();
  const { name } = props;
  const { value } = useLive(
    signal =>
      client.call(
        'sagemaker',
        'DescribeTrainingJob',
        { TrainingJobName: name },
        signal
      ),
    event =>
      (event.type === 'metrics' || event.type === 'resource') &&
      event.Name === name,
    [client, name]
  );
  const metric = (wanted: string) =>
    value?.FinalMetricDataList?.find(each => each.MetricName === wanted)?.Value;
  const cell = metric('notebook:cell');
  const share = metric('notebook:progress');
  if (!cell || !share) {
    return null;
  }
  const count = Math.round((100 * cell) / share);
  const text = trans.__('%1 of %2 cells done', cell, count);
  return (
    <label className="jp-StudioNotebookJob-progress">
      <progress max={count} value={cell} />
      {text}
    </label>
  );
}

async function exists(
  client: Client,
  bucket: string,
  key: string,
  signal: AbortSignal
): Promise<boolean> {
  const response = await client.fetch(
    `s3/${encodeURIComponent(bucket)}/${key.split('/').map(encodeURIComponent).join('/')}`,
    { method: 'HEAD', signal },
    false
  );
  return response.ok;
}
