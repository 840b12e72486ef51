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
  const reached = Math.max(
    ...been.map(each => COURSE.indexOf(each.Status)),
    -1
  );
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

/** Whether nothing happens to a job of this status any more. */
export function isOver(status: string | undefined): boolean {
  return status === 'Completed' || status === 'Failed' || status === 'Stopped';
}

/** Milliseconds from the start of a job to its end, or to `now`. */
export function elapsed(
  job: sagemaker.DescribeTrainingJobResponse,
  now: number
): number {
  const start = (job.CreationTime ?? 0) * 1000;
  const end = job.TrainingEndTime ? job.TrainingEndTime * 1000 : now;
  return Math.max(0, end - start);
}
