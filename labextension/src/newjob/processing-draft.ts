import { askedOfProcessing } from '../codegen';
import type { Client } from '../core/client';
import type { sagemaker, studio } from '../wire';
import { freeName, stamped } from './draft';
import { withValue } from './paths';

/** What the form edits: a request of CreateProcessingJob that may lack members yet. */
export type Draft = Partial<sagemaker.CreateProcessingJobRequest>;

/** Arguments of the page: what to begin with, and what has been written since. */
export interface IArgs {
  /** A job to copy. */
  from?: string;
  /** S3 URI of the first input. */
  input?: string;
  request?: Draft;
  code?: string;
}

/** What the form is drawn from. */
export interface IBasis {
  defaults: studio.DescribeDefaultsResponse;
  /** The request of the job that was copied. */
  original: Draft | null;
  /** Why the job that was copied failed; "" when it did not. */
  failure: string;
  draft: Draft;
}

/** Fetch what the form is drawn from, and make the draft that it begins with. */
export async function begin(
  client: Client,
  args: IArgs,
  signal?: AbortSignal
): Promise<IBasis> {
  const [defaults, job] = await Promise.all([
    client.call('studio', 'DescribeDefaults', {}, signal),
    args.from ? described(client, args.from, signal) : null
  ]);
  const original: Draft | null =
    job && (await askedOfProcessing(client, job, signal));
  const copy = original && {
    ...original,
    ProcessingJobName: await freeName(args.from!, base =>
      names(client, base, signal)
    )
  };
  return {
    defaults,
    original,
    failure: job?.FailureReason ?? '',
    draft: args.request ?? copy ?? fresh(defaults, args.input)
  };
}

function described(
  client: Client,
  name: string,
  signal?: AbortSignal
): Promise<sagemaker.DescribeProcessingJobResponse> {
  return client.call(
    'sagemaker',
    'DescribeProcessingJob',
    { ProcessingJobName: name },
    signal
  );
}

async function names(
  client: Client,
  base: string,
  signal?: AbortSignal
): Promise<string[]> {
  const { ProcessingJobSummaries: jobs } = await client.call(
    'sagemaker',
    'ListProcessingJobs',
    { NameContains: base, MaxResults: 100 },
    signal
  );
  return jobs.map(job => job.ProcessingJobName);
}

/** The draft of somebody who has chosen at most an input: a script of Python, given files. */
export function fresh(
  defaults: studio.DescribeDefaultsResponse,
  uri?: string,
  now = new Date()
): Draft {
  const name = stamped('processing', now);
  return {
    ProcessingJobName: name,
    AppSpecification: {
      ImageUri: 'python:latest',
      ContainerEntrypoint: ['python3', `${CODE}/main.py`]
    },
    RoleArn: defaults.RoleArn,
    ProcessingInputs: [
      input('code', '', CODE),
      ...(uri === undefined
        ? []
        : [input('data', uri, '/opt/ml/processing/input')])
    ],
    ProcessingOutputConfig: {
      Outputs: [output('output', `s3://${defaults.Bucket}/${name}/output`)]
    },
    ProcessingResources: {
      ClusterConfig: {
        InstanceType: 'ml.m5.large',
        InstanceCount: 1,
        VolumeSizeInGB: 30
      }
    },
    StoppingCondition: { MaxRuntimeInSeconds: 86400 }
  };
}

const CODE = '/opt/ml/processing/code';

/** An input that copies what is below a URI to a folder. */
export function input(
  name: string,
  uri: string,
  folder: string
): sagemaker.ProcessingInput {
  return {
    InputName: name,
    S3Input: {
      ...(uri && { S3Uri: uri }),
      LocalPath: folder,
      S3DataType: 'S3Prefix',
      S3InputMode: 'File',
      S3DataDistributionType: 'FullyReplicated'
    } as sagemaker.ProcessingS3Input
  };
}

/** An output that stores what is in the usual folder, once the job has ended. */
export function output(name: string, uri: string): sagemaker.ProcessingOutput {
  return {
    OutputName: name,
    S3Output: {
      ...(uri && { S3Uri: uri }),
      LocalPath: `/opt/ml/processing/${name}`,
      S3UploadMode: 'EndOfJob'
    } as sagemaker.ProcessingS3Output
  };
}

/** The draft that runs the script at `uri` with Python. */
export function withScript(draft: Draft, uri: string): Draft {
  const others = (draft.ProcessingInputs ?? []).filter(
    each => each.InputName !== 'code'
  );
  const file = uri.slice(uri.lastIndexOf('/') + 1);
  return withValue(
    { ...draft, ProcessingInputs: [input('code', uri, CODE), ...others] },
    ['AppSpecification', 'ContainerEntrypoint'],
    ['python3', `${CODE}/${file}`]
  );
}
