import type { Page } from '@playwright/test';
import axe from 'axe-core';

import { expect, open, run, test, type Bed } from '../bed';

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

const STRANGERS = ['strange', 'failing-aws-training-job'];

/** Every page, with what has to be there before it is looked at. */
const PAGES: [command: string, args: object, shown: string | RegExp][] = [
  ['open-objects', { bucket: 'hostile' }, IMAGE],
  ['open-data', { uri: 's3://hostile/table.csv' }, /60 rows/],
  ['open-data', { uri: 's3://hostile/table.csv', tab: 'columns' }, IMAGE],
  ['open-data', { uri: 's3://hostile/table.csv', tab: 'rows' }, IMAGE],
  ['open-jobs', {}, 'failing'],
  ['open-job', { name: 'failing' }, IMAGE],
  ['open-job', { name: 'trained' }, 'Completed'],
  ['open-component', { name: 'trained-aws-training-job' }, 'Completed'],
  ['open-component', { name: 'failing-aws-training-job' }, IMAGE],
  [
    'open-component',
    { name: 'trained-aws-training-job', tab: 'lineage' },
    'Model data'
  ],
  ['new-job', { from: 'trained' }, 'Linear learner'],
  ['open-processing-jobs', {}, 'prepared'],
  ['open-processing-job', { name: 'prepared' }, IMAGE],
  ['new-processing-job', { from: 'prepared' }, 'hostile'],
  ['open-transform-jobs', {}, 'scored'],
  ['open-transform-job', { name: 'scored' }, IMAGE],
  ['new-transform-job', { from: 'scored' }, 'served'],
  ['open-compute', {}, 'Nobody waits'],
  ['open-images', {}, 'sagemaker-scikit-learn'],
  ['open-models', {}, 'served'],
  ['open-model', { name: 'served' }, IMAGE],
  ['open-endpoints', {}, 'served'],
  ['open-endpoint', { name: 'served' }, IMAGE],
  ['deploy', { model: 'served' }, 'served'],
  ['open-schedules', { selected: 'nightly' }, 'Refused'],
  ['run-notebook', { path: 'strange.ipynb' }, 'Where it runs'],
  ['open-experiments', {}, 'strangers'],
  ['open-component', { name: 'strange' }, MARKUP],
  ['compare', { pane: 'table' }, 'strange'],
  ['compare', { pane: 'charts' }, /./],
  ['compare', { pane: 'parallel' }, /./],
  ['compare', { pane: 'scatter' }, /./],
  ['compare', { pane: 'diff', selection: STRANGERS }, MARKUP],
  ['compare', { pane: 'artifacts', selection: STRANGERS }, /./],
  ['compare', { pane: 'logs', selection: STRANGERS }, /./],
  ['compare', { pane: 'lineage', selection: STRANGERS }, /./]
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
  await bed.call('CreateExperiment', {
    ExperimentName: 'strangers',
    Description: MARKUP
  });
  await bed.call('CreateTrialComponent', {
    TrialComponentName: 'strange',
    Parameters: {
      [MARKUP]: { StringValue: MARKUP },
      depth: { NumberValue: 1 }
    },
    OutputArtifacts: { [IMAGE]: { Value: `s3://hostile/${IMAGE}.txt` } }
  });
  await bed.call('CreateTrainingJob', {
    ...job('failing', 'python:3.11', {
      ContainerEntrypoint: ['python3', '/opt/ml/input/data/code/main.py'],
      MetricDefinitions: [{ Name: MARKUP, Regex: 'score: ([0-9.]+)' }]
    }),
    InputDataConfig: [channel('code')],
    HyperParameters: { [MARKUP]: MARKUP }
  });
  await bed.call('CreateProcessingJob', processing('prepared'));
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
  await bed.put('hostile', `scored/${IMAGE}.csv`, MARKUP);
  await bed.call('CreateTransformJob', transform('scored'));
  await planned(bed);
  await ended(bed, 'DescribeEndpoint', { EndpointName: 'served' });
  await scaled(bed);
  await ended(bed, 'DescribeTrainingJob', { TrainingJobName: 'failing' });
  await ended(bed, 'DescribeProcessingJob', { ProcessingJobName: 'prepared' });
  await ended(bed, 'DescribeTransformJob', { TransformJobName: 'scored' });
}

