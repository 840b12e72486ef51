// Measures the panels in a browser: `node panels.mjs URL` prints figures as JSON. See bench_panels.py.
import { launched, painted, scrolled } from './browser.mjs';

const [base] = process.argv.slice(2);
const OURS = '**/extensions/jupyter-ml-studio/**';
const LOADS = 5;
const SCROLL_MS = 4000;
const STEP = 240;
const ASIDE = 60;

const browser = await launched();
const figures = { with: [], without: [] };
for (let load = 0; load < LOADS; load++) {
  for (const kind of ['with', 'without']) {
    const { page, ready } = await opened(kind === 'with');
    figures[kind].push(ready);
    await page.context().close();
  }
}
const { page } = await opened(true);
figures.files = await page.evaluate(() =>
  performance
    .getEntriesByType('resource')
    .map(entry => entry.name)
    .filter(name => name.includes('/extensions/jupyter-ml-studio/'))
);
const jobs = { command: 'studio:open-jobs', row: '[data-studio-kind=job]' };
const table = {
  command: 'studio:compare',
  row: '[data-studio-kind=component]'
};
figures.jobs = await measured(jobs);
figures.components = await measured(table);
Object.assign(figures, await page.evaluate(seen));
await browser.close();
console.log(JSON.stringify(figures));

/** JupyterLab in a new profile, and the seconds until it was ready. */
async function opened(whole) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 }
  });
  const page = await context.newPage();
  // Routed either way: to be asked costs time too.
  await page.route(OURS, route => (whole ? route.continue() : route.abort()));
  await page.addInitScript(() => {
    performance.setResourceTimingBufferSize(5000); // JupyterLab alone fills the usual 250
    Object.defineProperty(window, 'jupyterapp', {
      configurable: true,
      set: app => {
        Object.defineProperty(window, 'jupyterapp', { value: app });
        void app.restored.then(() => (window.readyAt = performance.now()));
      }
    });
  });
  await page.goto(`${base}/lab?reset`);
  await page.waitForFunction(() => window.readyAt, null, { timeout: 120_000 });
  const ready = (await page.evaluate(() => window.readyAt)) / 1000;
  return { page, ready };
}

/** A table's first paint, how it scrolls down and, where it is wide, aside. */
async function measured(table) {
  const paint = await page.evaluate(painted, table);
  await page.waitForTimeout(1000);
  const by = (axis, step) =>
    page.evaluate(scrolled, [SCROLL_MS, table.row, axis, step]);
  return {
    paint,
    scroll: await by('scrollTop', STEP),
    aside: await by('scrollLeft', ASIDE)
  };
}

/** Seconds from a change of a job, as the server dates it, until its row shows it. */
async function seen() {
  const { commands, serviceManager } = window.jupyterapp;
  const { baseUrl } = serviceManager.serverSettings;
  const token = /_xsrf=([^;]*)/.exec(document.cookie)?.[1] ?? '';
  const call = async (operation, request) => {
    const response = await fetch(
      `${baseUrl}studio/api/aws/sagemaker/${operation}`,
      {
        method: 'POST',
        headers: { 'X-XSRFToken': token },
        body: JSON.stringify(request)
      }
    );
    if (!response.ok) {
      throw new Error(await response.text());
    }
    return response.json();
  };
  const shows = (name, status) =>
    new Promise(resolve => {
      const look = () => {
        const row = document.querySelector(`[data-studio-name="${name}"]`);
        if (row && (!status || row.dataset.studioStatus === status)) {
          requestAnimationFrame(() => resolve(Date.now() / 1000));
        } else {
          requestAnimationFrame(look);
        }
      };
      look();
    });
  await commands.execute('studio:open-jobs', {});
  const name = 'seen';
  const row = shows(name);
  await call('CreateTrainingJob', {
    TrainingJobName: name,
    AlgorithmSpecification: {
      TrainingImage: 'python:3.11',
      TrainingInputMode: 'File',
      ContainerEntrypoint: ['python3', '-c', 'import time; time.sleep(3)']
    },
    RoleArn: 'arn:aws:iam::000000000000:role/StudioExecutionRole',
    OutputDataConfig: { S3OutputPath: 's3://bench/out' },
    ResourceConfig: {
      InstanceType: 'ml.m5.large',
      InstanceCount: 1,
      VolumeSizeInGB: 1
    },
    StoppingCondition: { MaxRuntimeInSeconds: 60 }
  });
  const answered = Date.now() / 1000;
  const created = (await row) - answered;
  const at = await shows(name, 'Completed');
  const job = await call('DescribeTrainingJob', { TrainingJobName: name });
  return { created, completed: at - job.LastModifiedTime };
}
