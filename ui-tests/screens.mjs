// Takes the pictures of every page: `node screens.mjs URL FOLDER [page ...]`. See screens.py.
import { mkdirSync } from 'node:fs';

import { chromium } from '@playwright/test';

const [base, folder, ...chosen] = process.argv.slice(2);
const BANK = 's3://bank-marketing/raw/calls.csv';
const SWEEP = 'experiment == "salary-sweep"';
const PAIR = ['salary-sweep-l001-m0-b4-s1-1', 'salary-sweep-l02-m09-b12-s3-54'];

// What to open, and what must be there before the picture is taken.
const PAGES = {
  jobs: ['studio:open-jobs', {}, '.jp-StudioGrid-row'],
  job: [
    'studio:open-job',
    { name: 'bank-xgboost-depth-5' },
    '.js-plotly-plot .trace'
  ],
  'job-failed': [
    'studio:open-job',
    { name: 'bank-xgboost-typo' },
    '.jp-StudioJob-failure'
  ],
  'new-job': ['studio:new-job', { from: 'bank-xgboost-depth-5' }, 'input'],
  models: ['studio:open-models', {}, '.jp-StudioGrid-row'],
  model: ['studio:open-model', { name: 'salary-alltraffic' }, 'dl'],
  'model-groups': ['studio:open-model-groups', {}, '.jp-StudioGrid-row'],
  'model-group': [
    'studio:open-model-group',
    { name: 'bank-deposit', compared: [1, 2] },
    '.jp-StudioRegistry'
  ],
  'deploy-version': [
    'studio:deploy',
    { package: 'bank-deposit/1' },
    '.jp-StudioGrid-row'
  ],
  endpoints: ['studio:open-endpoints', {}, '.jp-StudioGrid-row'],
  endpoint: [
    'studio:open-endpoint',
    { name: 'bank-deposit' },
    '.js-plotly-plot .trace'
  ],
  'endpoint-changes': [
    'studio:open-endpoint',
    { name: 'salary', tab: 'changes' },
    '.jp-StudioChanges-stages'
  ],
  'endpoint-test': [
    'studio:open-endpoint',
    { name: 'salary', tab: 'test' },
    'textarea'
  ],
  'endpoint-outside': [
    'studio:open-endpoint',
    { name: 'bank-deposit', tab: 'outside' },
    'pre'
  ],
  'endpoint-logs': [
    'studio:open-endpoint',
    { name: 'bank-deposit', tab: 'logs' },
    '[role=log]'
  ],
  'endpoint-configuration': [
    'studio:open-endpoint',
    { name: 'bank-deposit', tab: 'configuration' },
    'pre'
  ],
  'endpoint-serverless': [
    'studio:open-endpoint',
    { name: 'salary-on-demand' },
    '.jp-StudioTraffic'
  ],
  'endpoint-requests': [
    'studio:open-endpoint',
    { name: 'salary-later', tab: 'queue' },
    'table'
  ],
  'endpoint-later': [
    'studio:open-endpoint',
    { name: 'salary-later', tab: 'test' },
    'textarea'
  ],
  'deploy-where': [
    'studio:deploy',
    {
      job: 'salary-linear',
      step: 'where',
      draft: {
        source: { kind: 'job', name: 'salary-linear' },
        asynchronous: {}
      }
    },
    '.jp-StudioWizard-capacity'
  ],
  deploy: ['studio:deploy', { job: 'bank-xgboost-depth-3' }, 'input'],
  'deploy-traffic': [
    'studio:deploy',
    {
      job: 'bank-xgboost-depth-3',
      step: 'traffic',
      draft: {
        source: { kind: 'job', name: 'bank-xgboost-depth-3' },
        target: 'bank-deposit',
        keep: true,
        shadow: true,
        share: 50,
        strategy: 'CANARY',
        capture: 20
      }
    },
    '.jp-StudioWizard-shadow'
  ],
  objects: [
    'studio:open-objects',
    { bucket: 'bank-marketing', prefix: '' },
    '.jp-StudioGrid-row'
  ],
  data: [
    'studio:open-data',
    { uri: BANK, target: 'y_yes' },
    '.jp-StudioData-bars li'
  ],
  'data-columns': [
    'studio:open-data',
    { uri: BANK, tab: 'columns' },
    '.jp-StudioView'
  ],
  'data-relations': [
    'studio:open-data',
    { uri: BANK, tab: 'relations' },
    '.js-plotly-plot'
  ],
  'data-charts': [
    'studio:open-data',
    { uri: BANK, tab: 'charts' },
    '.jp-StudioView h2'
  ],
  'data-train': [
    'studio:open-data',
    { uri: BANK, tab: 'train', target: 'y_yes' },
    'form'
  ],
  experiments: ['studio:open-experiments', {}, '.jp-StudioGrid-row'],
  component: [
    'studio:open-component',
    { name: 'salary-sweep-l02-m09-b12-s3-54' },
    '.js-plotly-plot .trace'
  ],
  'compare-table': [
    'studio:compare',
    { query: SWEEP, pane: 'table' },
    '.jp-StudioGrid-row'
  ],
  'compare-charts': [
    'studio:compare',
    { query: SWEEP, pane: 'charts' },
    'canvas'
  ],
  'compare-parallel': [
    'studio:compare',
    { query: SWEEP, pane: 'parallel' },
    'canvas'
  ],
  'compare-scatter': [
    'studio:compare',
    { query: SWEEP, pane: 'scatter' },
    '.js-plotly-plot .trace'
  ],
  'compare-diff': [
    'studio:compare',
    { query: SWEEP, selection: PAIR, pane: 'diff' },
    '.jp-StudioView table, .jp-StudioView [role=grid]'
  ],
  'compare-artifacts': [
    'studio:compare',
    { query: SWEEP, selection: PAIR, pane: 'artifacts' },
    '.jp-StudioView table, .jp-StudioView [role=grid]'
  ],
  compute: ['studio:open-compute', {}, '.jp-StudioGrid-row'],
  'job-spot': [
    'studio:open-job',
    { name: 'vision-spot' },
    '.js-plotly-plot .trace'
  ],
  'job-notebook': [
    'studio:open-job',
    { name: 'weekly-report-south' },
    'progress'
  ],
  'processing-jobs': ['studio:open-processing-jobs', {}, '.jp-StudioGrid-row'],
  'processing-job': [
    'studio:open-processing-job',
    { name: 'prepare-calls' },
    '[role=log]'
  ],
  'new-processing-job': [
    'studio:new-processing-job',
    { from: 'prepare-calls' },
    'input'
  ],
  'transform-jobs': ['studio:open-transform-jobs', {}, '.jp-StudioGrid-row'],
  'transform-job': [
    'studio:open-transform-job',
    { name: 'score-calls' },
    'progress'
  ],
  'transform-job-failed': [
    'studio:open-transform-job',
    { name: 'score-calls-typo' },
    '.jp-StudioJob-failure'
  ],
  'new-transform-job': [
    'studio:new-transform-job',
    { from: 'score-calls' },
    'input'
  ],
  schedules: ['studio:open-schedules', {}, '.jp-StudioGrid-row'],
  schedule: [
    'studio:open-schedules',
    { selected: 'prepare-weekly' },
    '.jp-StudioSchedules-runs li'
  ],
  'run-notebook': [
    'studio:run-notebook',
    { path: 'weekly-report.ipynb' },
    'input'
  ],
  images: ['studio:open-images', {}, 'table'],
  'compare-lineage': [
    'studio:compare',
    { names: ['bank-xgboost-depth-5-aws-training-job'], pane: 'lineage' },
    '.jp-StudioView svg'
  ]
};
const THEMES = {
  light: 'JupyterLab Light',
  dark: 'JupyterLab Dark',
  contrast: 'JupyterLab Dark High Contrast'
};
const WIDTHS = { '': 1280, '-wide': 1920, '-narrow': 760 };

mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--no-first-run'
  ]
});
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
page.on('pageerror', error => console.log(`page error: ${error.message}`));
page.on(
  'console',
  message =>
    message.type() === 'error' && console.log(`console: ${message.text()}`)
);
await page.goto(`${base}/lab?reset`);
await page.waitForSelector('.jp-LauncherCard, .jp-Launcher', {
  timeout: 60_000
});
const execute = (command, args) =>
  page.evaluate(
    ([id, given]) =>
      window.jupyterapp.commands.execute(id, given).then(() => null),
    [command, args]
  );

for (const [theme, name] of Object.entries(THEMES)) {
  await execute('apputils:change-theme', { theme: name });
  for (const [suffix, width] of Object.entries(WIDTHS)) {
    if (theme !== 'light' && suffix === '-wide') {
      continue;
    }
    await page.setViewportSize({ width, height: width === 1920 ? 1080 : 800 });
    await page.evaluate(narrow => {
      const { shell } = window.jupyterapp;
      return narrow
        ? shell.collapseLeft()
        : shell.activateById('jp-studio-navigator');
    }, width < 1000);
    for (const [id, [command, args, ready]] of Object.entries(PAGES)) {
      if (chosen.length && !chosen.includes(id)) {
        continue;
      }
      await taken(
        `${folder}/${id}-${theme}${suffix}.png`,
        command,
        args,
        ready
      );
    }
  }
}
await browser.close();

async function taken(path, command, args, ready) {
  try {
    await execute('application:close-all');
    await execute(command, args);
    await page.waitForSelector(`.lm-DockPanel ${ready}`, { timeout: 20_000 });
    await page.waitForTimeout(1200);
  } catch (error) {
    console.log(`${path}: ${String(error).split('\n')[0]}`);
  }
  await page.screenshot({ path });
}
