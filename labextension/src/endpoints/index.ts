import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Dialog, ICommandPalette, showDialog } from '@jupyterlab/apputils';

import { notifyError, told } from '../core/errors';
import { endpointIcon } from '../icons';
import { CommandIDs, IStudio } from '../tokens';
import { DeleteForm, orphans, type ILeft } from './delete';

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
      execute: args => remove(studio, args['names'] as string[])
    });
    palette?.addItem({
      command: CommandIDs.openEndpoints,
      category: trans.__('Studio'),
      args: { isPalette: true }
    });
  }
};

/** Delete endpoints after asking, with their configurations and models if wanted. */
async function remove(studio: IStudio, names: string[]): Promise<boolean> {
  const { trans } = studio;
  let left: ILeft;
  try {
    left = await orphans(studio.client, names);
  } catch (error) {
    notifyError(trans.__('What the endpoints use could not be read'), error);
    return false;
  }
  const body = new DeleteForm(names, left, trans);
  const answer = await showDialog({
    title: trans._n(
      'Delete the endpoint?',
      'Delete %1 endpoints?',
      names.length
    ),
    body,
    buttons: [
      Dialog.cancelButton(),
      Dialog.warnButton({ label: trans.__('Delete') })
    ],
    defaultButton: 0
  });
  if (!answer.button.accept) {
    return false;
  }
  return deleteAll(studio, names, answer.value ?? { configs: [], models: [] });
}

async function deleteAll(
  { client, trans }: IStudio,
  names: string[],
  also: ILeft
): Promise<boolean> {
  const steps: [string, () => Promise<unknown>][] = [
    ...names.map((name): [string, () => Promise<unknown>] => [
      name,
      () => client.call('sagemaker', 'DeleteEndpoint', { EndpointName: name })
    ]),
    ...also.configs.map((name): [string, () => Promise<unknown>] => [
      name,
      () =>
        client.call('sagemaker', 'DeleteEndpointConfig', {
          EndpointConfigName: name
        })
    ]),
    ...also.models.map((name): [string, () => Promise<unknown>] => [
      name,
      () => client.call('sagemaker', 'DeleteModel', { ModelName: name })
    ])
  ];
  for (const [name, step] of steps) {
    try {
      await step();
    } catch (error) {
      notifyError(trans.__('%1 was not deleted', name), told(error));
      return false;
    }
  }
  return true;
}
