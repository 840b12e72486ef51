import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';

import { confirmed } from '../core/confirm';
import { notifyError } from '../core/errors';
import { modelIcon } from '../icons';
import { CommandIDs, IStudio } from '../tokens';

const LIST = {
  filter: { type: 'string' },
  sort: { type: 'string' },
  descending: { type: 'boolean' },
  widths: { type: 'object' }
};

/** Shows models: where they come from, and what serves them. */
export const models: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ml-studio:models',
  description: 'Shows models: where they come from, and what serves them.',
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
        command: CommandIDs.openModels,
        label: trans.__('Models'),
        caption: trans.__('Models, where they come from, and what serves them'),
        icon: modelIcon,
        properties: LIST,
        key: () => '',
        title: () => trans.__('Models'),
        page: async () => (await import('./list')).ModelsPage
      },
      studio
    );
    documents.register(
      {
        command: CommandIDs.openModel,
        label: trans.__('Open Model'),
        caption: trans.__('A model and what serves it'),
        icon: modelIcon,
        properties: { name: { type: 'string' } },
        key: args => args['name'] as string,
        title: args => args['name'] as string,
        page: async () => (await import('./page')).ModelPage
      },
      studio
    );
    app.commands.addCommand(CommandIDs.deleteModels, {
      label: trans.__('Delete Model'),
      caption: trans.__('Delete models; their artifacts stay in S3'),
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
      command: CommandIDs.openModels,
      category: trans.__('Studio'),
      args: { isPalette: true }
    });
  }
};

/** Delete models after asking; true when it was done. */
async function remove(studio: IStudio, names: string[]): Promise<boolean> {
  const { trans, client } = studio;
  const sure = await confirmed(
    trans._n('Delete the model?', 'Delete %1 models?', names.length),
    `${names.join(', ')}\n\n` +
      trans.__(
        'Endpoints that serve them go on serving, and the artifacts stay in S3.'
      ),
    trans.__('Delete')
  );
  if (!sure) {
    return false;
  }
  for (const name of names) {
    try {
      await client.call('sagemaker', 'DeleteModel', { ModelName: name });
    } catch (error) {
      notifyError(trans.__('The model %1 was not deleted', name), error);
      return false;
    }
  }
  return true;
}
