import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { jobIcon, processingIcon, transformIcon } from '../icons';
import { CommandIDs, IStudio } from '../tokens';
import {
  type IJobKind,
  JOB_KINDS,
  jobKind,
  PROCESSING,
  TRAINING,
  TRANSFORM
} from './kinds';
import { jobsOf } from './model';

const MANY = {
  type: 'object',
  properties: {
    kind: {
      type: 'string',
      enum: JOB_KINDS.map(each => each.kind),
      description: 'Of which jobs; training jobs when absent.'
    },
    names: {
      type: 'array',
      items: { type: 'string' },
      description: 'Names of the jobs.'
    }
  },
  required: ['names']
};

const QUERY = {
  text: { type: 'string', description: 'Part of a name, tag=value.' },
  statuses: { type: 'array', items: { type: 'string' } },
  hours: {
    type: 'number',
    description: 'Only jobs of the last so many hours.'
  },
  sort: { type: 'object' },
  widths: { type: 'object' },
  selected: { type: 'array', items: { type: 'string' } }
};

/** The tables of jobs, and what can be done with many of them at once. */
export const jobs: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ml-studio:jobs',
  description:
    'Lists training, processing and transform jobs; stops and deletes them.',
  autoStart: true,
  requires: [IStudio],
  optional: [ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    studio: IStudio,
    palette: ICommandPalette | null
  ): void => {
    const { commands } = app;
    const { trans } = studio;
    studio.documents.register(
      {
        command: CommandIDs.openJobs,
        label: trans.__('Training Jobs'),
        caption: trans.__('Show the table of training jobs'),
        icon: jobIcon,
        properties: QUERY,
        key: () => '',
        title: () => trans.__('Training Jobs'),
        page: async () => (await import('./page')).JobsPage,
        begin: view => jobsOf(view, studio, TRAINING)
      },
      studio
    );
    studio.documents.register(
      {
        command: CommandIDs.openProcessingJobs,
        label: trans.__('Processing Jobs'),
        caption: trans.__('Show the table of processing jobs'),
        icon: processingIcon,
        properties: QUERY,
        key: () => '',
        title: () => trans.__('Processing Jobs'),
        page: async () => (await import('./page')).ProcessingJobsPage,
        begin: view => jobsOf(view, studio, PROCESSING)
      },
      studio
    );
    studio.documents.register(
      {
        command: CommandIDs.openTransformJobs,
        label: trans.__('Transform Jobs'),
        caption: trans.__('Show the table of transform jobs'),
        icon: transformIcon,
        properties: QUERY,
        key: () => '',
        title: () => trans.__('Transform Jobs'),
        page: async () => (await import('./page')).TransformJobsPage,
        begin: view => jobsOf(view, studio, TRANSFORM)
      },
      studio
    );
    commands.addCommand(CommandIDs.stopJobs, {
      label: trans.__('Stop Jobs…'),
      caption: trans.__('Stop jobs; what they have made is kept'),
      describedBy: { args: MANY },
      execute: async args => {
        const { stopJobs } = await import('./actions');
        await stopJobs(studio, kindOf(args), args['names'] as string[]);
      }
    });
    commands.addCommand(CommandIDs.deleteJobs, {
      label: trans.__('Delete Jobs…'),
      caption: trans.__('Delete jobs; what they wrote to S3 is kept'),
      describedBy: { args: MANY },
      execute: async args => {
        const { deleteJobs } = await import('./actions');
        await deleteJobs(studio, kindOf(args), args['names'] as string[]);
      }
    });
    for (const { table: command } of JOB_KINDS) {
      palette?.addItem({
        command,
        category: trans.__('Studio'),
        args: { isPalette: true }
      });
    }
  }
};

function kindOf(args: ReadonlyPartialJSONObject): IJobKind {
  return jobKind(args['kind'] as string | undefined) ?? TRAINING;
}
