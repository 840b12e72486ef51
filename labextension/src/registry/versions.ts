import type { Client } from '../core/client';
import { artifact, jobOf } from '../core/lineage';
import { parseS3 } from '../core/s3';
import { searchNewest } from '../core/search';
import type { sagemaker } from '../wire';

/** How the key of a tag of a group begins that gives a version a name. */
export const ALIAS = 'studio:alias:';

const MOST = 1000;
const MOST_JOBS = 100;
/** Values of a file of metrics that are shown. */
const MOST_VALUES = 50;

/** Whether a version may be deployed. */
export type ApprovalStatus = NonNullable<
  sagemaker.ModelPackage['ModelApprovalStatus']
>;

/** A version as the page of its group shows it. */
export interface IVersion {
  number: number;
  arn: string;
  status: ApprovalStatus;
  comment: string;
  description: string;
  /** Who made it; "" where that is the owner of the home. */
  by: string;
  createdAt: number;
  changedAt: number;
  /** The training job that wrote its artifact; "" if none is known. */
  job: string;
  image: string;
  uri: string;
  aliases: string[];
  metrics: Record<string, number>;
  /** It says what serves it. */
  served: boolean;
}

/** A group with its versions, newest first. */
export interface IGroup {
  arn: string;
  description: string;
  createdAt: number;
  versions: IVersion[];
  total: number;
}

/** The group, its versions with their aliases, and the metrics of each. */
export async function load(
  client: Client,
  name: string,
  signal: AbortSignal
): Promise<IGroup> {
  const group = await client.call(
    'sagemaker',
    'DescribeModelPackageGroup',
    { ModelPackageGroupName: name },
    signal
  );
  const ResourceArn = group.ModelPackageGroupArn;
  const [tags, found] = await Promise.all([
    client.call('sagemaker', 'ListTags', { ResourceArn }, signal),
    searchNewest(client, 'ModelPackage', MOST, signal, [
      { Name: 'ModelPackageGroupName', Operator: 'Equals', Value: name }
    ])
  ]);
  const packages = found.records.flatMap(each => each.ModelPackage ?? []);
  const jobs = await jobsOf(client, packages, signal);
  const aliases = aliasesOf(tags.Tags ?? []);
  return {
    arn: ResourceArn,
    description: group.ModelPackageGroupDescription ?? '',
    createdAt: 1000 * group.CreationTime,
    total: found.total,
    versions: await Promise.all(
      packages.map(async each =>
        versionOf(each, jobs, aliases, await reported(client, each))
      )
    )
  };
}

/** Aliases by the number of their version. */
export function aliasesOf(tags: sagemaker.Tag[]): Map<number, string[]> {
  const found = new Map<number, string[]>();
  for (const tag of tags.filter(each => each.Key.startsWith(ALIAS))) {
    const number = Number(tag.Value);
    const alias = tag.Key.slice(ALIAS.length);
    found.set(number, [...(found.get(number) ?? []), alias].sort());
  }
  return found;
}

/** The numbers in a document of metrics: `value` of an object stands for the object. */
export function flat(
  document: unknown,
  path: string[] = []
): [string, number][] {
  if (typeof document === 'number') {
    return [[path.at(-1) ?? '', document]];
  }
  if (typeof document !== 'object' || document === null) {
    return [];
  }
  if ('value' in document && typeof document.value === 'number') {
    return flat(document.value, path);
  }
  return Array.isArray(document)
    ? []
    : Object.entries(document).flatMap(([key, value]) =>
        flat(value, [...path, key])
      );
}

/** Names of metrics, those of most versions first. */
export function metricsOf(versions: IVersion[]): string[] {
  const counts = new Map<string, number>();
  for (const each of versions.flatMap(it => Object.keys(it.metrics))) {
    counts.set(each, (counts.get(each) ?? 0) + 1);
  }
  return [...counts]
    .sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]))
    .map(([name]) => name);
}

function versionOf(
  it: sagemaker.ModelPackage,
  jobs: Map<string, sagemaker.TrainingJob>,
  aliases: Map<number, string[]>,
  metrics: Record<string, number>
): IVersion {
  const container = it.InferenceSpecification?.Containers[0];
  const uri = container ? artifact(container) : '';
  const job = jobs.get(uri);
  const number = it.ModelPackageVersion ?? 0;
  return {
    number,
    arn: it.ModelPackageArn ?? '',
    status: it.ModelApprovalStatus ?? 'PendingManualApproval',
    comment: it.ApprovalDescription ?? '',
    description: it.ModelPackageDescription ?? '',
    by: it.CreatedBy?.UserProfileName ?? '',
    createdAt: 1000 * (it.CreationTime ?? 0),
    changedAt: 1000 * (it.LastModifiedTime ?? 0),
    job: job?.TrainingJobName ?? '',
    image: container?.Image ?? '',
    uri,
    aliases: aliases.get(number) ?? [],
    metrics: { ...measured(job), ...numbers(it), ...metrics },
    served: !!container
  };
}

/** What the training job came to. */
function measured(
  job: sagemaker.TrainingJob | undefined
): Record<string, number> {
  const found = job?.FinalMetricDataList ?? [];
  return Object.fromEntries(
    found.map(each => [each.MetricName ?? '', each.Value ?? NaN])
  );
}

/** Properties that are numbers. */
function numbers(it: sagemaker.ModelPackage): Record<string, number> {
  const given = Object.entries(it.CustomerMetadataProperties ?? {});
  return Object.fromEntries(
    given
      .filter(([, text]) => text.trim() && Number.isFinite(Number(text)))
      .map(([name, text]) => [name, Number(text)])
  );
}

/** What the file of its ModelMetrics says; nothing where it cannot be read. */
async function reported(
  client: Client,
  it: sagemaker.ModelPackage
): Promise<Record<string, number>> {
  const at = parseS3(it.ModelMetrics?.ModelQuality?.Statistics?.S3Uri ?? '');
  if (!at) {
    return {};
  }
  try {
    const file = await client.s3('GET', at.bucket, at.key);
    return Object.fromEntries(flat(await file.json()).slice(0, MOST_VALUES));
  } catch {
    return {};
  }
}

/** S3 URI of each artifact -> the training job that wrote it, of those that are still there. */
async function jobsOf(
  client: Client,
  packages: sagemaker.ModelPackage[],
  signal: AbortSignal
): Promise<Map<string, sagemaker.TrainingJob>> {
  const uris = packages.flatMap(each =>
    (each.InferenceSpecification?.Containers ?? []).map(artifact)
  );
  const names = [...new Set(uris.map(jobOf).filter(Boolean))];
  if (!names.length) {
    return new Map();
  }
  const { records } = await searchNewest(client, 'TrainingJob', MOST, signal, [
    {
      Name: 'TrainingJobName',
      Operator: 'In',
      Value: names.slice(0, MOST_JOBS).join(',')
    }
  ]);
  return new Map(
    records.flatMap(({ TrainingJob: job }) =>
      job?.ModelArtifacts ? [[job.ModelArtifacts.S3ModelArtifacts, job]] : []
    )
  );
}
