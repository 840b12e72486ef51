import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { folderIcon } from '@jupyterlab/ui-components';

import { CommandIDs, IStudio } from '../tokens';
import { addFileCommands } from './local';
import type { IObjects } from './page';

/** The S3 browser, and what the file browser does with S3. */
export const objects: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ml-studio:objects',
  description: 'Browses S3: uploads, previews, downloads and deletes objects.',
  autoStart: true,
  requires: [IStudio],
  optional: [ICommandPalette, IFileBrowserFactory],
  activate: (
    app: JupyterFrontEnd,
    studio: IStudio,
    palette: ICommandPalette | null,
    files: IFileBrowserFactory | null
  ): void => {
    const { trans } = studio;
    let made: IObjects | undefined;
    const objects = async () => {
      const { makeObjects } = await import('./page');
      return (made ??= makeObjects(studio, app.serviceManager.contents));
    };
    studio.documents.register(
      {
        command: CommandIDs.openObjects,
        label: trans.__('S3 Browser'),
        caption: trans.__('Browse buckets and objects'),
        icon: folderIcon,
        properties: {
          bucket: { type: 'string', description: 'The bucket to show.' },
          prefix: { type: 'string', description: 'The folder to show.' },
          filter: { type: 'string', description: 'How names must begin.' }
        },
        key: () => '',
        // A bucket without a prefix is its top, not the prefix that another had.
        implied: args =>
          'bucket' in args ? { prefix: undefined, filter: undefined } : {},
        title: args =>
          typeof args['bucket'] === 'string'
            ? `s3://${args['bucket']}`
            : trans.__('S3 Browser'),
        page: async () => {
          const { objectsPage } = await import('./page');
          return objectsPage(await objects());
        }
      },
      studio
    );
    palette?.addItem({
      command: CommandIDs.openObjects,
      category: trans.__('Studio')
    });
    if (files) {
      addFileCommands(studio, files, objects);
    }
  }
};
