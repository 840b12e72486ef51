import { EXECUTION, targetOf } from '../schedules/target';
import type { ITimes } from '../schedules/when';
import type { sagemaker, scheduler, studio } from '../wire';

/** What the page edits: a notebook or script that is to be run as a job. */
export interface IRun {
  name: string;
  /** Values that differ from those of the notebook, or arguments of the script. */
  parameters: Record<string, string>;
  /** Interpreter of the environment; "" for Studio's own. */
  python: string;
  instanceType: string;
  minutes: number;
  /** Whether the other files of the folder go along. */
  beside: boolean;
  when: 'now' | 'once' | 'repeat';
  /** `2030-01-31T18:30`, by the clock of the time zone. */
  at: string;
  times: ITimes;
}

/** Where AWS's tools see that a job runs a notebook. */
export const NOTEBOOK_TAG = 'sagemaker:is-scheduling-notebook-job';

const CHANNEL = 'notebook';
/** Characters that AWS allows the name of a job. */
export const LONGEST_NAME = 63;

export function isNotebook(path: string): boolean {
  return path.endsWith('.ipynb');
}

export function fileOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** A name for jobs of a file: what AWS allows of its own. */
export function nameOf(path: string, room = LONGEST_NAME): string {
  const stem = fileOf(path).replace(/\.[^.]*$/, '');
  const plain = stem.replace(/[^a-zA-Z0-9]+/g, '-').replace(/^-+|-+$/g, '');
  return plain.slice(0, room).replace(/-+$/, '') || 'notebook';
}

/** The S3 prefix of all that belongs to a run, with "/" at the end. */
export function prefixOf(run: IRun): string {
  return `notebook-jobs/${run.name}/`;
}

/** CreateTrainingJob for the file at `path`, once its files are below the prefix. */
export function jobOf(
  run: IRun,
  path: string,
  defaults: studio.DescribeDefaultsResponse
): sagemaker.CreateTrainingJobRequest {
  const scheduled = run.when !== 'now';
  const place = `s3://${defaults.Bucket}/${prefixOf(run)}`;
  const output = scheduled ? `${place}output/${EXECUTION}` : `${place}output`;
  const name = scheduled ? `${run.name}-${EXECUTION}` : run.name;
  return {
    TrainingJobName: name,
    RoleArn: defaults.RoleArn,
    AlgorithmSpecification: {
      TrainingImage: 'python:latest',
      TrainingInputMode: 'File',
      ...(isNotebook(path)
        ? { ContainerEntrypoint: ['amazon_sagemaker_scheduler'] }
        : script(run, path))
    },
    ...environment(run, path),
    ...(isNotebook(path) &&
      Object.keys(run.parameters).length > 0 && {
        HyperParameters: run.parameters
      }),
    InputDataConfig: [
      {
        ChannelName: CHANNEL,
        DataSource: {
          S3DataSource: { S3DataType: 'S3Prefix', S3Uri: `${place}input/` }
        }
      }
    ],
    ...(isNotebook(path) && { CheckpointConfig: { S3Uri: output } }),
    OutputDataConfig: { S3OutputPath: `${place}archives` },
    ResourceConfig: {
      InstanceType: run.instanceType,
      InstanceCount: 1,
      VolumeSizeInGB: 30
    },
    StoppingCondition: { MaxRuntimeInSeconds: 60 * run.minutes },
    Tags: [
      ...(isNotebook(path) ? [{ Key: NOTEBOOK_TAG, Value: 'true' }] : []),
      { Key: 'sagemaker:name', Value: run.name },
      { Key: 'sagemaker:notebook-name', Value: tagged(fileOf(path)) }
    ]
  };
}

/** CreateSchedule for a run that is to start later. */
export function scheduleOf(
  run: IRun,
  path: string,
  defaults: studio.DescribeDefaultsResponse
): scheduler.CreateScheduleInput {
  const { expression, timezone } = run.times;
  return {
    Name: run.name,
    Description: `Runs ${path}`.slice(0, 512),
    ScheduleExpression: run.when === 'once' ? `at(${run.at}:00)` : expression,
    ScheduleExpressionTimezone: timezone,
    FlexibleTimeWindow: { Mode: 'OFF' },
    Target: targetOf('CreateTrainingJob', jobOf(run, path, defaults))
  };
}

/** Parameters of a notebook: the assignments in its cell with the tag `parameters`. */
export function parametersOf(notebook: unknown): Record<string, string> {
  const { cells = [] } = (notebook ?? {}) as { cells?: ICell[] };
  const cell = cells.find(each => each.metadata?.tags?.includes('parameters'));
  const source = cell?.source ?? '';
  const text = Array.isArray(source) ? source.join('') : source;
  const found = text
    .split('\n')
    .map(line => ASSIGNMENT.exec(line))
    .filter(match => match !== null);
  return Object.fromEntries(
    found.map(([, name, value]) => [name, unquoted(value)])
  );
}

interface ICell {
  source?: string | string[];
  metadata?: { tags?: string[] };
}

const ASSIGNMENT =
  /^([A-Za-z_]\w*)\s*(?::[^=]+)?=\s*((?:"[^"]*"|'[^']*'|[^#"'])+?)\s*(?:#.*)?$/;

function unquoted(value: string): string {
  return /^(["'])((?:(?!\1).)*)\1$/.exec(value)?.[2] ?? value;
}

function script(run: IRun, path: string) {
  const given = Object.entries(run.parameters);
  const words = given.flatMap(([name, value]) => [`--${name}`, value]);
  return {
    ContainerEntrypoint: [
      'python',
      `/opt/ml/input/data/${CHANNEL}/${fileOf(path)}`
    ],
    ...(words.length > 0 && { ContainerArguments: words })
  };
}

function environment(run: IRun, path: string) {
  const file = fileOf(path);
  const values = {
    ...(isNotebook(path) && {
      SM_INPUT_NOTEBOOK_NAME: file,
      SM_OUTPUT_NOTEBOOK_NAME: file
    }),
    ...(run.python && { STUDIO_PYTHON: run.python })
  };
  return Object.keys(values).length > 0 ? { Environment: values } : {};
}

/** Tags take letters, digits, spaces and a few signs. */
function tagged(text: string): string {
  return text.replace(/[^\p{L}\p{Z}\p{N}_.:/=+\-@]/gu, '_').slice(0, 256);
}