/** Has the endpoint scale by itself, under names of strangers. */
async function scaled(bed: Bed): Promise<void> {
  const place = {
    ServiceNamespace: 'sagemaker',
    ResourceId: 'endpoint/served/variant/AllTraffic',
    ScalableDimension: 'sagemaker:variant:DesiredInstanceCount'
  };
  const service = 'application-autoscaling';
  const limits = { MinCapacity: 1, MaxCapacity: 2 };
  await bed.call('RegisterScalableTarget', { ...place, ...limits }, service);
  const policy = {
    PolicyName: MARKUP,
    PolicyType: 'TargetTrackingScaling',
    TargetTrackingScalingPolicyConfiguration: {
      TargetValue: 60,
      CustomizedMetricSpecification: {
        Namespace: MARKUP,
        MetricName: MARKUP,
        Statistic: 'Average'
      }
    }
  };
  await bed.call('PutScalingPolicy', { ...place, ...policy }, service);
  const action = {
    ScheduledActionName: 'daily',
    Schedule: 'rate(1 day)',
    ScalableTargetAction: limits
  };
  await bed.call('PutScheduledAction', { ...place, ...action }, service);
}

/** A transform job that fails at a file with a strange name. */
function transform(name: string): object {
  const source = { S3DataType: 'S3Prefix', S3Uri: `s3://hostile/${name}/` };
  return {
    TransformJobName: name,
    ModelName: 'served',
    Environment: { NOTE: MARKUP },
    TransformInput: {
      DataSource: { S3DataSource: source },
      ContentType: 'text/csv',
      SplitType: 'Line'
    },
    TransformOutput: { S3OutputPath: 's3://hostile/scores' },
    TransformResources: { InstanceType: 'ml.m5.large', InstanceCount: 1 }
  };
}

/** A processing job that fails, with what strangers may say in it. */
function processing(name: string): object {
  const source = {
    S3Uri: 's3://hostile/code/',
    LocalPath: '/opt/ml/processing/code',
    S3DataType: 'S3Prefix',
    S3InputMode: 'File'
  };
  return {
    ProcessingJobName: name,
    RoleArn: ROLE,
    AppSpecification: {
      ImageUri: 'python:3.11',
      ContainerEntrypoint: ['python3', '/opt/ml/processing/code/main.py'],
      ContainerArguments: [MARKUP]
    },
    Environment: { NOTE: MARKUP },
    ProcessingInputs: [{ InputName: 'code', S3Input: source }],
    ProcessingResources: {
      ClusterConfig: {
        InstanceType: 'ml.m5.large',
        InstanceCount: 1,
        VolumeSizeInGB: 1
      }
    }
  };
}

/** A schedule that is paused, and a notebook that could have one. */
async function planned(bed: Bed): Promise<void> {
  const request = {
    ...job('nightly-<aws.scheduler.execution-id>', 'python:3.11', {}),
    HyperParameters: { [MARKUP]: MARKUP }
  };
  const schedule = {
    Name: 'nightly',
    State: 'DISABLED',
    ScheduleExpression: 'rate(1 day)',
    FlexibleTimeWindow: { Mode: 'OFF' },
    Target: {
      Arn: 'arn:aws:scheduler:::aws-sdk:sagemaker:createTrainingJob',
      RoleArn: ROLE,
      Input: JSON.stringify(request)
    }
  };
  await bed.call('CreateSchedule', schedule, 'scheduler');
  await bed.call('RunSchedule', { Name: 'nightly' }, 'studio');
  const cell = {
    cell_type: 'code',
    execution_count: null,
    outputs: [],
    source: `name = '${MARKUP}'`,
    metadata: { tags: ['parameters'] }
  };
  const content = {
    cells: [cell],
    metadata: {},
    nbformat: 4,
    nbformat_minor: 4
  };
  const body = { type: 'notebook', format: 'json', content };
  const path = 'api/contents/strange.ipynb';
  const answer = await bed.request('PUT', path, JSON.stringify(body));
  expect(answer.ok).toBeTruthy();
}

async function ended(bed: Bed, operation: string, of: object): Promise<void> {
  await expect
    .poll(async () => {
      const found = await bed.call(operation, of);
      return (
        found.TrainingJobStatus ??
        found.ProcessingJobStatus ??
        found.TransformJobStatus ??
        found.EndpointStatus
      );
    })
    .toMatch(/Completed|Failed|InService/);
}

