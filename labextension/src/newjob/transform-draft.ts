import { askedOfTransform } from '../codegen';
import type { Client } from '../core/client';
import type { sagemaker, studio } from '../wire';
import { freeName, stamped } from './draft';

/** What the form edits: a request of CreateTransformJob that may lack members yet. */
export type Draft = Partial<sagemaker.CreateTransformJobRequest>;

/** Arguments of the page: what to begin with, and what has been written since. */
export interface IArgs {
  /** A job to copy. */
  from?: string;
  /** The model that is asked. */
  model?: string;
  /** S3 URI of the files. */
  input?: string;
  request?: Draft;
  code?: string;
}

/** What the form is drawn from. */
export interface IBasis {
  defaults: studio.DescribeDefaultsResponse;
  /** Names of models to choose from, the newest first. */
  models: string[];
  /** The request of the job that was copied. */
  original: Draft | null;
  /** Why the job that was copied failed; "" when it did not. */
  failure: string;
  draft: Draft;
}

const MOST_MODELS = 100;

/** Fetch what the form is drawn from, and make the draft that it begins with. */
export async function begin(
  client: Client,
  args: IArgs,
  signal?: AbortSignal
): Promise<IBasis> {
  const [defaults, { Models: models }, job] = await Promise.all([
    client.call('studio', 'DescribeDefaults', {}, signal),
    client.call(
      'sagemaker',
      'ListModels',
      { MaxResults: MOST_MODELS, SortBy: 'CreationTime' },
      signal
    ),
    args.from
      ? client.call(
          'sagemaker',
          'DescribeTransformJob',
          { TransformJobName: args.from },
          signal
        )
      : null
  ]);
  const original: Draft | null =
    job && (await askedOfTransform(client, job, signal));
  const names = models.map(each => each.ModelName);
  const copy = original && {
    ...original,
    TransformJobName: await freeName(args.from!, base =>
      taken(client, base, signal)
    )
  };
  return {
    defaults,
    models: names,
    original,
    failure: job?.FailureReason ?? '',
    draft:
      args.request ??
      copy ??
      fresh(defaults, { ...args, model: args.model ?? names[0] })
  };
}

async function taken(
  client: Client,
  base: string,
  signal?: AbortSignal
): Promise<string[]> {
  const { TransformJobSummaries: jobs } = await client.call(
    'sagemaker',
    'ListTransformJobs',
    { NameContains: base, MaxResults: 100 },
    signal
  );
  return jobs.map(job => job.TransformJobName);
}

/** The draft of somebody who has chosen at most a model and files: rows of CSV, many a request. */
export function fresh(
  defaults: studio.DescribeDefaultsResponse,
  given: { model?: string; input?: string },
  now = new Date()
): Draft {
  const name = stamped('transform', now);
  return {
    TransformJobName: name,
    ...(given.model && { ModelName: given.model }),
    TransformInput: {
      DataSource: {
        S3DataSource: {
          S3DataType: 'S3Prefix',
          ...(given.input && { S3Uri: given.input })
        } as sagemaker.TransformS3DataSource
      },
      ContentType: 'text/csv',
      SplitType: 'Line'
    },
    BatchStrategy: 'MultiRecord',
    TransformOutput: {
      S3OutputPath: `s3://${defaults.Bucket}/${name}`,
      Accept: 'text/csv',
      AssembleWith: 'Line'
    },
    TransformResources: { InstanceType: 'ml.m5.large', InstanceCount: 1 }
  };
}
