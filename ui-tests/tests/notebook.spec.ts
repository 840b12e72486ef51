import type { Page } from '@playwright/test';

import { type Bed, expect, open, test } from '../bed';

const JOB = {
  AlgorithmSpecification: {
    TrainingImage: 'kmeans',
    TrainingInputMode: 'File'
  },
  RoleArn: 'arn:aws:iam::000000000000:role/StudioExecutionRole',
  OutputDataConfig: { S3OutputPath: 's3://rows/out' },
  ResourceConfig: {
    InstanceType: 'ml.m5.large',
    InstanceCount: 1,
    VolumeSizeInGB: 1
  },
  StoppingCondition: { MaxRuntimeInSeconds: 600 }
};
const START = `import boto3
request = ${JSON.stringify(JOB)}
made = boto3.client("sagemaker").create_training_job(TrainingJobName="from-a-cell", **request)
`;

interface IWindow {
  jupyterapp: {
    commands: { execute(id: string, args: object): Promise<unknown> };
    shell: {
      currentWidget: object;
      add(widget: object, area: string, options: object): void;
    };
  };
}

test.describe.configure({ mode: 'serial' });

test.beforeAll(async ({ bed }) => {
  await bed.put('rows', 'rows.csv', 'x,y\n1,2\n');
  await write(bed, 'try.ipynb', [START, '', 'print("last")']);
});

async function write(bed: Bed, path: string, cells: string[]): Promise<void> {
  const content = {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {
      kernelspec: {
        name: 'python3',
        display_name: 'Python 3',
        language: 'python'
      },
      language_info: { name: 'python' }
    },
    cells: cells.map((source, index) => ({
      id: `cell-${index}`,
      cell_type: 'code',
      source,
      metadata: {},
      outputs: [],
      execution_count: null
    }))
  };
  const body = JSON.stringify({ type: 'notebook', format: 'json', content });
  const answer = await bed.request('PUT', `api/contents/${path}`, body);
  expect(answer.ok).toBeTruthy();
}

async function openNotebook(page: Page): Promise<void> {
  await page.evaluate(() =>
    (window as unknown as IWindow).jupyterapp.commands.execute(
      'docmanager:open',
      {
        path: 'try.ipynb'
      }
    )
  );
  await expect(page.locator('.jp-Notebook .jp-Cell')).not.toHaveCount(0);
}

const editor = (page: Page, index: number) =>
  page.locator('.jp-Notebook .jp-Cell').nth(index).locator('.cm-content');

test('a cell shows the job that it started, whose page leads back', async ({
  page
}) => {
  await openNotebook(page);
  // A cell that is run before that is not run at all.
  await expect(page.getByText('Python 3 (ipykernel) | Idle')).toBeVisible();
  await editor(page, 0).click();
  await page.keyboard.press('Control+Enter');
  await page.getByRole('button', { name: /^from-a-cell ·/ }).click();
  await page.getByRole('tab', { name: 'Provenance' }).click();
  await expect(page.getByText(START.split('\n')[0])).toHaveCount(2);
  await page.getByRole('button', { name: 'try.ipynb [1]' }).click();
  await expect(editor(page, 0)).toBeVisible();
});

test('a slash lists what can be loaded', async ({ page }) => {
  await openNotebook(page);
  await editor(page, 1).click();
  const list = page.getByRole('listbox', { name: 'Insert from Studio' });
  const job = list.getByRole('option', { name: /from-a-cell/ });
  await page.keyboard.type('/');
  await expect(job).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(list).toHaveCount(0);
  await page.keyboard.press('Backspace');
  await page.keyboard.type('//');
  await expect(list).toHaveCount(0);
  await page.keyboard.press('Backspace');
  await page.keyboard.press('Backspace');
  await page.keyboard.type('/cell');
  await expect(job).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('Enter');
  await expect(editor(page, 1)).toContainText(
    'describe_training_job(TrainingJobName="from-a-cell")'
  );
});

test('an object is dropped between two cells', async ({ page }) => {
  await openNotebook(page);
  await open(page, 'open-objects', { bucket: 'rows' });
  const row = page.getByRole('row', { name: /rows\.csv/ });
  await expect(row).toBeVisible();
  await page.evaluate(() => {
    const { shell } = (window as unknown as IWindow).jupyterapp;
    shell.add(shell.currentWidget, 'main', { mode: 'split-right' });
  });
  const last = page.locator('.jp-Notebook .jp-Cell').last();
  await row.dragTo(last, { targetPosition: { x: 150, y: 4 } });
  await expect(page.locator('.jp-Notebook .jp-Cell')).toHaveCount(4);
  await expect(editor(page, 2)).toContainText('pd.read_csv(body)');
  await expect(editor(page, 3)).toContainText('print("last")');
});

test('objects come, ask before they are replaced, go, and come back', async ({
  bed,
  page
}) => {
  await bed.request(
    'PUT',
    'studio/api/s3/rows?versioning',
    '<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
      '<Status>Enabled</Status></VersioningConfiguration>'
  );
  await open(page, 'open-objects', { bucket: 'rows', prefix: 'up/' });
  const file = {
    name: '<b>.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from('1,2\n')
  };
  const choose = async () => {
    const chooser = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Upload Files…' }).first().click();
    await (await chooser).setFiles([file]);
  };
  await choose();
  const row = page.getByRole('row', { name: /<b>\.csv/ });
  await expect(row).toBeVisible();
  await choose();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('up/<b>.csv');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await row.click();
  await page.getByRole('button', { name: 'Delete…' }).click();
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await expect(page.getByText('Nothing is here yet')).toBeVisible();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(row).toBeVisible();
});

test('what is in a notebook that is not trusted runs nothing', async ({
  bed,
  page
}) => {
  const html =
    '<img src=x onerror="window.ran = 1"><script>window.ran = 1</script>' +
    '<a data-commandlinker-command="studio:open-jobs">press me</a>';
  const data = {
    'application/vnd.jupyter.studio+json': { command: 'studio:open-jobs' },
    'application/javascript': 'window.ran = 1',
    'text/html': html
  };
  const cell = { id: 'a', cell_type: 'code', source: '', metadata: {} };
  const output = { output_type: 'display_data', data, metadata: {} };
  const content = {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {},
    cells: [{ ...cell, execution_count: 1, outputs: [output] }]
  };
  const body = JSON.stringify({ type: 'notebook', format: 'json', content });
  await bed.request('PUT', 'api/contents/strange.ipynb', body);
  await page.evaluate(() =>
    (window as unknown as IWindow).jupyterapp.commands.execute(
      'docmanager:open',
      { path: 'strange.ipynb', kernel: { shouldStart: false } }
    )
  );
  await page
    .getByRole('dialog')
    .getByRole('button', { name: 'No Kernel' })
    .click();
  await page.locator('.jp-OutputArea-output').getByText('press me').click();
  // What the click had begun would be there before what is opened after it.
  await open(page, 'open-models');
  await expect(page.getByRole('tab', { name: 'Models' })).toBeVisible();
  await expect(page.locator('.jp-StudioView')).toHaveCount(1);
  expect(await page.evaluate(() => 'ran' in window)).toBe(false);
});
