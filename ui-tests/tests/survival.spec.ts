import { expect, link, open, openLab, test } from '../bed';

const ROLE = 'arn:aws:iam::000000000000:role/StudioExecutionRole';
// A change is seen within a second (a benchmark measures it); here the machine may be busy.
const SOON = { timeout: 20_000 };

test.describe.configure({ mode: 'serial' });

test.beforeAll(async ({ bed }) => {
  await bed.put('models', 'model.tar.gz', 'never looked into');
});

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
    await expect(page.getByRole('row', { name: /shared/ })).toBeVisible(SOON);
  }
  await ann.getByRole('row', { name: /shared/ }).click();
  await ann.getByRole('button', { name: 'Delete' }).click();
  await ann.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(bob.getByRole('row', { name: /shared/ })).toHaveCount(0, SOON);
  await Promise.all(contexts.map(context => context.close()));
});

test('the control plane dies under an open page', async ({ bed, page }) => {
  await bed.call('CreateModel', model('before'));
  await open(page, 'open-models');
  await expect(page.getByRole('row', { name: /before/ })).toBeVisible();
  bed.killStudio();
  // Nobody did anything: the page's own event stream has it started again.
  await expect.poll(async () => (await bed.status()).ready, SOON).toBeTruthy();
  await expect(page.getByRole('row', { name: /before/ })).toBeVisible();
  await bed.call('CreateModel', model('after'));
  await expect(page.getByRole('row', { name: /after/ })).toBeVisible(SOON);
});
