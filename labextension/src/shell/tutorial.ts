import type { JupyterFrontEnd } from '@jupyterlab/application';
import { PathExt } from '@jupyterlab/coreutils';
import type { Contents } from '@jupyterlab/services';

import bankData from '../../../examples/data/bank_clean.csv.gz';
import salaryData from '../../../examples/data/Salary_Data.csv';
import bankNotebook from '../../../examples/bank.ipynb';
import salaryNotebook from '../../../examples/salary.ipynb';

/** URLs of what a tutorial consists of; `data` lies in the folder of that name beside it. */
const TUTORIALS: Record<
  string,
  { notebook: string; data: string; file: string }
> = {
  salary: {
    notebook: salaryNotebook,
    data: salaryData,
    file: 'Salary_Data.csv'
  },
  bank: { notebook: bankNotebook, data: bankData, file: 'bank_clean.csv.gz' }
};
const FOLDER = 'studio-tutorials';

/**
 * Copy a tutorial into `studio-tutorials` below `folder`, and open it. What the user has there
 * already is opened as it is.
 */
export async function openTutorial(
  app: JupyterFrontEnd,
  name: string,
  folder: string
): Promise<void> {
  const tutorial = TUTORIALS[name] ?? TUTORIALS.salary;
  const { contents } = app.serviceManager;
  const root = PathExt.join(folder, FOLDER);
  const data = PathExt.join(root, 'data');
  for (const path of [root, data]) {
    await unless(contents, path, { type: 'directory' });
  }
  const bytes = new Uint8Array(await got(tutorial.data));
  await unless(contents, PathExt.join(data, tutorial.file), {
    type: 'file',
    format: 'base64',
    content: base64(bytes)
  });
  const path = PathExt.join(root, `${name}.ipynb`);
  const text = new TextDecoder().decode(await got(tutorial.notebook));
  await unless(contents, path, {
    type: 'notebook',
    format: 'json',
    content: JSON.parse(text) as unknown
  });
  await app.commands.execute('docmanager:open', { path });
}

/** Save it, unless something is there. */
async function unless(
  contents: Contents.IManager,
  path: string,
  model: Partial<Contents.IModel>
): Promise<void> {
  try {
    await contents.get(path, { content: false });
  } catch {
    await contents.save(path, model);
  }
}

async function got(url: string): Promise<ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok) {
    throw new Error(`${url}: HTTP ${response.status}`);
  }
  return response.arrayBuffer();
}

function base64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    text += String.fromCharCode(byte);
  }
  return btoa(text);
}
