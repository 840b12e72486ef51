import React from 'react';

import { askedOf, askedOfProcessing } from '../codegen';
import { asked } from '../components/ask';
import { Field } from '../components/form';
import { useStudio } from '../components/hooks';
import type { Client } from '../core/client';
import { notifyError } from '../core/errors';
import { PROCESSING } from '../jobs/kinds';
import { CommandIDs, type IStudio } from '../tokens';
import type { scheduler } from '../wire';
import { LONGEST_NAME, repeated, targetOf } from './target';
import { DAILY, expressionOf, ownZone } from './times';
import { type ITimes, Preview, Repeats } from './when';

interface IPlan extends ITimes {
  name: string;
}

// The time at the end of a name that a form or an SDK made up.
const STAMP = /-\d{4}(-\d\d){5}(-\d{3})?$/;

/** Ask when a job is to be made again, and again; then make the schedule, and show it. */
export async function scheduleJob(
  app: IStudio,
  kind: string,
  name: string
): Promise<void> {
  const { client, commands, trans } = app;
  const plan = await asked<IPlan>(app, {
    title: trans.__('Schedule %1', name),
    accept: trans.__('Schedule'),
    first: {
      name: name.replace(STAMP, '').slice(0, LONGEST_NAME).replace(/-+$/, ''),
      expression: expressionOf(DAILY),
      timezone: ownZone()
    },
    fields: Fields
  });
  if (!plan) {
    return;
  }
  try {
    const target = await targetLike(client, kind, name, plan.name);
    await client.call('scheduler', 'CreateSchedule', {
      Name: plan.name,
      Description: trans.__('Repeats %1', name),
      ScheduleExpression: plan.expression,
      ScheduleExpressionTimezone: plan.timezone,
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: target
    });
  } catch (error) {
    notifyError(trans.__('%1 was not scheduled', name), error);
    return;
  }
  await commands.execute(CommandIDs.openSchedules, { selected: plan.name });
}

async function targetLike(
  client: Client,
  kind: string,
  name: string,
  schedule: string
): Promise<scheduler.Target> {
  if (kind === PROCESSING.kind) {
    const job = await client.call('sagemaker', 'DescribeProcessingJob', {
      ProcessingJobName: name
    });
    const request = await askedOfProcessing(client, job);
    return targetOf(
      'CreateProcessingJob',
      repeated(request, 'ProcessingJobName', schedule)
    );
  }
  const job = await client.call('sagemaker', 'DescribeTrainingJob', {
    TrainingJobName: name
  });
  const request = await askedOf(client, job);
  return targetOf(
    'CreateTrainingJob',
    repeated(request, 'TrainingJobName', schedule)
  );
}

function Fields(props: {
  value: IPlan;
  onChange: (plan: IPlan) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { value, onChange } = props;
  return (
    <>
      <Field
        label={trans.__('Name')}
        help={trans.__(
          'Letters, digits and hyphens, %1 at most; each job that it starts gets an ending of its own.',
          LONGEST_NAME
        )}
      >
        {ids => (
          <input
            {...ids}
            type="text"
            spellCheck={false}
            maxLength={LONGEST_NAME}
            value={value.name}
            onChange={event => onChange({ ...value, name: event.target.value })}
          />
        )}
      </Field>
      <Repeats
        times={value}
        onChange={times => onChange({ ...value, ...times })}
      />
      <Preview times={value} />
    </>
  );
}
