import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import { expect, open, test, type Bed } from '../bed';

const ROLE = 'arn:aws:iam::000000000000:role/StudioExecutionRole';
const LINEAR = '382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1';

// What runs when it is taken for a page; and what a terminal would take for an order.
const IMAGE = '<img src=x onerror="window.ran=1">';
const MARKUP = `${IMAGE}<b>bold</b>`;
const ANSI =
  '\u001b[31mred\u001b[0m\u001b]8;;javascript:ran=1\u0007link\u001b]8;;\u0007';
const BIDI = '\u202egnp.exe';

const PRINTING = `
import json, os, pathlib
print(${JSON.stringify(MARKUP)}, flush=True)
print(${JSON.stringify(ANSI)}, flush=True)
print("score: 0.5", flush=True)
pathlib.Path("/opt/ml/output/failure").write_text(${JSON.stringify(MARKUP)})
raise SystemExit(3)
`;

const COLUMNS = `"${MARKUP.replaceAll('"', '""')}",label,${BIDI}`;
const ROWS = Array.from(
  { length: 60 },
  (_, row) =>
    `"${row % 3 ? MARKUP.replaceAll('"', '""') : 'plain'}",${row},${row % 7}`
);

/** Every page, with what has to be there before it is looked at. */
const PAGES: [command: string, args: object, shown: string | RegExp][] = [
  ['open-objects', { bucket: 'hostile' }, IMAGE],
  ['open-data', { uri: 's3://hostile/table.csv' }, /60 rows/],
  ['open-data', { uri: 's3://hostile/table.csv', tab: 'columns' }, IMAGE],
  ['open-data', { uri: 's3://hostile/table.csv', tab: 'rows' }, IMAGE],
  ['open-jobs', {}, 'failing'],
  ['open-job', { name: 'failing' }, IMAGE],
  ['open-job', { name: 'trained' }, 'Completed'],
  ['new-job', { from: 'trained' }, 'Linear learner'],
  ['open-models', {}, 'served'],
  ['open-model', { name: 'served' }, IMAGE],
  ['open-endpoints', {}, 'served'],
  ['open-endpoint', { name: 'served' }, 'InService'],
  ['deploy', { model: 'served' }, 'served'],
  ['open-experiments', {}, /./]
];

function job(name: string, image: string, more: object): object {
  return {
    TrainingJobName: name,
    AlgorithmSpecification: {
      TrainingImage: image,
      TrainingInputMode: 'File',
      ...more
    },
    RoleArn: ROLE,
    OutputDataConfig: { S3OutputPath: 's3://hostile/output' },
    ResourceConfig: {
      InstanceType: 'ml.m5.large',
      InstanceCount: 1,
      VolumeSizeInGB: 1
    },
    StoppingCondition: { MaxRuntimeInSeconds: 600 }
  };
}

function channel(name: string): object {
  const source = {
    S3DataType: 'S3Prefix',
    S3Uri: `s3://hostile/${name}/`
  };
  return {
    ChannelName: name,
    ContentType: 'text/csv',
    DataSource: { S3DataSource: source }
  };
}

/** A job that trains, one that fails, a model behind an endpoint; all as hostile as allowed. */
async function fill(bed: Bed): Promise<void> {
  await bed.put('hostile', 'table.csv', [COLUMNS, ...ROWS].join('\n'));
  await bed.put('hostile', `${IMAGE}.txt`, MARKUP);
  await bed.put('hostile', 'code/main.py', PRINTING);
  const train = Array.from({ length: 40 }, (_, row) => `${2 * row},${row}`);
  await bed.put('hostile', 'train/train.csv', train.join('\n'));
  await bed.call('CreateTrainingJob', {
    ...job('failing', 'python:3.11', {
      ContainerEntrypoint: ['python3', '/opt/ml/input/data/code/main.py'],
      MetricDefinitions: [{ Name: MARKUP, Regex: 'score: ([0-9.]+)' }]
    }),
    InputDataConfig: [channel('code')],
    HyperParameters: { [MARKUP]: MARKUP }
  });
  await bed.call('CreateTrainingJob', {
    ...job('trained', LINEAR, {}),
    InputDataConfig: [channel('train')],
    HyperParameters: {
      predictor_type: 'regressor',
      mini_batch_size: '10',
      epochs: '3'
    }
  });
  await ended(bed, 'DescribeTrainingJob', { TrainingJobName: 'trained' });
  await bed.call('CreateModel', {
    ModelName: 'served',
    ExecutionRoleArn: ROLE,
    PrimaryContainer: {
      Image: LINEAR,
      ModelDataUrl: 's3://hostile/output/trained/output/model.tar.gz',
      Environment: { NOTE: MARKUP }
    }
  });
  await bed.call('CreateEndpointConfig', {
    EndpointConfigName: 'served',
    ProductionVariants: [
      {
        VariantName: 'AllTraffic',
        ModelName: 'served',
        InitialInstanceCount: 1,
        InstanceType: 'ml.m5.large'
      }
    ]
  });
  await bed.call('CreateEndpoint', {
    EndpointName: 'served',
    EndpointConfigName: 'served'
  });
  await ended(bed, 'DescribeEndpoint', { EndpointName: 'served' });
  await ended(bed, 'DescribeTrainingJob', { TrainingJobName: 'failing' });
}

