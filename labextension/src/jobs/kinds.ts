import type { TranslationBundle } from '@jupyterlab/translation';

import type { Client } from '../core/client';
import { CommandIDs } from '../tokens';

/** A kind of jobs: what tables, menus and questions know of it. */
export interface IJobKind {
  kind: 'training-job' | 'processing-job' | 'transform-job';
  /** What context menus and drags call one. */
  item: 'job' | 'processing-job' | 'transform-job';
  /** The commands that show all, show one, and make one. */
  table: string;
  page: string;
  form: string;
  stop: (client: Client, name: string) => Promise<unknown>;
  /** Absent where SageMaker has no operation for it. */
  remove?: (client: Client, name: string) => Promise<unknown>;
  /** A schedule can make one again and again. */
  scheduled: boolean;
}

export const TRAINING: IJobKind = {
  kind: 'training-job',
  item: 'job',
  table: CommandIDs.openJobs,
  page: CommandIDs.openJob,
  form: CommandIDs.newJob,
  stop: (client, name) =>
    client.call('sagemaker', 'StopTrainingJob', { TrainingJobName: name }),
  remove: (client, name) =>
    client.call('sagemaker', 'DeleteTrainingJob', { TrainingJobName: name }),
  scheduled: true
};

export const PROCESSING: IJobKind = {
  kind: 'processing-job',
  item: 'processing-job',
  table: CommandIDs.openProcessingJobs,
  page: CommandIDs.openProcessingJob,
  form: CommandIDs.newProcessingJob,
  stop: (client, name) =>
    client.call('sagemaker', 'StopProcessingJob', { ProcessingJobName: name }),
  remove: (client, name) =>
    client.call('sagemaker', 'DeleteProcessingJob', {
      ProcessingJobName: name
    }),
  scheduled: true
};

export const TRANSFORM: IJobKind = {
  kind: 'transform-job',
  item: 'transform-job',
  table: CommandIDs.openTransformJobs,
  page: CommandIDs.openTransformJob,
  form: CommandIDs.newTransformJob,
  stop: (client, name) =>
    client.call('sagemaker', 'StopTransformJob', { TransformJobName: name }),
  scheduled: false
};

/** Every kind of jobs. */
export const JOB_KINDS = [TRAINING, PROCESSING, TRANSFORM];

/** The kind of jobs of this name; undefined for what is no job. */
export function jobKind(kind: string | undefined): IJobKind | undefined {
  return JOB_KINDS.find(each => each.kind === kind);
}

/** What people read of a kind of jobs. */
export interface IJobTexts {
  title: string;
  /** On the button that shows all. */
  all: string;
  create: string;
  /** What the time that a job runs is called. */
  time: string;
  none: string;
  hint: string;
  missing: (name: string) => string;
}

export function textsOf(kind: IJobKind, trans: TranslationBundle): IJobTexts {
  if (kind === TRANSFORM) {
    return {
      title: trans.__('Transform jobs'),
      all: trans.__('All transform jobs'),
      create: trans.__('New transform job…'),
      time: trans.__('Run time'),
      none: trans.__('No transform job yet'),
      hint: trans.__(
        'A transform job asks a model for an answer to each record of the files below a prefix of S3, and stores a file of answers for each. Make one here, or call transform() of a Transformer in a notebook: it appears at once.'
      ),
      missing: name => trans.__('There is no transform job %1.', name)
    };
  }
  return kind === PROCESSING
    ? {
        title: trans.__('Processing jobs'),
        all: trans.__('All processing jobs'),
        create: trans.__('New processing job…'),
        time: trans.__('Run time'),
        none: trans.__('No processing job yet'),
        hint: trans.__(
          'A processing job runs a script on files from S3 and stores the files that it makes: to prepare data, or to evaluate a model. Make one here, or call run() of a ScriptProcessor in a notebook: it appears at once.'
        ),
        missing: name => trans.__('There is no processing job %1.', name)
      }
    : {
        title: trans.__('Training jobs'),
        all: trans.__('All training jobs'),
        create: trans.__('New training job…'),
        time: trans.__('Training time'),
        none: trans.__('No training job yet'),
        hint: trans.__(
          'A job runs an algorithm, or your own script, on data in S3 and keeps the model. Make one here, or call CreateTrainingJob or fit() in a notebook: it appears at once.'
        ),
        missing: name => trans.__('There is no training job %1.', name)
      };
}
