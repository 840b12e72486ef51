import { confirmed } from '../core/confirm';
import { forEach } from '../core/each';
import { notifyError } from '../core/errors';
import type { IStudio } from '../tokens';
import type { scheduler, studio } from '../wire';

/** A schedule as it is, for a request that changes some of it: UpdateSchedule wants all. */
export function kept(
  schedule: studio.ScheduleState
): scheduler.UpdateScheduleInput {
  const { Name, ScheduleExpression, ScheduleExpressionTimezone } = schedule;
  const { StartDate, EndDate, Description, State, Target } = schedule;
  const { ActionAfterCompletion, FlexibleTimeWindow, KmsKeyArn } = schedule;
  return {
    Name,
    ScheduleExpression,
    ScheduleExpressionTimezone,
    StartDate,
    EndDate,
    Description,
    State,
    ActionAfterCompletion,
    Target,
    FlexibleTimeWindow,
    KmsKeyArn
  };
}

/** Pause schedules, or let them go on. */
export async function setEnabled(
  app: IStudio,
  names: string[],
  enabled: boolean
): Promise<void> {
  const { client, trans } = app;
  await forEach(
    names,
    async name => {
      const { Schedules } = await client.call('studio', 'DescribeSchedules', {
        Names: [name]
      });
      if (Schedules.length) {
        const State = enabled ? 'ENABLED' : 'DISABLED';
        const request = { ...kept(Schedules[0]), State };
        await client.call('scheduler', 'UpdateSchedule', request);
      }
    },
    trans.__('Not changed')
  );
}

/** Start what a schedule starts, now. */
export async function runNow(app: IStudio, name: string): Promise<void> {
  try {
    await app.client.call('studio', 'RunSchedule', { Name: name });
  } catch (error) {
    notifyError(app.trans.__('%1 was not started', name), error);
  }
}

/** Ask, then delete schedules. */
export async function deleteSchedules(
  app: IStudio,
  names: string[]
): Promise<void> {
  const { client, trans } = app;
  const sure = await confirmed(
    trans._n('Delete this schedule?', 'Delete %1 schedules?', names.length),
    trans.__(
      'It starts nothing any more. The jobs that it started, and what they wrote, are kept.'
    ),
    trans.__('Delete'),
    names
  );
  if (sure) {
    await forEach(
      names,
      name => client.call('scheduler', 'DeleteSchedule', { Name: name }),
      trans.__('Not deleted')
    );
  }
}
