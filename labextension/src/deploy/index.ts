import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';

import { notifyError } from '../core/errors';
import { deployIcon } from '../icons';
import { CommandIDs, IStudio } from '../tokens';
import { upload } from './upload';

const DEPLOY_FILE = 'studio:deploy-file';

/** Puts models into service, step by step. */
export const deploy: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ml-studio:deploy',
  description: 'Puts models into service, step by step.',
  autoStart: true,
  requires: [IStudio],
  optional: [ICommandPalette, ILauncher, IFileBrowserFactory],
  activate: (
    app: JupyterFrontEnd,
    studio: IStudio,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    browsers: IFileBrowserFactory | null
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
          job: { type: 'string', description: 'Name of a training job' },
          data: { type: 'string', description: 'S3 URI of a model.tar.gz' },
          endpoint: { type: 'string', description: 'Endpoint to update' }
        },
        key: ({ model, job, data, endpoint }) =>
          JSON.stringify([model, job, data, endpoint]),
        title: args => {
          const what = args['model'] ?? args['job'] ?? args['endpoint'];
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
    launcher?.add({
      command: CommandIDs.deploy,
      category: trans.__('Studio'),
      args: { isLauncher: true },
      rank: 20
    });
    if (browsers) {
      addFileCommand(app, studio, browsers);
    }
  }
};

/** A model.tar.gz of the file browser goes to S3 first. */
function addFileCommand(
  app: JupyterFrontEnd,
  studio: IStudio,
  browsers: IFileBrowserFactory
): void {
  const { client, commands, trans } = studio;
  const chosen = () => {
    const items = browsers.tracker.currentWidget?.selectedItems();
    const first = items?.next();
    return first && !first.done && first.value.name.endsWith('.tar.gz')
      ? first.value
      : null;
  };
  commands.addCommand(DEPLOY_FILE, {
    label: trans.__('Deploy as Model…'),
    caption: trans.__('Upload the model.tar.gz to S3, and deploy it'),
    icon: deployIcon,
    describedBy: { args: { type: 'object', properties: {} } },
    isVisible: () => chosen() !== null,
    execute: async () => {
      const file = chosen();
      if (!file) {
        return;
      }
      try {
        const contents = app.serviceManager.contents;
        const url = await contents.getDownloadUrl(file.path);
        const data = await upload(client, url, file.name);
        await commands.execute(CommandIDs.deploy, { data });
      } catch (error) {
        notifyError(trans.__('%1 was not uploaded', file.name), error);
      }
    }
  });
  app.contextMenu.addItem({
    command: DEPLOY_FILE,
    selector: '.jp-DirListing-item[data-isdir="false"]',
    rank: 60
  });
}
