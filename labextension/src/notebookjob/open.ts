import type { IDocumentManager } from '@jupyterlab/docmanager';
import { NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';

import { parseS3 } from '../core/s3';
import type { IStudio } from '../tokens';

const FOLDER = 'notebook-jobs';

/** Copy the notebook of a job, as it is by now, below Jupyter's folder, and open it. */
export async function openOutput(
  studio: IStudio,
  documents: IDocumentManager,
  job: string,
  uri: string
): Promise<void> {
  const { bucket, key } = parseS3(uri)!;
  const response = await studio.client.s3('GET', bucket, key);
  const content = (await response.json()) as unknown;
  const { contents } = documents.services;
  const path = `${FOLDER}/${job}.ipynb`;
  await made(contents);
  await contents.save(path, { type: 'notebook', format: 'json', content });
  const widget = documents.openOrReveal(path, 'default');
  if (widget instanceof NotebookPanel) {
    await widget.context.ready;
    await widget.context.revert(); // one that was open already shows what is new
  }
}

async function made(contents: Contents.IManager): Promise<void> {
  try {
    await contents.get(FOLDER, { content: false });
  } catch {
    await contents.save(FOLDER, { type: 'directory', path: FOLDER });
  }
}
