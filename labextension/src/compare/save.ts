import { InputDialog, showErrorMessage } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type { IDocumentManager } from '@jupyterlab/docmanager';

import { confirmed } from '../core/confirm';
import { told } from '../core/errors';
import type { IStudio } from '../tokens';
import { serialised } from './file';
import type { IViewState } from './state';

/** The ending of the files. */
export const EXTENSION = '.studioview';

/** Ask for a name, make the file, and open it; false when the user thinks better of it. */
export async function saveView(
  studio: IStudio,
  documents: IDocumentManager,
  state: IViewState,
  folder: string
): Promise<boolean> {
  const { trans } = studio;
  const { value } = await InputDialog.getText({
    title: trans.__('Save view'),
    label: trans.__(
      'File, in the folder that the file browser shows or from the top with "/"'
    ),
    text: `compare${EXTENSION}`,
    okLabel: trans.__('Save')
  });
  const path = value && pathOf(folder, value);
  if (!path || !(await isFree(studio, documents, path))) {
    return false;
  }
  try {
    await documents.services.contents.save(path, {
      type: 'file',
      format: 'text',
      content: serialised(state)
    });
  } catch (error) {
    await showErrorMessage(
      trans.__('%1 could not be saved', path),
      told(error)
    );
    return false;
  }
  documents.openOrReveal(path);
  return true;
}

/** Where a name lies: below the folder, or from the top; with the ending. */
export function pathOf(folder: string, name: string): string {
  const given = name.trim();
  const whole = given.endsWith(EXTENSION) ? given : given + EXTENSION;
  return whole.startsWith('/') ? whole.slice(1) : PathExt.join(folder, whole);
}

async function isFree(
  studio: IStudio,
  documents: IDocumentManager,
  path: string
): Promise<boolean> {
  const { trans } = studio;
  try {
    await documents.services.contents.get(path, { content: false });
  } catch {
    return true;
  }
  return confirmed(
    trans.__('Replace %1?', path),
    trans.__('There is a file of this name.'),
    trans.__('Replace')
  );
}