/** Open a page of Studio's, alone, and wait until it is there. */
async function look(page: Page, [command, args, shown]: (typeof PAGES)[0]) {
  await run(page, 'application:close-all');
  await open(page, command, args);
  const view = page.locator('.jp-StudioView:visible');
  await expect(view.getByText(shown).first()).toBeVisible();
  await expect(view.locator('[aria-busy=true]')).toHaveCount(0);
  return view;
}

async function wear(page: Page, theme: string): Promise<void> {
  await run(page, 'apputils:change-theme', { theme });
  const body = page.locator('body');
  await expect(body).toHaveAttribute('data-jp-theme-name', theme);
  // It lies over everything until the theme is there.
  await expect(page.locator('#jupyterlab-splash')).toHaveCount(0);
}

const THEMES = ['JupyterLab Light', 'JupyterLab Dark'];
const VIEW = '.jp-StudioView:not(.lm-mod-hidden *)';
const TREE = '#jp-studio-navigator';

/** Make axe part of a page. */
async function examinable(page: Page): Promise<void> {
  // JupyterLab's body is 0 pixels high and hides what overflows: axe would see no text in it.
  await page.addStyleTag({ content: 'html, body { height: 100% }' });
  await page.evaluate(axe.source);
}

/** Serious violations of the rules for accessible pages, each with the elements. */
async function violations(page: Page, places: string[]): Promise<string[][]> {
  const { found } = await examined(page, places, {
    rules: { 'color-contrast': { enabled: false } },
    resultTypes: ['violations']
  });
  return found;
}

/** Texts that differ too little from what is behind them. */
async function faint(page: Page, places: string[]): Promise<string[][]> {
  const { found, seen } = await examined(page, places, {
    runOnly: ['color-contrast']
  });
  expect(seen).toBeGreaterThan(5);
  return found;
}

/** What axe finds, and how many elements it has looked at. */
async function examined(
  page: Page,
  places: string[],
  options: axe.RunOptions
): Promise<{ found: string[][]; seen: number }> {
  return page.evaluate(
    async ([include, given]) => {
      const { axe: here } = window as unknown as { axe: typeof axe };
      // Nothing is in frames, and selectors take longer than the rules. What is found is sifted
      // here: all that axe tells would take the browser longer to hand over than to find.
      const told = await here.run(
        { include },
        { ...given, iframes: false, selectors: false }
      );
      const nodes = [...told.passes, ...told.violations].map(
        it => it.nodes.length
      );
      return {
        found: told.violations
          .filter(it => it.impact === 'serious' || it.impact === 'critical')
          .map(it => [it.id, ...it.nodes.map(node => node.html)]),
        seen: nodes.reduce((sum, count) => sum + count, 0)
      };
    },
    [places, options] as const
  );
}

test.beforeAll(async ({ bed }) => fill(bed));

test('every page: what strangers wrote is text, nobody is shut out', async ({
  page
}) => {
  const errors: string[] = [];
  page.on('pageerror', error => errors.push(error.message));
  page.on('dialog', dialog => {
    errors.push(dialog.message());
    void dialog.dismiss();
  });
  await page.getByRole('tab', { name: /^Studio/ }).click();
  const tree = page.getByRole('tree', { name: 'Studio' });
  await expect(tree.getByText('failing')).toBeVisible();
  await examinable(page);
  for (const [number, each] of PAGES.entries()) {
    await test.step(JSON.stringify(each), async () => {
      const view = await look(page, each);
      const made = view.locator('img[src="x"], b:text-is("bold")');
      await expect(made).toHaveCount(0);
      await expect(view.locator('a[href^="javascript:"]')).toHaveCount(0);
      // The tree is the same beside every page.
      const places = number ? [VIEW] : [VIEW, TREE];
      // What is not a matter of colour is the same in every theme.
      const found = await violations(page, places);
      expect.soft(found, JSON.stringify(each)).toEqual([]);
      // Each page begins in the theme that the last one has ended in.
      for (const theme of number % 2 ? [...THEMES].reverse() : THEMES) {
        await wear(page, theme);
        const texts = await faint(page, places);
        expect.soft(texts, `${theme}: ${JSON.stringify(each)}`).toEqual([]);
      }
    });
  }
  await test.step('the log', async () => {
    await open(page, 'open-job', { name: 'failing' });
    const log = page.locator('.jp-StudioView:visible').getByRole('log').first();
    await expect(log).toContainText(MARKUP);
    await expect(log).toContainText('red');
    expect(await log.innerText()).not.toContain('\u001b');
  });
  expect(errors).toEqual([]);
  expect(await page.evaluate(() => 'ran' in window)).toBe(false);
});
