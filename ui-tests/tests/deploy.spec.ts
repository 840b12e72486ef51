import { expect, open, stored, test } from '../bed';

test('a server that does not start is told of, and cleaned up behind', async ({
  bed,
  page
}) => {
  const view = page.locator('.jp-StudioView:visible');
  await bed.put('artifacts', 'broken/model.tar.gz', 'this is no archive');
  await open(page, 'deploy', { data: 's3://artifacts/broken/model.tar.gz' });
  const deploy = view.getByRole('button', { name: 'Deploy', exact: true });
  await expect(deploy).toBeDisabled();
  await expect(
    view.getByText('Model: Say which image serves it.')
  ).toBeVisible();
  await view
    .getByRole('combobox', { name: 'Image' })
    .selectOption('XGBoost (sagemaker-xgboost 3.0-5)');
  await deploy.click();
  await expect(view.getByRole('alert')).toContainText(
    'model archive unreadable'
  );
  await expect(view.getByRole('listitem').first()).toContainText('failed');
  await stored(bed, '"begun"');
  await page.reload();
  await expect(view.getByRole('alert')).toContainText('could not be made');
  await view.getByRole('button', { name: 'Remove it and try again…' }).click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: 'Remove', exact: true })
    .click();
  await expect(
    view.getByRole('heading', { name: 'Deploy a model' })
  ).toBeVisible();
  await expect
    .poll(async () => (await bed.call('ListEndpoints')).Endpoints)
    .toEqual([]);
  expect((await bed.call('ListModels')).Models).toEqual([]);
  expect((await bed.call('ListEndpointConfigs')).EndpointConfigs).toEqual([]);
});
