import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '../bed';

// What JupyterLab waits for: the container, the plugins without their pages, the styles.
const MOST_SCRIPTS = 3;
const MOST_BYTES = 220_000;
const TABLE = join(__dirname, '../../examples/data/Salary_Data.csv');

test('from a file to predictions, with the mouse and the keyboard alone', async ({
  page,
  scripts
}) => {
  const view = page.locator('.jp-StudioView:visible');
  const navigator = page.getByRole('region', { name: 'Studio', exact: true });
  const dialog = page.getByRole('dialog');

  await test.step('little is loaded before anything is opened', async () => {
    const bodies = await Promise.all(scripts.map(each => each.body()));
    const bytes = bodies.reduce((sum, body) => sum + body.length, 0);
    expect(scripts.length).toBeLessThanOrEqual(MOST_SCRIPTS);
    expect(bytes).toBeLessThanOrEqual(MOST_BYTES);
  });

  await test.step('drop the file on a new bucket', async () => {
    await page.getByRole('tab', { name: /^Studio/ }).click();
    await navigator.getByRole('treeitem', { name: /^Data/ }).dblclick();
    await view.getByRole('button', { name: 'New Bucket…' }).first().click();
    await dialog.getByRole('textbox').fill('salary');
    await page.keyboard.press('Enter');
    const grid = view.getByRole('grid', { name: /s3:\/\/salary\// });
    await grid.waitFor();
    const dataTransfer = await page.evaluateHandle(
      text => {
        const transfer = new DataTransfer();
        const file = new File([text], 'Salary_Data.csv', { type: 'text/csv' });
        transfer.items.add(file);
        return transfer;
      },
      readFileSync(TABLE, 'utf8')
    );
    for (const type of ['dragenter', 'dragover', 'drop']) {
      await grid.dispatchEvent(type, { dataTransfer });
    }
    await expect(view.getByRole('row', { name: /Salary_Data/ })).toBeVisible();
    await expect(
      navigator.getByRole('treeitem', { name: 'salary' })
    ).toBeVisible();
  });

  await test.step('look at it', async () => {
    await view.getByRole('row', { name: /Salary_Data/ }).click({
      button: 'right'
    });
    await page
      .getByRole('menuitem', { name: 'Open in Data Visualization' })
      .click();
    await expect(view.getByText('30 rows × 2 columns')).toBeVisible();
    await view
      .getByRole('combobox', { name: 'Column to predict' })
      .selectOption('Salary');
    await expect(view.getByText('regression')).toBeVisible();
    await view.getByRole('tab', { name: 'Relations' }).click();
    await expect(view.locator('.js-plotly-plot .trace').first()).toBeVisible();
  });

  await test.step('write what the algorithm reads', async () => {
    await view.getByRole('tab', { name: 'Train' }).click();
    await view.getByRole('button', { name: 'Write training channels' }).click();
    await expect(view.getByRole('row', { name: /^train 24/ })).toBeVisible();
    await view
      .getByRole('button', { name: 'New training job with this data' })
      .click();
  });

  await test.step('fill in the form', async () => {
    await view.getByRole('radio', { name: /Linear learner/ }).click();
    await expect(view.getByText('1 thing to do')).toBeVisible();
    await expect(
      view.getByRole('button', { name: 'Remove channel train' })
    ).toBeVisible();
    await view
      .getByRole('combobox', { name: 'predictor_type' })
      .selectOption('regressor');
    await view.getByRole('textbox', { name: 'mini_batch_size' }).fill('5');
    await view.getByRole('textbox', { name: 'epochs' }).fill('100');
    await view
      .getByRole('textbox', { name: 'Name', exact: true })
      .fill('salary');
    await expect(
      view.getByText('Nothing speaks against this job.')
    ).toBeVisible();
    await view.getByRole('button', { name: 'Start training' }).click();
  });

  await test.step('watch it train', async () => {
    await expect(view.getByRole('heading', { name: 'salary' })).toBeVisible();
    await expect(view.getByText(/^Completed/).first()).toBeVisible();
    await expect(
      navigator.getByRole('treeitem', { name: /Completed salary/ })
    ).toBeVisible();
    await expect(
      view.getByRole('figure', { name: 'objective_loss' })
    ).toBeVisible();
    await expect(view.getByRole('log')).toContainText('The best model');
  });

  await test.step('deploy the model', async () => {
    await view.getByRole('button', { name: 'Deploy' }).first().click();
    await expect(
      view.getByRole('heading', { name: 'Deploy a model' })
    ).toBeVisible();
    for (const step of ['Where', 'Traffic', 'Review']) {
      await view.getByRole('button', { name: 'Next' }).click();
      await expect(
        view.getByRole('button', { name: step, exact: true })
      ).toHaveAttribute('aria-current', 'step');
    }
    await view.getByRole('button', { name: 'Deploy', exact: true }).click();
    await expect(view.getByText('salary is in service.')).toBeVisible();
  });

  await test.step('ask it', async () => {
    await view.getByRole('button', { name: 'Test it' }).click();
    const body = view.getByRole('textbox', { name: 'Body of the request' });
    await expect(body).not.toHaveValue('');
    await body.fill('10');
    await page.keyboard.press('Control+Enter');
    const answer = view.getByRole('region', { name: 'Answer' });
    await expect(answer).toContainText(/1[12]\d{4}/); // dollars, after ten years
  });

  await test.step('delete all of it', async () => {
    await view.getByRole('button', { name: 'Delete', exact: true }).click();
    await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
    await expect(
      navigator.getByRole('treeitem', { name: /^Endpoints 0/ })
    ).toBeVisible();
  });
});
