import React from 'react';

import { asked } from '../components/ask';
import { Problem } from '../components/empty';
import { useLive, useStudio } from '../components/hooks';
import { Section } from '../components/parts';
import { confirmed } from '../core/confirm';
import { notifyError } from '../core/errors';
import { unique } from '../deploy/draft';
import { DAILY, expressionOf, ownZone } from '../schedules/times';
import type { studio } from '../wire';
import {
  type IAction,
  type ILimits,
  type IPolicy,
  placeOf,
  policyOf,
  register,
  requestOf
} from './scaling';
import { ActionFields, LimitFields, PolicyFields } from './scalingforms';
import { Actions, Activities, Counts, Policies } from './scalingtables';

const SERVICE = 'application-autoscaling';

/** How the variants of an endpoint scale by themselves, and what they did. */
export function Autoscaling(props: {
  endpoint: string;
  variants: { name: string; count: number }[];
}): React.JSX.Element {
  const studio = useStudio();
  const { client, trans } = studio;
  const { endpoint } = props;
  const { value, error, refresh } = useLive(
    signal =>
      client.call(
        'studio',
        'DescribeAutoscaling',
        { EndpointName: endpoint },
        signal
      ),
    event =>
      (event.type === 'resource' &&
        (event.Kind === 'scalable-target' || event.Kind === 'alarm')) ||
      (event.type === 'metrics' &&
        event.Kind === 'endpoint' &&
        event.Name === endpoint),
    [client, endpoint]
  );
  const known = value?.Variants ?? [];
  const left = props.variants.filter(
    each => !known.some(({ VariantName }) => VariantName === each.name)
  );
  const begin = async () => {
    const names = left.map(each => each.name);
    const wanted = await asked<ILimits>(studio, {
      title: trans.__('Let %1 scale by itself', endpoint),
      accept: trans.__('Next'),
      first: {
        variant: names[0],
        least: 1,
        most: Math.max(2, left[0].count),
        quick: true
      },
      fields: form => <LimitFields {...form} variants={names} />
    });
    if (!wanted) {
      return;
    }
    const policy = await asked<IPolicy>(studio, {
      title: trans.__('What %1 keeps to', wanted.variant),
      accept: trans.__('Begin'),
      first: first([]),
      fields: form => <PolicyFields {...form} fresh />
    });
    if (policy) {
      await tried(trans.__('Autoscaling was not set up'), async () => {
        await register(client, endpoint, wanted, false);
        await client.call(
          SERVICE,
          'PutScalingPolicy',
          requestOf(endpoint, wanted.variant, policy)
        );
      });
    }
  };
  if (!known.length && !left.length && !error) {
    return <></>; // serverless variants need none
  }
  return (
    <Section title={trans.__('Autoscaling')}>
      {!!error && !value && <Problem error={error} retry={refresh} />}
      {known.map(each => (
        <Variant key={each.VariantName} endpoint={endpoint} variant={each} />
      ))}
      {value && !known.length && (
        <p>
          {trans.__(
            'Off. A variant can get more instances when there is much to do, and fewer when there is little.'
          )}
        </p>
      )}
      {value && left.length > 0 && (
        <div className="jp-StudioRollout-actions">
          <button className="jp-StudioButton" onClick={() => void begin()}>
            {trans.__('Scale by itself…')}
          </button>
        </div>
      )}
    </Section>
  );
}

