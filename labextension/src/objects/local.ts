import type { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import type { Contents } from '@jupyterlab/services';

import { notifyError } from '../core/errors';
import { CommandIDs, type IStudio } from '../tokens';
import { ARCHIVE, TABULAR } from './kinds';
import type { IObjects } from './page';

/** Commands of JupyterLab's file browser; they act on what is selected there. */
namespace FileCommands {
  export const upload = 'studio:file-upload';
  export const visualize = 'studio:file-visualize';
  export const deploy = 'studio:file-deploy';
}

/** Register them. */
export function addFileCommands(
  studio: IStudio,
  files: IFileBrowserFactory,
  objects: () => Promise<IObjects>
): void {
  const { commands, trans } = studio;
  const args = { type: 'object', properties: {} } as const;
  const selected = (): Contents.IModel[] => [
    ...(files.tracker.currentWidget?.selectedItems() ?? [])
  ];
  const one = (pattern: RegExp) => () => {
    const [first, ...others] = selected();
    return !!first && !others.length && pattern.test(first.name);
  };
  /** Send to where the user says; resolves to the folder's URI once all is there. */
  const upload = async (title: string): Promise<string | null> => {
    const { pickS3 } = await import('../components/s3picker');
    const uri = await pickS3(studio, { title });
    const { parseS3 } = await import('../core/s3');
    const to = uri && parseS3(uri);
    if (!to) {
      return null;
    }
    const prefix = to.key.slice(0, to.key.lastIndexOf('/') + 1);
    const paths = selected().map(model => model.path);
    const { contentsFiles } = await import('./files');
    const { actions, contents } = await objects();
    const found = await contentsFiles(contents, paths, prefix);
    await commands.execute(CommandIDs.openObjects, {
      bucket: to.bucket,
      prefix
    });
    const sent = await actions.upload(to.bucket, found);
    return sent ? `s3://${to.bucket}/${prefix}` : null;
  };
  const told = (promise: Promise<unknown>) =>
    promise.catch((error: unknown) =>
      notifyError(trans.__('Nothing was uploaded'), error)
    );

  commands.addCommand(FileCommands.upload, {
    label: trans.__('Upload to S3…'),
    caption: trans.__('Send these files and folders to a bucket'),
    describedBy: { args },
    isEnabled: () => selected().length > 0,
    execute: () => told(upload(trans.__('Upload to')))
  });
  commands.addCommand(FileCommands.visualize, {
    label: trans.__('Open in Studio Data Visualization'),
    caption: trans.__('Look at the columns and rows of the data'),
    describedBy: { args },
    isVisible: one(TABULAR),
    execute: () =>
      commands.execute(CommandIDs.openData, { path: selected()[0].path })
  });
  commands.addCommand(FileCommands.deploy, {
    label: trans.__('Deploy Model…'),
    caption: trans.__('Send the archive to S3, and serve it at an endpoint'),
    describedBy: { args },
    isVisible: one(ARCHIVE),
    execute: () =>
      told(
        upload(trans.__('Folder for the model')).then(
          folder =>
            folder &&
            commands.execute(CommandIDs.deploy, {
              data: `${folder}model.tar.gz`
            })
        )
      )
  });
}
