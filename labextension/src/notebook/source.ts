import { PageConfig } from '@jupyterlab/coreutils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import { NotebookPanel } from '@jupyterlab/notebook';

/** Open a notebook or script of this machine, at a cell when its id is given. */
export async function openSource(
  documents: IDocumentManager,
  path: string,
  cell: string
): Promise<void> {
  const local = localPath(path, PageConfig.getOption('serverRoot'));
  if (local === null) {
    throw new Error(`${path} lies outside of this Jupyter's folder.`);
  }
  await documents.services.contents.get(local, { content: false });
  const widget = documents.openOrReveal(local);
  if (!(widget instanceof NotebookPanel) || !cell) {
    return;
  }
  await widget.context.ready;
  await widget.revealed;
  const index = widget.content.widgets.findIndex(
    each => each.model.id === cell
  );
  if (index >= 0) {
    widget.content.activeCellIndex = index;
    await widget.content.scrollToItem(index, 'center');
  }
}

/**
 * The path below the server's folder of a path of the machine; null when it lies elsewhere.
 *
 * The server writes its folder with "~" for the home, which only it knows.
 */
export function localPath(path: string, root: string): string | null {
  const folder = root.replace(/^~/, '').replace(/\/+$/, '') + '/';
  const at = root.startsWith('~') ? path.indexOf(folder) : 0;
  return at >= 0 && path.startsWith(folder, at)
    ? path.slice(at + folder.length)
    : null;
}
