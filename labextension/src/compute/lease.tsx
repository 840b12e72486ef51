import React from 'react';

import { asked } from '../components/ask';
import { Field } from '../components/form';
import { useLive, useStudio } from '../components/hooks';
import { confirmed } from '../core/confirm';
import { forEach } from '../core/each';
import { notifyError } from '../core/errors';
import type { IStudio } from '../tokens';
import type { studio } from '../wire';

const MINUTE = 60;

/** Ask what a notebook needs, then lease it. */
export async function newLease(app: IStudio): Promise<void> {
  const { client, trans } = app;
  const request = await asked<studio.CreateLeaseRequest>(app, {
    title: trans.__('Reserve for a notebook'),
    accept: trans.__('Reserve'),
    first: {
      LeaseName: 'notebook',
      InstanceType: 'local_gpu',
      IdleTimeoutInSeconds: 30 * MINUTE
    },
    fields: Fields
  });
  if (request) {
    try {
      await client.call('studio', 'CreateLease', request);
    } catch (error) {
      notifyError(trans.__('Nothing was reserved'), error);
    }
  }
}

/** Ask, then give back what notebooks hold. */
export async function releaseLeases(
  { client, trans }: IStudio,
  names: string[]
): Promise<void> {
  const sure = await confirmed(
    trans._n('Release this lease?', 'Release %1 leases?', names.length),
    trans.__(
      'What the notebook holds goes to the next who waits. A program that still uses a GPU is not ended.'
    ),
    trans.__('Release'),
    names
  );
  if (sure) {
    await forEach(
      names,
      name => client.call('studio', 'ReleaseLease', { LeaseName: name }),
      trans.__('Not released')
    );
  }
}

function Fields(props: {
  value: studio.CreateLeaseRequest;
  onChange: (request: studio.CreateLeaseRequest) => void;
}): React.JSX.Element {
  const { client, trans } = useStudio();
  const { value: request, onChange } = props;
  const { value: known } = useLive(
    signal => client.call('studio', 'DescribeInstanceTypes', {}, signal),
    () => false,
    [client]
  );
  const types = known?.InstanceTypes ?? [];
  const set = (changes: Partial<studio.CreateLeaseRequest>) =>
    onChange({ ...request, ...changes });
  return (
    <>
      <Field
        label={trans.__('Name')}
        help={trans.__('Letters, digits and hyphens.')}
      >
        {ids => (
          <input
            {...ids}
            type="text"
            value={request.LeaseName}
            onChange={event => set({ LeaseName: event.target.value })}
          />
        )}
      </Field>
      <Field
        label={trans.__('How much')}
        help={trans.__('It waits for its turn, as jobs do.')}
      >
        {ids => (
          <select
            {...ids}
            value={request.InstanceType}
            onChange={event => set({ InstanceType: event.target.value })}
          >
            {!types.some(each => each.InstanceType === 'local_gpu') && (
              <option value="local_gpu">
                {trans.__('local_gpu: all that there is')}
              </option>
            )}
            {types.map(each => (
              <option key={each.InstanceType} value={each.InstanceType}>
                {trans.__(
                  '%1: %2 CPUs, %3 GPUs',
                  each.InstanceType,
                  each.Cpus,
                  each.Gpus
                )}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field
        label={trans.__('Ends when idle for (minutes)')}
        help={trans.__('Whoever uses it keeps it.')}
      >
        {ids => (
          <input
            {...ids}
            type="number"
            min={1}
            max={10080}
            value={Math.round((request.IdleTimeoutInSeconds ?? 0) / MINUTE)}
            onChange={event =>
              set({ IdleTimeoutInSeconds: MINUTE * Number(event.target.value) })
            }
          />
        )}
      </Field>
    </>
  );
}
