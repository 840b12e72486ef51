import { type Contents, ServerConnection } from '@jupyterlab/services';

import type { IFile } from './uploads';

/** Files and folders that were dropped, at any depth; to be called while the event is handled. */
export async function droppedFiles(
  transfer: DataTransfer,
  prefix: string
): Promise<IFile[]> {
  // All at once: the transfer is empty after the event.
  const entries = [...transfer.items]
    .filter(item => item.kind === 'file')
    .map(item => item.webkitGetAsEntry() ?? item.getAsFile())
    .filter(each => each !== null);
  const found = await Promise.all(
    entries.map(async each =>
      each instanceof File
        ? [fileOf(each, prefix + each.name)]
        : within(each, prefix)
    )
  );
  return found.flat();
}

/** Files that were chosen in a dialog, with the folders they lie in. */
export function chosenFiles(list: FileList, prefix: string): IFile[] {
  return [...list].map(file =>
    fileOf(file, prefix + (file.webkitRelativePath || file.name))
  );
}

/** Files of JupyterLab's file browser; folders with all that is in them. */
export async function contentsFiles(
  contents: Contents.IManager,
  paths: string[],
  prefix: string
): Promise<IFile[]> {
  const found = await Promise.all(
    paths.map(async path => {
      const model = await contents.get(path, { content: false });
      return below(contents, model, prefix);
    })
  );
  return found.flat();
}

async function below(
  contents: Contents.IManager,
  model: Contents.IModel,
  prefix: string
): Promise<IFile[]> {
  if (model.type !== 'directory') {
    return [
      {
        key: prefix + model.name,
        size: model.size ?? 0,
        read: () => download(contents, model.path)
      }
    ];
  }
  const folder = await contents.get(model.path);
  const found = await Promise.all(
    (folder.content as Contents.IModel[]).map(each =>
      below(contents, each, `${prefix}${model.name}/`)
    )
  );
  return found.flat();
}

async function download(
  contents: Contents.IManager,
  path: string
): Promise<Blob> {
  const response = await ServerConnection.makeRequest(
    await contents.getDownloadUrl(path),
    {},
    contents.serverSettings
  );
  if (!response.ok) {
    throw new Error(`${path}: ${response.status} ${response.statusText}`);
  }
  return response.blob();
}

async function within(
  entry: FileSystemEntry,
  prefix: string
): Promise<IFile[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject)
    );
    return [fileOf(file, prefix + entry.name)];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: IFile[] = [];
  for (;;) {
    // A hundred at a time, until none is left.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject)
    );
    if (!some.length) {
      return found;
    }
    for (const each of some) {
      found.push(...(await within(each, `${prefix}${entry.name}/`)));
    }
  }
}

function fileOf(file: File, key: string): IFile {
  return { key, size: file.size, read: () => Promise.resolve(file) };
}
