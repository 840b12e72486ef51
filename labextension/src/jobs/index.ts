import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';

import { jobIcon } from '../icons';
import { CommandIDs, IStudio } from '../tokens';
import { deleteJobs, stopJobs } from './actions';

const NAMES = {
  type: 'object',
  properties: {
    names: {
      type: 'array',
      items: { type: 'string' },
      description: 'Names of training jobs.'
    }
  },
  required: ['names']
};

/** The table of training jobs, and what can be done with many of them at once. */
export const jobs: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ml-studio:jobs',
  description: 'Lists training jobs; stops and deletes them.',
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
        properties: {
          text: { type: 'string', description: 'Part of a name, tag=value.' },
          statuses: { type: 'array', items: { type: 'string' } },
          hours: {
            type: 'number',
            description: 'Only jobs of the last so many hours.'
          },
          sort: { type: 'object' },
          widths: { type: 'object' },
          selected: { type: 'array', items: { type: 'string' } }
        },
        key: () => '',
        title: () => trans.__('Training Jobs'),
        page: async () => (await import('./page')).JobsPage
      },
      studio
    );
    commands.addCommand(CommandIDs.stopJobs, {
      label: trans.__('Stop Training Jobs…'),
      caption: trans.__('Stop training jobs; what they have made is kept'),
      describedBy: { args: NAMES },
      execute: args => stopJobs(studio, args['names'] as string[])
    });
    commands.addCommand(CommandIDs.deleteJobs, {
      label: trans.__('Delete Training Jobs…'),
      caption: trans.__('Delete training jobs; what they wrote to S3 is kept'),
      describedBy: { args: NAMES },
      execute: args => deleteJobs(studio, args['names'] as string[])
    });
    palette?.addItem({
      command: CommandIDs.openJobs,
      category: trans.__('Studio'),
      args: { isPalette: true }
    });
  }
};
