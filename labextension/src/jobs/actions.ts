import { confirmed } from '../core/confirm';
import { forEach } from '../core/each';
import type { IStudio } from '../tokens';
import { type IJobKind, PROCESSING, TRANSFORM } from './kinds';

/** Ask, then stop the jobs. */
export async function stopJobs(
  studio: IStudio,
  kind: IJobKind,
  names: string[]
): Promise<void> {
  const { client, trans } = studio;
  const count = names.length;
  const sure = await confirmed(
    kind === TRANSFORM
      ? trans._n('Stop this transform job?', 'Stop %1 transform jobs?', count)
      : kind === PROCESSING
        ? trans._n(
            'Stop this processing job?',
            'Stop %1 processing jobs?',
            count
          )
        : trans._n('Stop this training job?', 'Stop %1 training jobs?', count),
    trans.__('What they have made until then is kept.'),
    trans.__('Stop'),
    names
  );
  if (sure) {
    await forEach(
      names,
      name => kind.stop(client, name),
      trans.__('Not stopped')
    );
  }
}

/** Ask, then delete the jobs. */
export async function deleteJobs(
  studio: IStudio,
  kind: IJobKind,
  names: string[]
): Promise<void> {
  const { client, trans } = studio;
  const { remove } = kind;
  if (!remove) {
    return;
  }
  const count = names.length;
  const sure = await confirmed(
    kind === PROCESSING
      ? trans._n(
          'Delete this processing job?',
          'Delete %1 processing jobs?',
          count
        )
      : trans._n(
          'Delete this training job?',
          'Delete %1 training jobs?',
          count
        ),
    trans.__(
      'Their records cannot be brought back. What they wrote to S3 is kept. A job that runs has to be stopped first.'
    ),
    trans.__('Delete'),
    names
  );
  if (sure) {
    await forEach(names, name => remove(client, name), trans.__('Not deleted'));
  }
}
