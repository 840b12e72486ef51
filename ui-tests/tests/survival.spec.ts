import { expect, link, open, openLab, stored, test } from '../bed';

const ROLE = 'arn:aws:iam::000000000000:role/StudioExecutionRole';

test.describe.configure({ mode: 'serial' });

test.beforeAll(async ({ bed }) => {
  await bed.put('models', 'model.tar.gz', 'never looked into');
});

/** Prints steps until an object says that it may end. */
const COUNTING = `
import itertools, time
import boto3
s3 = boto3.client("s3")
for step in itertools.count():
    print("step", step, flush=True)
    if s3.list_objects_v2(Bucket="jobs", Prefix="go").get("KeyCount"):
        break
    time.sleep(0.3)
print("the end", flush=True)
`;

const COUNTS = {
  TrainingJobName: 'counts',
  AlgorithmSpecification: {
    TrainingImage: 'python:3.11',
    TrainingInputMode: 'File',
    ContainerEntrypoint: ['python3', '/opt/ml/input/data/code/main.py']
  },
  InputDataConfig: [
    {
      ChannelName: 'code',
      DataSource: {
        S3DataSource: { S3DataType: 'S3Prefix', S3Uri: 's3://jobs/code/' }
      }
    }
  ],
  RoleArn: ROLE,
  OutputDataConfig: { S3OutputPath: 's3://jobs/output' },
  ResourceConfig: {
    InstanceType: 'ml.m5.large',
    InstanceCount: 1,
    VolumeSizeInGB: 1
  },
  StoppingCondition: { MaxRuntimeInSeconds: 600 }
};

function model(name: string) {
  return {
    ModelName: name,
    ExecutionRoleArn: ROLE,
    PrimaryContainer: {
      Image: 'linear-learner',
      ModelDataUrl: 's3://models/model.tar.gz'
    }
  };
}

test('what one browser does, the other shows', async ({ bed, browser }) => {
  const contexts = await Promise.all([
    browser.newContext(),
    browser.newContext()
  ]);
  const [ann, bob] = await Promise.all(
    contexts.map(context => openLab(bed, context, link('open-models')))
  );
  await bed.call('CreateModel', model('shared'));
  for (const page of [ann, bob]) {
    await expect(page.getByRole('row', { name: /shared/ })).toBeVisible();
  }
  await ann.getByRole('row', { name: /shared/ }).click();
  await ann.getByRole('button', { name: 'Delete' }).click();
  await ann.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(bob.getByRole('row', { name: /shared/ })).toHaveCount(0);
  await Promise.all(contexts.map(context => context.close()));
});

test('the control plane dies under an open page', async ({ bed, page }) => {
  await bed.call('CreateModel', model('before'));
  await open(page, 'open-models');
  await expect(page.getByRole('row', { name: /before/ })).toBeVisible();
  bed.killStudio();
  // Nobody did anything: the page's own event stream has it started again.
  await expect.poll(async () => (await bed.status()).ready).toBeTruthy();
  await expect(page.getByRole('row', { name: /before/ })).toBeVisible();
  await bed.call('CreateModel', model('after'));
  await expect(page.getByRole('row', { name: /after/ })).toBeVisible();
});

test('Jupyter starts again while a job trains', async ({ bed, page }) => {
  await bed.put('jobs', 'code/main.py', COUNTING);
  await bed.call('CreateTrainingJob', COUNTS);
  await page.getByRole('tab', { name: /^Studio/ }).click();
  const banner = page
    .getByRole('region', { name: 'Studio', exact: true })
    .getByText(/^Studio does not answer/);
  await open(page, 'open-job', { name: 'counts' });
  const log = page.getByRole('log').first();
  await expect(log).toContainText(/step \d/);
  await bed.stop();
  await expect(banner).toBeVisible();
  await expect(log).toContainText(/step \d/); // what was there stays
  await bed.start();
  await bed.put('jobs', 'go', 'now');
  await expect(log).toContainText('the end');
  await expect(page.getByText(/^Completed/).first()).toBeVisible();
  await expect(banner).toBeHidden();
});

test('a reload and a link bring all of it back', async ({
  bed,
  browser,
  page
}) => {
  await open(page, 'open-jobs', {});
  const view = page.locator('.jp-StudioView:visible');
  await view.getByRole('searchbox').fill('coun');
  await view
    .getByRole('columnheader', { name: /^Name/ })
    .getByRole('button')
    .first()
    .click();
  await open(page, 'open-models', {});
  await expect(view.getByRole('row', { name: /before/ })).toBeVisible();
  await view.getByRole('searchbox').fill('after');
  await expect(view.getByRole('row', { name: /before/ })).toHaveCount(0);
  await stored(bed, '"after"');
  await page.reload({ waitForIsReady: false });
  await expect(view.getByRole('searchbox')).toHaveValue('after');
  await expect(view.getByRole('row', { name: /after/ })).toBeVisible();
  await page.getByRole('tab', { name: 'Training jobs' }).click();
  await expect(view.getByRole('searchbox')).toHaveValue('coun');
  const sorted = view.locator('[role=columnheader][aria-sort]').first();
  await expect(sorted).toContainText('Name');

  const context = await browser.newContext();
  const linked = await openLab(
    bed,
    context,
    link('open-jobs', { text: 'nothing-like-it' })
  );
  await expect(
    linked.locator('.jp-StudioView:visible').getByRole('searchbox')
  ).toHaveValue('nothing-like-it');
  await context.close();
});
