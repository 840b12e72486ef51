import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';

import { endpointIcon } from '../icons';
import { CommandIDs, IStudio } from '../tokens';

/** Shows endpoints: how they do, what changed, and a console that asks them. */
export const endpoints: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ml-studio:endpoints',
  description:
    'Shows endpoints: how they do, what changed, and a console that asks them.',
  autoStart: true,
  requires: [IStudio],
  optional: [ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    studio: IStudio,
    palette: ICommandPalette | null
  ): void => {
    const { documents, trans } = studio;
    documents.register(
      {
        command: CommandIDs.openEndpoints,
        label: trans.__('Endpoints'),
        caption: trans.__('Endpoints, how they do, and what they serve'),
        icon: endpointIcon,
        properties: {
          filter: { type: 'string' },
          sort: { type: 'string' },
          descending: { type: 'boolean' },
          widths: { type: 'object' }
        },
        key: () => '',
        title: () => trans.__('Endpoints'),
        page: async () => (await import('./list')).EndpointsPage
      },
      studio
    );
    documents.register(
      {
        command: CommandIDs.openEndpoint,
        label: trans.__('Open Endpoint'),
        caption: trans.__('An endpoint, how it does, and a console to test it'),
        icon: endpointIcon,
        properties: {
          name: { type: 'string' },
          tab: {
            type: 'string',
            enum: ['overview', 'test', 'logs', 'changes', 'configuration']
          },
          range: { type: 'string', description: 'Span of the charts' },
          request: { type: 'object', description: 'What the console sends' },
          log: { type: 'object', description: 'What the log shows' }
        },
        key: args => args['name'] as string,
        title: args => args['name'] as string,
        page: async () => (await import('./page')).EndpointPage
      },
      studio
    );
    app.commands.addCommand(CommandIDs.deleteEndpoints, {
      label: trans.__('Delete Endpoint'),
      caption: trans.__('Delete endpoints, and what only they use'),
      describedBy: {
        args: {
          type: 'object',
          properties: { names: { type: 'array', items: { type: 'string' } } },
          required: ['names']
        }
      },
      execute: async args => {
        const { deleteEndpoints } = await import('./actions');
        return deleteEndpoints(studio, args['names'] as string[]);
      }
    });
    palette?.addItem({
      command: CommandIDs.openEndpoints,
      category: trans.__('Studio'),
      args: { isPalette: true }
    });
  }
};
