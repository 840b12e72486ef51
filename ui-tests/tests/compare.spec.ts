import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, open, stored, test, type Bed } from '../bed';

const COMPONENTS = ['one', 'two', 'three', 'four'];

test.describe.configure({ mode: 'serial' });

/** Four components: `depth` is their number, and so is `auc` in tenths. */
async function fill(bed: Bed): Promise<void> {
  await bed.call('CreateExperiment', { ExperimentName: 'flow' });
  await bed.call('CreateTrial', { TrialName: 'flow', ExperimentName: 'flow' });
  for (const [index, name] of COMPONENTS.entries()) {
    await bed.call('CreateTrialComponent', {
      TrialComponentName: name,
      Parameters: {
        depth: { NumberValue: index + 1 },
        kind: { StringValue: 'tree' }
      }
    });
    await bed.call('AssociateTrialComponent', {
      TrialComponentName: name,
      TrialName: 'flow'
    });
    await log(bed, name, [0, 1, 2], (index + 1) / 10);
  }
}

/** Values of the metric auc at these steps. */
async function log(
  bed: Bed,
  component: string,
  steps: number[],
  value: number
): Promise<void> {
  const now = Date.now();
  const text = (numbers: Float64Array | BigInt64Array) =>
    Buffer.from(numbers.buffer).toString('base64');
  const whole = (numbers: number[]) =>
    text(new BigInt64Array(numbers.map(BigInt)));
  await bed.call(
    'PutTrialComponentMetrics',
    {
      TrialComponentName: component,
      Series: [
        {
          MetricName: 'auc',
          Steps: whole(steps),
          Timestamps: whole(steps.map(step => now + step)),
          Values: text(new Float64Array(steps.map(() => value)))
        }
      ]
    },
    'studio'
  );
}

test.beforeAll(async ({ bed }) => fill(bed));

test('one query drives every pane, and says what is wrong with it', async ({
  page
}) => {
  await open(page, 'compare');
  const view = page.locator('.jp-StudioView:visible');
  await expect(view.getByText('4 components').first()).toBeVisible();
  await expect(view.getByRole('row', { name: /two/ })).toBeVisible();
  const query = view.getByRole('search').getByRole('textbox');
  await query.click();
  await page.keyboard.insertText('metric.acu > 0.25');
  await expect(view.getByRole('search')).toContainText(/acu.*auc/);
  await expect(view.locator('.cm-lintRange')).toHaveText('metric.acu');
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.insertText('metric.auc > 0.25');
  await page.keyboard.press('Escape'); // of the completion
  await page.keyboard.press('Enter');
  await expect(view.getByText('2 of 4 components').first()).toBeVisible();
  await expect(view.getByRole('row', { name: /two/ })).toHaveCount(0);
  await view.getByRole('tab', { name: 'Charts' }).click();
  const legend = view.getByRole('group', { name: 'Legend' });
  await expect(legend.getByText('three')).toBeVisible();
  await expect(legend.getByText('two')).toHaveCount(0);
});

test('what is logged is seen where it is looked at', async ({ bed, page }) => {
  await open(page, 'compare', { pane: 'table' });
  const view = page.locator('.jp-StudioView:visible');
  const cell = (text: string) =>
    view.getByRole('gridcell', { name: text, exact: true });
  await expect(cell('0.3').first()).toBeVisible();
  await log(bed, 'three', [3], 0.875);
  await expect(cell('0.875').first()).toBeVisible();
});

test('a view is kept in a file with all that it was', async ({ bed, page }) => {
  await open(page, 'compare', { query: 'param.depth < 3', pane: 'table' });
  const view = page.locator('.jp-StudioView:visible');
  await expect(view.getByText('2 of 4 components').first()).toBeVisible();
  await view.getByRole('row', { name: /one/ }).click();
  await view
    .getByRole('row', { name: /two/ })
    .click({ modifiers: ['ControlOrMeta'] });
  await view.getByRole('tab', { name: 'Diff' }).click();
  await expect(view.getByText('depth').first()).toBeVisible();
  await expect(view.getByText('kind')).toHaveCount(0); // it is the same
  await view.getByRole('button', { name: /^Save view/ }).click();
  await page.getByRole('dialog').getByRole('textbox').fill('/kept.studioview');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByRole('tab', { name: /kept/ })).toBeVisible();
  const kept = JSON.parse(
    readFileSync(join(bed.work, 'kept.studioview'), 'utf8')
  ) as { query: string; selection: string[] };
  expect(kept).toMatchObject({
    query: 'param.depth < 3',
    selection: ['one', 'two']
  });
  await stored(bed, 'kept.studioview');
  await page.reload();
  const file = page.locator('.jp-Document:visible');
  await expect(file.getByText('2 of 4 components').first()).toBeVisible();
  await expect(file.getByRole('tab', { name: 'Diff' })).toHaveAttribute(
    'aria-selected',
    'true'
  );
  await file.getByRole('button', { name: 'Clear' }).click();
  await expect(
    file.getByText('4 components', { exact: true }).first()
  ).toBeVisible();
  await file.getByRole('button', { name: 'Undo' }).click();
  await expect(file.getByText('2 of 4 components').first()).toBeVisible();
});
