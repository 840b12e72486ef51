import type { Page } from '@playwright/test';

import { expect, open, run, test, type Bed } from '../bed';

const ROLE = 'arn:aws:iam::000000000000:role/StudioExecutionRole';
const QUICK = ['python3', '-c', 'print("done")'];
const LONG = ['python3', '-c', 'import time; time.sleep(600)'];

function training(name: string, command: string[]): object {
  return {
    TrainingJobName: name,
    RoleArn: ROLE,
    AlgorithmSpecification: {
      TrainingImage: 'python:latest',
      TrainingInputMode: 'File',
      ContainerEntrypoint: command
    },
    OutputDataConfig: { S3OutputPath: 's3://machine/out' },
    // All CPUs: there is room for one.
    ResourceConfig: {
      InstanceType: 'local',
      InstanceCount: 1,
      VolumeSizeInGB: 1
    },
    StoppingCondition: { MaxRuntimeInSeconds: 600 }
  };
}

function processing(name: string): object {
  return {
    ProcessingJobName: name,
    RoleArn: ROLE,
    AppSpecification: {
      ImageUri: 'python:latest',
      ContainerEntrypoint: QUICK
    },
    ProcessingResources: {
      ClusterConfig: {
        InstanceType: 'ml.m5.large',
        InstanceCount: 1,
        VolumeSizeInGB: 1
      }
    }
  };
}

/** A job that has all CPUs, and two that wait for them. */
async function crowd(bed: Bed): Promise<void> {
  await bed.put('machine', 'README', '');
  await bed.call('CreateTrainingJob', training('busy', LONG));
  await expect.poll(() => rows(bed, 'Running')).toContain('busy');
  for (const name of ['first', 'second']) {
    await bed.call('CreateTrainingJob', training(name, QUICK));
  }
  await expect.poll(() => rows(bed, 'Waiting')).toEqual(['first', 'second']);
}

/** The names of those who run or wait, in order. */
async function rows(bed: Bed, which: 'Running' | 'Waiting'): Promise<string[]> {
  const found = await bed.call('ListQueue', {}, 'studio');
  return (found[which] as { Name: string }[]).map(each => each.Name);
}

/** The page that is looked at, opened by its command. */
async function shown(page: Page, command: string, args: object = {}) {
  await run(page, 'application:close-all');
  await open(page, command, args);
  return page.locator('.jp-StudioView:visible');
}

test('the machine: whose turn it is, leases, jobs by the clock, images', async ({
  bed,
  page
}) => {
  await bed.call('CreateProcessingJob', processing('clean'));
  await expect
    .poll(async () => {
      const found = await bed.call('DescribeProcessingJob', {
        ProcessingJobName: 'clean'
      });
      return found.ProcessingJobStatus;
    })
    .toBe('Completed');
  await crowd(bed);

  await test.step('priorities', async () => {
    const view = await shown(page, 'open-compute');
    const queue = view.getByRole('grid', { name: 'Queue' });
    await expect(queue.getByText(/Waits for/).first()).toBeVisible();
    await queue
      .getByRole('button', { name: 'Raise the priority of second' })
      .click();
    await expect.poll(() => rows(bed, 'Waiting')).toEqual(['second', 'first']);
  });

  await test.step('a lease waits, and is given back', async () => {
    const view = page.locator('.jp-StudioView:visible');
    await view.getByRole('button', { name: /Reserve/ }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('explore');
    await dialog.getByLabel('How much').selectOption('ml.m5.large');
    await dialog.getByRole('button', { name: 'Reserve' }).click();
    const card = view.getByRole('listitem').filter({ hasText: 'explore' });
    await expect(card).toContainText('Waiting for its turn');
    await card.getByRole('button', { name: 'Release…' }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: 'Release' })
      .click();
    await expect(card).toHaveCount(0);
  });

  await test.step('who waits is stopped, when asked', async () => {
    const view = page.locator('.jp-StudioView:visible');
    const queue = view.getByRole('grid', { name: 'Queue' });
    await queue.focus();
    await page.keyboard.press('Home');
    await page.keyboard.press('Space');
    await page.keyboard.press('Delete');
    const dialog = page.getByRole('dialog');
    await expect(dialog).toContainText('second');
    await dialog.getByRole('button', { name: 'Stop' }).click();
    await expect.poll(() => rows(bed, 'Waiting')).toEqual(['first']);
  });
  await bed.call('StopTrainingJob', { TrainingJobName: 'busy' });

  await test.step('a processing job by the clock, and now', async () => {
    let view = await shown(page, 'open-processing-job', { name: 'clean' });
    await view.getByRole('button', { name: 'Schedule…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('weekly');
    await dialog.getByLabel('Repeats').selectOption('weekly');
    await expect(dialog.getByRole('listitem')).toHaveCount(5);
    await dialog.getByRole('button', { name: 'Schedule' }).click();
    view = page.locator('.jp-StudioView:visible');
    const detail = view.getByRole('complementary', { name: 'Schedule weekly' });
    await expect(detail).toContainText('Active');
    await detail.getByRole('button', { name: 'Run now' }).click();
    await detail.getByRole('button', { name: 'Started' }).click();
    await expect(
      page.locator('.jp-StudioView:visible').getByText('Completed').first()
    ).toBeVisible();
  });

  await test.step('a schedule is paused and deleted', async () => {
    const view = await shown(page, 'open-schedules', { selected: 'weekly' });
    const detail = view.getByRole('complementary', { name: 'Schedule weekly' });
    await detail.getByRole('button', { name: 'Pause' }).click();
    await expect(detail).toContainText('Paused');
    await detail.getByRole('button', { name: 'Delete…' }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: 'Delete' })
      .click();
    await expect(detail).toHaveCount(0);
  });

  await test.step('images are found', async () => {
    const view = await shown(page, 'open-images');
    await view.getByRole('searchbox').fill('xgboost');
    await expect(view.getByText('algorithm:xgboost').first()).toBeVisible();
    await expect(view.getByText('algorithm:kmeans')).toHaveCount(0);
    // Somebody else edits the table: the page is told.
    const Rows = [{ Pattern: 'xgboost-of-ours', Target: 'script:xgboost' }];
    await bed.call('UpdateImageRows', { Rows }, 'studio');
    await expect(view.getByText('xgboost-of-ours')).toBeVisible();
  });
});
