import type { Client } from '../core/client';
import { askedOf } from '../codegen';
import { parseS3 } from '../core/s3';
import type { sagemaker, studio } from '../wire';
import { withValue } from './paths';

/** What the form edits: a request of CreateTrainingJob that may lack members yet. */
export type Draft = Partial<sagemaker.CreateTrainingJobRequest>;

/** Arguments of the page: what to begin with, and what has been written since. */
export interface IArgs {
  /** A job to copy. */
  from?: string;
  /** Name of an algorithm to begin with. */
  algorithm?: string;
  /** S3 URI to train on. */
  channel?: string;
  validation?: string;
  request?: Draft;
  code?: string;
}

/** Name of the choice that is no algorithm. */
export const OWN = 'own';

/** What the form is drawn from. */
export interface IBasis {
  defaults: studio.DescribeDefaultsResponse;
  algorithms: studio.AlgorithmSummary[];
  /** The request of the job that was copied. */
  original: Draft | null;
  /** Why the job that was copied failed; "" when it did not. */
  failure: string;
  /** Why the job that was to be copied cannot be. */
  lost: unknown;
  draft: Draft;
}

/** Fetch what the form is drawn from, and make the draft that it begins with. */
export async function begin(
  client: Client,
  args: IArgs,
  signal?: AbortSignal
): Promise<IBasis> {
  const [defaults, { Algorithms: algorithms }, found] = await Promise.all([
    client.call('studio', 'DescribeDefaults', {}, signal),
    client.call('studio', 'ListAlgorithms', {}, signal),
    args.from ? copied(client, args.from, signal) : null
  ]);
  const original = found?.request ?? null;
  const basis = {
    defaults,
    algorithms,
    original,
    failure: found?.failure ?? '',
    lost: found?.error ?? null
  };
  if (args.request) {
    return { ...basis, draft: args.request };
  }
  const draft = original
    ? {
        ...original,
        TrainingJobName: await freeName(args.from!, base =>
          trainingNames(client, base)
        )
      }
    : fresh(defaults, algorithms, args.algorithm);
  return { ...basis, draft };
}

async function copied(
  client: Client,
  name: string,
  signal?: AbortSignal
): Promise<{ request?: Draft; failure?: string; error?: unknown }> {
  try {
    const job = await client.call(
      'sagemaker',
      'DescribeTrainingJob',
      { TrainingJobName: name },
      signal
    );
    return {
      request: readable(await askedOf(client, job, signal)),
      failure: job.FailureReason
    };
  } catch (error) {
    if (signal?.aborted) {
      throw error;
    }
    return { error };
  }
}

/** A request as a person would write it: SDKs send texts as JSON, `"gbtree"` in quotes. */
function readable(request: sagemaker.CreateTrainingJobRequest): Draft {
  const given = Object.entries(request.HyperParameters ?? {});
  return given.length
    ? {
        ...request,
        HyperParameters: Object.fromEntries(
          given.map(([name, text]) => [name, unquoted(text)])
        )
      }
    : request;
}

function unquoted(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : text;
  } catch {
    return text;
  }
}

/** The draft of somebody who has chosen at most an algorithm. */
export function fresh(
  defaults: studio.DescribeDefaultsResponse,
  algorithms: studio.AlgorithmSummary[],
  algorithm?: string,
  now = new Date()
): Draft {
  const chosen = algorithms.find(each => each.AlgorithmName === algorithm);
  return {
    TrainingJobName: stamped(chosen?.AlgorithmName ?? 'training', now),
    AlgorithmSpecification: {
      ...(chosen && { TrainingImage: chosen.TrainingImage }),
      TrainingInputMode: 'File'
    },
    RoleArn: defaults.RoleArn,
    ...(chosen && { InputDataConfig: [channel('train')] }),
    OutputDataConfig: { S3OutputPath: `s3://${defaults.Bucket}/output` },
    ResourceConfig: {
      InstanceType: 'ml.m5.large',
      InstanceCount: 1,
      VolumeSizeInGB: 30
    },
    StoppingCondition: { MaxRuntimeInSeconds: 86400 }
  };
}

