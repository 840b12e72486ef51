import { Clipboard } from '@jupyterlab/apputils';
import type { CommandRegistry } from '@lumino/commands';

import { CommandIDs, type IStudio } from '../tokens';
import type { Actions } from './actions';
import type { Browser } from './browser';
import { chosenFiles } from './files';
import { ARCHIVE, TABULAR } from './kinds';
import type { IEntry } from './listing';

/** Commands of the S3 browser's context menu and toolbar; they act on what is selected there. */
export namespace ObjectCommands {
  export const open = 'studio:objects-open';
  export const uploadFiles = 'studio:objects-upload-files';
  export const uploadFolder = 'studio:objects-upload-folder';
  export const newFolder = 'studio:objects-new-folder';
  export const newBucket = 'studio:objects-new-bucket';
  export const download = 'studio:objects-download';
  export const copyUri = 'studio:objects-copy-uri';
  export const remove = 'studio:objects-delete';
  export const visualize = 'studio:objects-visualize';
  export const train = 'studio:objects-train';
  export const deploy = 'studio:objects-deploy';
  export const insert = 'studio:objects-insert';
}

/** Register them. */
export function addCommands(
  studio: IStudio,
  browser: Browser,
  actions: Actions
): void {
  const { commands, trans } = studio;
  const add = (
    id: string,
    options: Omit<CommandRegistry.ICommandOptions, 'execute'> & {
      execute: (entries: IEntry[]) => unknown;
    }
  ) => {
    commands.addCommand(id, {
      describedBy: { args: { type: 'object', properties: {} } },
      ...options,
      execute: () => options.execute(browser.selection)
    });
  };
  const one = () => {
    const { selection } = browser;
    return selection.length === 1 ? selection[0] : undefined;
  };
  const oneNamed = (pattern: RegExp) => () => {
    const entry = one();
    return entry?.kind === 'object' && pattern.test(entry.name);
  };
  const inBucket = () => browser.place.bucket !== '';
  const choose = (folder: boolean) => {
    const { bucket, prefix } = browser.place;
    chooseFiles(folder, list =>
      actions.upload(bucket, chosenFiles(list, prefix))
    );
  };

  add(ObjectCommands.open, {
    label: trans.__('Open'),
    caption: trans.__('Go into the bucket or the folder'),
    isVisible: () => one() !== undefined && one()!.kind !== 'object',
    execute: ([entry]) => openEntry(studio, browser, entry)
  });
  add(ObjectCommands.uploadFiles, {
    label: trans.__('Upload Files…'),
    caption: trans.__('Send files of this computer to the folder'),
    isVisible: inBucket,
    execute: () => choose(false)
  });
  add(ObjectCommands.uploadFolder, {
    label: trans.__('Upload Folder…'),
    caption: trans.__('Send a folder of this computer, with all in it'),
    isVisible: inBucket,
    execute: () => choose(true)
  });
  add(ObjectCommands.newFolder, {
    label: trans.__('New Folder…'),
    caption: trans.__('Make a folder here'),
    isVisible: inBucket,
    execute: () => actions.newFolder(browser.place)
  });
  add(ObjectCommands.newBucket, {
    label: trans.__('New Bucket…'),
    caption: trans.__('Make a bucket'),
    isVisible: () => !inBucket(),
    execute: () => actions.newBucket()
  });
  add(ObjectCommands.download, {
    label: trans.__('Download'),
    caption: trans.__('Download the objects that are selected'),
    isVisible: () => browser.selection.some(each => each.kind === 'object'),
    execute: entries => actions.download(browser.place.bucket, entries)
  });
  add(ObjectCommands.copyUri, {
    label: () =>
      trans._n('Copy S3 URI', 'Copy S3 URIs', browser.selection.length || 1),
    caption: trans.__('Copy the S3 URIs of what is selected, one a line'),
    isEnabled: () => browser.selection.length > 0,
    execute: entries =>
      Clipboard.copyToSystem(
        entries.map(entry => browser.uriOf(entry)).join('\n')
      )
  });
  add(ObjectCommands.remove, {
    label: trans.__('Delete…'),
    caption: trans.__('Delete what is selected, folders with all in them'),
    isEnabled: () => browser.selection.length > 0,
    execute: entries => actions.remove(browser.place, entries)
  });
  add(ObjectCommands.visualize, {
    label: trans.__('Open in Data Visualization'),
    caption: trans.__('Look at the columns and rows of the data'),
    isVisible: oneNamed(TABULAR),
    execute: ([entry]) =>
      commands.execute(CommandIDs.openData, { uri: browser.uriOf(entry) })
  });
  add(ObjectCommands.train, {
    label: trans.__('Train with This…'),
    caption: trans.__('Start a training job with this as its data'),
    isVisible: () => inBucket() && one() !== undefined,
    execute: ([entry]) =>
      commands.execute(CommandIDs.newJob, { channel: browser.uriOf(entry) })
  });
  add(ObjectCommands.deploy, {
    label: trans.__('Deploy…'),
    caption: trans.__('Serve this model at an endpoint'),
    isVisible: oneNamed(ARCHIVE),
    execute: ([entry]) =>
      commands.execute(CommandIDs.deploy, { data: browser.uriOf(entry) })
  });
  add(ObjectCommands.insert, {
    label: trans.__('Insert into Notebook'),
    caption: trans.__('Insert a cell that loads this into the notebook'),
    isVisible: () => inBucket() && one() !== undefined,
    execute: ([entry]) =>
      commands.execute(CommandIDs.insertLoader, {
        kind: 'object',
        name: browser.uriOf(entry)
      })
  });
}

/** Go into a bucket or a folder; show data; let an object be downloaded otherwise. */
export function openEntry(
  studio: IStudio,
  browser: Browser,
  entry: IEntry
): void {
  if (entry.kind === 'bucket') {
    browser.go({ bucket: entry.name });
  } else if (entry.kind === 'folder') {
    browser.go({ bucket: browser.place.bucket, prefix: entry.key });
  } else if (TABULAR.test(entry.name)) {
    void studio.commands.execute(CommandIDs.openData, {
      uri: browser.uriOf(entry)
    });
  }
}

function chooseFiles(
  folder: boolean,
  then: (list: FileList) => Promise<unknown>
): void {
  const input = document.createElement('input');
  input.type = 'file';
  input.multiple = true;
  input.webkitdirectory = folder;
  input.onchange = () => void then(input.files!);
  input.click();
}
