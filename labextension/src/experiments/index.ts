import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';

import { experimentIcon } from '../icons';
import { CommandIDs, IStudio } from '../tokens';

/** The list of experiments with their trials. */
export const experiments: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ml-studio:experiments',
  description: 'Lists experiments and their trials; makes and deletes them.',
  autoStart: true,
  requires: [IStudio],
  optional: [ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    studio: IStudio,
    palette: ICommandPalette | null
  ): void => {
    const { trans } = studio;
    studio.documents.register(
      {
        command: CommandIDs.openExperiments,
        label: trans.__('Experiments'),
        caption: trans.__('Experiments, their trials, and what they came to'),
        icon: experimentIcon,
        properties: {
          filter: { type: 'string', description: 'Part of a name.' },
          selected: {
            type: 'string',
            description: 'The experiment that is shown beside the list.'
          },
          metric: { type: 'string', description: 'The metric of the list.' },
          sort: { type: 'string' },
          descending: { type: 'boolean' },
          widths: { type: 'object' }
        },
        key: () => '',
        title: () => trans.__('Experiments'),
        page: async () => (await import('./page')).ExperimentsPage
      },
      studio
    );
    app.commands.addCommand(CommandIDs.newExperiment, {
      label: trans.__('New Experiment…'),
      caption: trans.__('Make an experiment to group trials under'),
      describedBy: { args: { type: 'object', properties: {} } },
      execute: async () => (await import('./actions')).newExperiment(studio)
    });
    app.commands.addCommand(CommandIDs.deleteExperiments, {
      label: trans.__('Delete Experiments…'),
      caption: trans.__('Delete experiments; what was tracked is kept'),
      describedBy: {
        args: {
          type: 'object',
          properties: { names: { type: 'array', items: { type: 'string' } } },
          required: ['names']
        }
      },
      execute: async args => {
        const { deleteExperiments } = await import('./actions');
        await deleteExperiments(studio, args['names'] as string[]);
      }
    });
    for (const command of [
      CommandIDs.openExperiments,
      CommandIDs.newExperiment
    ]) {
      palette?.addItem({
        command,
        category: trans.__('Studio'),
        args: { isPalette: true }
      });
    }
  }
};
