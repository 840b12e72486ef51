import type { IDocumentManager } from '@jupyterlab/docmanager';
import { NotebookPanel } from '@jupyterlab/notebook';

import type { Client } from '../core/client';

/** Open a notebook or script of this machine, at a cell when its id is given. */
export async function openSource(
  client: Client,
  documents: IDocumentManager,
  path: string,
  cell: string
): Promise<void> {
  const { root } = await client.status();
  const local = localPath(path, root);
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

/** The path below the server's folder of a path of the machine; null when it lies elsewhere. */
export function localPath(path: string, root: string): string | null {
  const folder = root.replace(/\/*$/, '/');
  return root && path.startsWith(folder) ? path.slice(folder.length) : null;
}
