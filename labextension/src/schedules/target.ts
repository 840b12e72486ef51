import type { scheduler } from '../wire';

/** Stands in names for what is different each time. */
export const EXECUTION = '<aws.scheduler.execution-id>';

/** Longest name of a schedule that jobs are named after: an execution id is put behind it. */
export const LONGEST_NAME = 46;

/** What a schedule starts: an operation of SageMaker with its request. */
export function targetOf(
  operation: 'CreateTrainingJob' | 'CreateProcessingJob',
  request: { RoleArn: string }
): scheduler.Target {
  const action = operation[0].toLowerCase() + operation.slice(1);
  return {
    Arn: `arn:aws:scheduler:::aws-sdk:sagemaker:${action}`,
    RoleArn: request.RoleArn,
    Input: JSON.stringify(request)
  };
}

/**
 * The request of a job for a schedule called `name`: each time has a job of its own, and what the
 * old job wrote below its name goes below the new one's.
 */
export function repeated<R extends object>(
  request: R,
  member: string & keyof R,
  name: string
): R {
  const job = `${name}-${EXECUTION}`;
  const old = request[member] as string;
  const moved = Object.fromEntries(
    Object.entries(request)
      .filter(([key]) => WRITTEN.includes(key))
      .map(([key, value]) => [key, below(value, old, job)])
  );
  return { ...request, ...moved, [member]: job };
}

const WRITTEN = [
  'OutputDataConfig',
  'CheckpointConfig',
  'ProcessingOutputConfig'
];

/** The value with one folder of its S3 URIs called otherwise. */
function below(value: unknown, old: string, name: string): unknown {
  const text = JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'string' && each.startsWith('s3://')
      ? each
          .split('/')
          .map(part => (part === old ? name : part))
          .join('/')
      : each
  );
  return JSON.parse(text);
}