/** The algorithm that an image is of, in whatever registry and version. */
export function algorithmOf(
  image: string,
  algorithms: studio.AlgorithmSummary[]
): studio.AlgorithmSummary | undefined {
  const repository = image.replace(/:[^:/]*$/, '').replace(/^.*\//, '');
  return algorithms.find(each => each.Repositories.includes(repository));
}

/** The draft with another algorithm: what only the last one knew is gone. */
export function choose(
  draft: Draft,
  choice: studio.AlgorithmSummary | null,
  hyperparameters: Record<string, string> | undefined
): Draft {
  const image = choice?.TrainingImage ?? 'python:latest';
  let next = withValue(
    draft,
    ['AlgorithmSpecification', 'TrainingImage'],
    image
  );
  next = withValue(next, ['HyperParameters'], hyperparameters);
  if (choice) {
    for (const member of ['ContainerEntrypoint', 'ContainerArguments']) {
      next = withValue(next, ['AlgorithmSpecification', member], undefined);
    }
  }
  if (choice && !next.InputDataConfig?.length) {
    next = { ...next, InputDataConfig: [channel('train')] };
  }
  const name = draft.TrainingJobName ?? '';
  return STAMPED.test(name)
    ? {
        ...next,
        TrainingJobName: name.replace(
          STAMPED,
          `${choice?.AlgorithmName ?? 'training'}-$1`
        )
      }
    : next;
}

/** A channel that reads what is at, or below, a URI. */
export function channel(
  name: string,
  uri = '',
  contentType?: string
): sagemaker.Channel {
  return {
    ChannelName: name,
    DataSource: {
      S3DataSource: {
        S3DataType: 'S3Prefix',
        ...(uri && { S3Uri: uri }),
        S3DataDistributionType: 'FullyReplicated'
      } as sagemaker.S3DataSource
    },
    ...(contentType && { ContentType: contentType })
  };
}

const TYPES: [RegExp, string][] = [
  [/\.csv$/i, 'text/csv'],
  [/\.(parquet|pq)$/i, 'application/x-parquet'],
  [/\.(libsvm|svm)$/i, 'text/libsvm'],
  [/\.(recordio|rec|pbr|protobuf|data)$/i, 'application/x-recordio-protobuf'],
  [/\.(jsonl|jsonlines|ndjson)$/i, 'application/jsonlines'],
  [/\.json$/i, 'application/json']
];

/** The content type that an object's name promises; undefined when it promises none. */
export function guessType(key: string): string | undefined {
  return TYPES.find(([pattern]) => pattern.test(key))?.[1];
}

/** Whether a name is one that the form made up: something and a time. */
const STAMPED = /^.*-(\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d)$/;

/** `xgboost-2026-11-21-20-15-00`, in UTC: no two forms begin with the same. */
export function stamped(base: string, now: Date): string {
  return `${base}-${now.toISOString().slice(0, 19).replace(/[T:]/g, '-')}`;
}

/** A name for a copy that no job has: the time of now, or the first free one of `name-2` …. */
export async function freeName(
  name: string,
  containing: (base: string) => Promise<string[]>
): Promise<string> {
  const time = STAMPED.exec(name);
  if (time) {
    return stamped(name.slice(0, -time[1].length - 1), new Date());
  }
  const base = name.replace(/-\d{1,3}$/, '').slice(0, 59);
  const taken = new Set(await containing(base));
  let number = 2;
  while (taken.has(`${base}-${number}`)) {
    number++;
  }
  return `${base}-${number}`;
}

async function trainingNames(client: Client, base: string): Promise<string[]> {
  const { TrainingJobSummaries: jobs } = await client.call(
    'sagemaker',
    'ListTrainingJobs',
    { NameContains: base, MaxResults: 100 }
  );
  return jobs.map(job => job.TrainingJobName);
}

/** Bucket of the output path, if that is the one that has to be made first. */
export function bucketToMake(draft: Draft, bucket: string): string | null {
  const at = parseS3(draft.OutputDataConfig?.S3OutputPath ?? '');
  return at?.bucket === bucket ? bucket : null;
}
