import type { TranslationBundle } from '@jupyterlab/translation';

import type { sagemaker } from '../wire';

/** A phase of a job: of the past, of the present, or to come. */
export interface IPhase {
  name: string;
  /** Seconds; undefined for a phase to come. */
  seconds?: number;
  /** It goes on. */
  current: boolean;
  /** The job ended in it, before its time: Failed or Stopped. */
  cut?: string;
  message: string;
}

const COURSE = ['Starting', 'Downloading', 'Training', 'Uploading'];
const CLOSING = ['Stopping', 'Uploading'];
const ENDS = ['Completed', 'Failed', 'Stopped', 'MaxRuntimeExceeded'];

/** What a job went through and what is before it, at `now` (milliseconds). */
export function phases(
  job: sagemaker.DescribeTrainingJobResponse,
  now: number
): IPhase[] {
  const been = (job.SecondaryStatusTransitions ?? []).filter(
    each => !ENDS.includes(each.Status)
  );
  const status = job.TrainingJobStatus;
  const ended = isOver(status);
  const names = been.map(each => each.Status);
  // What a job that is stopped has by then is still stored.
  const cut =
    status === 'Failed'
      ? been.length - 1
      : status === 'Stopped'
        ? names.reduce(
            (last, name, at) => (CLOSING.includes(name) ? last : at),
            -1
          )
        : -1;
  const past = been.map((each, index) => {
    const current = !ended && index === been.length - 1;
    const end = current ? now / 1000 : (each.EndTime ?? each.StartTime);
    return {
      name: each.Status,
      seconds: Math.max(0, end - each.StartTime),
      current,
      cut: index === cut ? status : undefined,
      message: each.StatusMessage ?? ''
    };
  });
  // After an interruption the course begins anew.
  const begun = names.slice(names.lastIndexOf('Interrupted') + 1);
  const reached = Math.max(...begun.map(name => COURSE.indexOf(name)), -1);
  const coming = ended || status === 'Stopping';
  return [
    ...past,
    ...(coming ? [] : COURSE.slice(reached + 1)).map(name => ({
      name,
      current: false,
      message: ''
    }))
  ];
}

/** The same of a processing job, of which SageMaker tells two times only. */
export function processingPhases(
  job: sagemaker.DescribeProcessingJobResponse,
  now: number,
  trans: TranslationBundle
): IPhase[] {
  return twoPhases(
    {
      status: job.ProcessingJobStatus,
      created: job.CreationTime,
      start: job.ProcessingStartTime,
      end: job.ProcessingEndTime ?? job.LastModifiedTime
    },
    now,
    [trans.__('Starting'), trans.__('Processing')]
  );
}

/** The same of a transform job. */
export function transformPhases(
  job: sagemaker.DescribeTransformJobResponse,
  now: number,
  trans: TranslationBundle
): IPhase[] {
  return twoPhases(
    {
      status: job.TransformJobStatus,
      created: job.CreationTime,
      start: job.TransformStartTime,
      end: job.TransformEndTime
    },
    now,
    [trans.__('Starting'), trans.__('Transforming')]
  );
}

function twoPhases(
  job: { status: string; created: number; start?: number; end?: number },
  now: number,
  names: [string, string]
): IPhase[] {
  const { status, start } = job;
  const over = isOver(status);
  const cut = status === 'Completed' || !over ? undefined : status;
  const end = over ? (job.end ?? now / 1000) : now / 1000;
  const phase = (name: string, from?: number, to?: number): IPhase => ({
    name,
    seconds: from && to && Math.max(0, to - from),
    current: false,
    message: ''
  });
  const first = phase(names[0], job.created, Math.min(start ?? end, end));
  const second = phase(names[1], start, start && end);
  if (start === undefined) {
    first.current = !over;
    first.cut = cut;
    return over ? [first] : [first, second];
  }
  second.current = !over;
  second.cut = cut;
  return [first, second];
}

/** Whether nothing happens to a job of this status any more. */
export function isOver(status: string | undefined): boolean {
  return status === 'Completed' || status === 'Failed' || status === 'Stopped';
}
