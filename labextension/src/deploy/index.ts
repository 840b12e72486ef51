import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';

import { deployIcon } from '../icons';
import { CommandIDs, IStudio } from '../tokens';

/** Puts models into service, step by step. */
export const deploy: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ml-studio:deploy',
  description: 'Puts models into service, step by step.',
  autoStart: true,
  requires: [IStudio],
  optional: [ICommandPalette],
  activate: (
    _app: JupyterFrontEnd,
    studio: IStudio,
    palette: ICommandPalette | null
  ): void => {
    const { documents, trans } = studio;
    documents.register(
      {
        command: CommandIDs.deploy,
        label: trans.__('Deploy Model'),
        caption: trans.__(
          'Put a model behind an endpoint that answers requests'
        ),
        icon: deployIcon,
        properties: {
          model: { type: 'string', description: 'Name of a model' },
          package: {
            type: 'string',
            description: 'An approved version: GROUP/NUMBER'
          },
          job: { type: 'string', description: 'Name of a training job' },
          data: { type: 'string', description: 'S3 URI of a model.tar.gz' },
          endpoint: { type: 'string', description: 'Endpoint to update' },
          draft: { type: 'object', description: 'What was chosen so far' },
          step: {
            type: 'string',
            enum: ['model', 'where', 'traffic', 'review']
          },
          begun: { type: 'object', description: 'What was made' }
        },
        key: ({ model, job, data, endpoint }) =>
          JSON.stringify([model, job, data, endpoint]),
        title: args => {
          const what =
            args['model'] ?? args['package'] ?? args['job'] ?? args['endpoint'];
          return what ? trans.__('Deploy %1', what) : trans.__('Deploy');
        },
        page: async () => (await import('./wizard')).DeployPage
      },
      studio
    );
    palette?.addItem({
      command: CommandIDs.deploy,
      category: trans.__('Studio'),
      args: { isPalette: true }
    });
  }
};
