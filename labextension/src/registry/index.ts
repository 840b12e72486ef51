import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';

import { modelIcon } from '../icons';
import { CommandIDs, IStudio } from '../tokens';

const NAMES = {
  type: 'object' as const,
  properties: {
    names: { type: 'array' as const, items: { type: 'string' as const } }
  },
  required: ['names']
};

/** The model registry: groups, their versions, and what registers a model. */
export const registry: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ml-studio:registry',
  description: 'Shows model groups and their versions; registers models.',
  autoStart: true,
  requires: [IStudio],
  optional: [ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    studio: IStudio,
    palette: ICommandPalette | null
  ): void => {
    pages(studio);
    const { trans } = studio;
    const { commands } = app;
    commands.addCommand(CommandIDs.newModelGroup, {
      label: trans.__('New Model Group…'),
      caption: trans.__('Make a group for the versions of a model'),
      describedBy: { args: { type: 'object', properties: {} } },
      execute: async () => (await import('./actions')).newGroup(studio)
    });
    commands.addCommand(CommandIDs.registerModel, {
      label: trans.__('Register…'),
      caption: trans.__('Register a model as a version of a group'),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            job: { type: 'string', description: 'Name of a training job.' },
            model: { type: 'string', description: 'Name of a model.' }
          }
        }
      },
      execute: async args =>
        (await import('./actions')).register(studio, {
          job: args['job'] as string | undefined,
          model: args['model'] as string | undefined
        })
    });
    commands.addCommand(CommandIDs.deleteModelGroups, {
      label: trans.__('Delete Model Group'),
      caption: trans.__('Delete groups that have no version'),
      describedBy: { args: NAMES },
      execute: async args =>
        (await import('./actions')).deleteGroups(
          studio,
          args['names'] as string[]
        )
    });
    for (const command of [
      CommandIDs.openModelGroups,
      CommandIDs.newModelGroup
    ]) {
      palette?.addItem({
        command,
        category: trans.__('Studio'),
        args: { isPalette: true }
      });
    }
  }
};

function pages(studio: IStudio): void {
  const { documents, trans } = studio;
  documents.register(
    {
      command: CommandIDs.openModelGroups,
      label: trans.__('Model Groups'),
      caption: trans.__('Groups of model versions, and who approved them'),
      icon: modelIcon,
      properties: {
        filter: { type: 'string' },
        sort: { type: 'string' },
        descending: { type: 'boolean' },
        widths: { type: 'object' }
      },
      key: () => '',
      title: () => trans.__('Model groups'),
      page: async () => (await import('./list')).ModelGroupsPage
    },
    studio
  );
  documents.register(
    {
      command: CommandIDs.openModelGroup,
      label: trans.__('Open Model Group'),
      caption: trans.__('The versions of a model'),
      icon: modelIcon,
      properties: {
        name: { type: 'string' },
        compared: { type: 'array', items: { type: 'integer' } }
      },
      key: args => args['name'] as string,
      title: args => args['name'] as string,
      page: async () => (await import('./page')).ModelGroupPage
    },
    studio
  );
}
