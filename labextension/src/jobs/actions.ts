import { Notification } from '@jupyterlab/apputils';

import { confirmed } from '../core/confirm';
import { told } from '../core/errors';
import type { IStudio } from '../tokens';

const AT_ONCE = 4;
const MOST_TOLD = 3;

/** Ask, then stop the jobs. */
export async function stopJobs(
  studio: IStudio,
  names: string[]
): Promise<void> {
  const { client, trans } = studio;
  const count = names.length;
  const sure = await confirmed(
    trans._n('Stop this training job?', 'Stop %1 training jobs?', count),
    trans.__('What they have made until then is kept.'),
    trans.__('Stop'),
    names
  );
  if (sure) {
    await forEach(
      names,
      name =>
        client.call('sagemaker', 'StopTrainingJob', { TrainingJobName: name }),
      trans.__('Not stopped')
    );
  }
}

/** Ask, then delete the jobs. */
export async function deleteJobs(
  studio: IStudio,
  names: string[]
): Promise<void> {
  const { client, trans } = studio;
  const count = names.length;
  const sure = await confirmed(
    trans._n('Delete this training job?', 'Delete %1 training jobs?', count),
    trans.__(
      'Their records cannot be brought back. What they wrote to S3 is kept. A job that runs has to be stopped first.'
    ),
    trans.__('Delete'),
    names
  );
  if (sure) {
    await forEach(
      names,
      name =>
        client.call('sagemaker', 'DeleteTrainingJob', {
          TrainingJobName: name
        }),
      trans.__('Not deleted')
    );
  }
}

/** Do it to each, a few at a time; those that failed are told together. */
async function forEach(
  names: string[],
  act: (name: string) => Promise<unknown>,
  failed: string
): Promise<void> {
  const left = [...names];
  const errors: string[] = [];
  const worker = async () => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      try {
        await act(name);
      } catch (error) {
        errors.push(`${name}: ${told(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  if (errors.length) {
    const rest = errors.length - MOST_TOLD;
    const texts = errors.slice(0, MOST_TOLD);
    Notification.error(
      `${failed}: ${texts.join(' ')}${rest > 0 ? ` +${rest}` : ''}`,
      { autoClose: false }
    );
  }
}