async function ended(bed: Bed, operation: string, of: object): Promise<void> {
  await expect
    .poll(async () => {
      const { TrainingJobStatus, EndpointStatus } = await bed.call(
        operation,
        of
      );
      return TrainingJobStatus ?? EndpointStatus;
    })
    .toMatch(/Completed|Failed|InService/);
}

/** Open a page of Studio's, alone, and wait until it is there. */
async function look(page: Page, [command, args, shown]: (typeof PAGES)[0]) {
  await open(page, command, args);
  const view = page.locator('.jp-StudioView:visible');
  await expect(view.getByText(shown).first()).toBeVisible();
  await expect(view.locator('[aria-busy=true]')).toHaveCount(0);
  return view;
}

test.beforeAll(async ({ bed }) => fill(bed));

test('what strangers wrote is text on every page', async ({ page }) => {
  const errors: string[] = [];
  page.on('pageerror', error => errors.push(error.message));
  page.on('dialog', dialog => {
    errors.push(dialog.message());
    void dialog.dismiss();
  });
  for (const each of PAGES) {
    await test.step(each[0], async () => {
      const view = await look(page, each);
      await expect(view.locator('img[src="x"], b:text-is("bold")')).toHaveCount(
        0
      );
      await expect(view.locator('a[href^="javascript:"]')).toHaveCount(0);
    });
  }
  await test.step('the log', async () => {
    await open(page, 'open-job', { name: 'failing' });
    const log = page.locator('.jp-StudioView:visible').getByRole('log').first();
    await expect(log).toContainText(MARKUP);
    await expect(log).toContainText('red');
    expect(await log.innerText()).not.toContain('\u001b');
  });
  await test.step('the navigator', async () => {
    await page.getByRole('tab', { name: /^Studio/ }).click();
    const tree = page.getByRole('tree', { name: 'Studio' });
    await expect(tree.getByText('failing')).toBeVisible();
  });
  expect(errors).toEqual([]);
  expect(await page.evaluate(() => 'ran' in window)).toBe(false);
});

/** Serious violations of the rules for accessible pages, each with the elements. */
async function violations(page: Page, rules: string[]): Promise<string[][]> {
  // JupyterLab's body is 0 pixels high and hides what overflows: axe would see no text in it.
  await page.addStyleTag({ content: 'html, body { height: 100% }' });
  const axe = new AxeBuilder({ page })
    .include('.jp-StudioView:not(.lm-mod-hidden *)')
    .include('#jp-studio-navigator');
  const found = await (rules.length ? axe.withRules(rules) : axe).analyze();
  const contrast = [...found.passes, ...found.violations].filter(
    it => it.id === 'color-contrast'
  );
  expect(contrast.flatMap(it => it.nodes).length).toBeGreaterThan(5);
  return found.violations
    .filter(it => it.impact === 'serious' || it.impact === 'critical')
    .map(it => [it.id, ...it.nodes.map(node => node.html)]);
}

// What is not a matter of colour is the same in every theme.
for (const [theme, rules] of [
  ['JupyterLab Light', []],
  ['JupyterLab Dark', ['color-contrast']]
] as const) {
  test(`nobody is shut out: ${theme}`, async ({ page }) => {
    await page.theme.setTheme(theme);
    const body = page.locator('body');
    await expect(body).toHaveAttribute('data-jp-theme-name', theme);
    await page.getByRole('tab', { name: /^Studio/ }).click();
    for (const each of PAGES) {
      await test.step(each[0], async () => {
        await look(page, each);
        const found = await violations(page, [...rules]);
        expect.soft(found, JSON.stringify(each)).toEqual([]);
      });
    }
  });
}