function Variant(props: {
  endpoint: string;
  variant: studio.ScaledVariant;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { variant } = props;
  const act = useActs(props.endpoint, variant);
  const held =
    variant.SuspendedIn && variant.SuspendedOut && variant.SuspendedSchedules;
  const name = variant.VariantName;
  return (
    <section className="jp-StudioScaling" aria-label={name}>
      <h3>{name}</h3>
      <p>
        {trans._n(
          '%1 instance',
          '%1 instances',
          variant.Capacity,
          variant.Capacity
        )}
        {', '}
        {trans.__(
          'from %1 to %2; looked at every %3 s.',
          variant.MinCapacity,
          variant.MaxCapacity,
          variant.PeriodSeconds
        )}{' '}
        {held
          ? trans.__('On hold: nothing changes until you resume it.')
          : suspended(variant, trans)}
      </p>
      <Policies
        policies={variant.Policies}
        onEdit={act.edit}
        onDelete={act.removePolicy}
      />
      <Actions actions={variant.Actions} onDelete={act.removeAction} />
      <div className="jp-StudioRollout-actions">
        {[
          { label: trans.__('Limits…'), run: act.limit },
          { label: trans.__('Add policy…'), run: act.add },
          { label: trans.__('Add schedule…'), run: act.schedule },
          {
            label: held ? trans.__('Resume') : trans.__('Hold'),
            run: () => act.hold(!held)
          },
          { label: trans.__('Turn off…'), run: act.end }
        ].map(({ label, run }) => (
          <button
            key={label}
            className="jp-StudioButton"
            aria-label={trans.__('%1 (%2)', label, name)}
            onClick={() => void run()}
          >
            {label}
          </button>
        ))}
      </div>
      <Counts variant={variant} />
      <Activities activities={variant.Activities} />
    </section>
  );
}

/** What can be done with a variant that scales by itself. */
function useActs(endpoint: string, variant: studio.ScaledVariant) {
  const app = useStudio();
  const { client, trans } = app;
  const name = variant.VariantName;
  const place = placeOf(endpoint, name);
  const put = async (title: string, policy: IPolicy, fresh: boolean) => {
    const wanted = await asked<IPolicy>(app, {
      title,
      accept: fresh ? trans.__('Add') : trans.__('Change'),
      first: policy,
      fields: form => <PolicyFields {...form} fresh={fresh} />
    });
    if (wanted) {
      await tried(trans.__('The policy was not stored'), () =>
        client.call(
          SERVICE,
          'PutScalingPolicy',
          requestOf(endpoint, name, wanted)
        )
      );
    }
  };
  const sure = async (
    question: string,
    detail: string,
    verb: string,
    act: () => Promise<unknown>
  ) => {
    if (await confirmed(question, detail, verb)) {
      await tried(trans.__('It was not done'), act);
    }
  };
  return {
    limit: async () => {
      const quick = variant.PeriodSeconds < 60;
      const wanted = await asked<ILimits>(app, {
        title: trans.__('Instances of %1', name),
        accept: trans.__('Set'),
        first: {
          variant: name,
          least: variant.MinCapacity,
          most: variant.MaxCapacity,
          quick
        },
        fields: form => <LimitFields {...form} variants={[name]} />
      });
      if (wanted) {
        await tried(trans.__('The limits were not set'), () =>
          register(client, endpoint, wanted, quick)
        );
      }
    },
    add: () =>
      put(
        trans.__('Add a policy to %1', name),
        first(variant.Policies.map(each => each.PolicyName)),
        true
      ),
    edit: (policy: studio.ScalingPolicyState) =>
      void put(
        trans.__('Change %1', policy.PolicyName),
        policyOf(policy),
        false
      ),
    removePolicy: (policy: string) =>
      void sure(
        trans.__('Delete the policy %1?', policy),
        trans.__('Its alarms go with it. The number of instances stays.'),
        trans.__('Delete'),
        () =>
          client.call(SERVICE, 'DeleteScalingPolicy', {
            ...place,
            PolicyName: policy
          })
      ),
    schedule: () => schedule(app, endpoint, variant),
    removeAction: (action: string) =>
      void sure(
        trans.__('Delete the scheduled action %1?', action),
        trans.__('The limits that it has set stay.'),
        trans.__('Delete'),
        () =>
          client.call(SERVICE, 'DeleteScheduledAction', {
            ...place,
            ScheduledActionName: action
          })
      ),
    hold: (held: boolean) =>
      tried(trans.__('It was not done'), () =>
        client.call(SERVICE, 'RegisterScalableTarget', {
          ...place,
          SuspendedState: {
            DynamicScalingInSuspended: held,
            DynamicScalingOutSuspended: held,
            ScheduledScalingSuspended: held
          }
        })
      ),
    end: () =>
      sure(
        trans.__('Turn autoscaling of %1 off?', name),
        trans.__(
          'Its policies, their alarms, its schedules and its history go. The number of instances stays.'
        ),
        trans.__('Turn off'),
        () => client.call(SERVICE, 'DeregisterScalableTarget', place)
      )
  };
}

async function schedule(
  app: ReturnType<typeof useStudio>,
  endpoint: string,
  variant: studio.ScaledVariant
): Promise<void> {
  const { client, trans } = app;
  const wanted = await asked<IAction>(app, {
    title: trans.__('Other limits of %1 by the clock', variant.VariantName),
    accept: trans.__('Add'),
    first: {
      name: unique(
        'limits',
        variant.Actions.map(each => each.ScheduledActionName)
      ),
      expression: expressionOf(DAILY),
      timezone: ownZone(),
      least: variant.MinCapacity,
      most: variant.MaxCapacity
    },
    fields: ActionFields
  });
  if (wanted) {
    await tried(trans.__('The scheduled action was not stored'), () =>
      client.call(SERVICE, 'PutScheduledAction', {
        ...placeOf(endpoint, variant.VariantName),
        ScheduledActionName: wanted.name,
        Schedule: wanted.expression,
        Timezone: wanted.timezone,
        ScalableTargetAction: {
          MinCapacity: wanted.least,
          MaxCapacity: wanted.most
        }
      })
    );
  }
}

/** A new policy, with a name that is free. */
function first(taken: string[]): IPolicy {
  return {
    name: unique('requests', taken),
    tracked: 'requests',
    target: 60,
    outSeconds: 60,
    inSeconds: 300,
    growsOnly: false
  };
}

function suspended(
  variant: studio.ScaledVariant,
  trans: ReturnType<typeof useStudio>['trans']
): string {
  const parts = [
    variant.SuspendedOut && trans.__('more instances'),
    variant.SuspendedIn && trans.__('fewer instances'),
    variant.SuspendedSchedules && trans.__('schedules')
  ].filter(Boolean);
  return parts.length ? trans.__('On hold: %1.', parts.join(', ')) : '';
}

async function tried(
  failed: string,
  act: () => Promise<unknown>
): Promise<void> {
  try {
    await act();
  } catch (error) {
    notifyError(failed, error);
  }
}
