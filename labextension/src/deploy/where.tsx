import React from 'react';

import { Field } from '../components/form';
import { useLive, useStudio } from '../components/hooks';
import { Section } from '../components/parts';
import { Choice } from './choice';
import { AsynchronousFields } from './asynchronous';
import { DEFAULT_TYPE, type IBefore, type IDraft, type IKnown } from './draft';
import { ServerlessFields } from './serverless';
import type { IStepProps } from './wizard';

const TYPES = [
  'ml.t2.medium',
  'ml.m5.large',
  'ml.m5.xlarge',
  'ml.m5.2xlarge',
  'ml.c5.xlarge',
  'ml.c5.2xlarge',
  'ml.r5.large',
  'ml.g4dn.xlarge',
  'ml.g5.xlarge'
];

type Servers = 'instances' | 'serverless' | 'asynchronous';

/** What is chosen of these; an update does not change that an endpoint answers to S3. */
function servers(draft: IDraft, before: IBefore): Servers {
  return draft.serverless
    ? 'serverless'
    : draft.asynchronous || (draft.target && before.asynchronous)
      ? 'asynchronous'
      : 'instances';
}

/** Second step: instances or a serverless size, beside what the machine has. */
export function WhereStep(
  props: IStepProps & { known: IKnown; before: IBefore }
): React.JSX.Element {
  const { trans } = useStudio();
  const { draft, change, before } = props;
  const chosen = servers(draft, before);
  return (
    <Section title={trans.__('Where it runs')}>
      <Choice
        label={trans.__('Servers')}
        value={chosen}
        choices={{
          instances: trans.__('Instances: servers are always there'),
          serverless: trans.__(
            'Serverless: servers come with the requests, and go when there are none'
          ),
          asynchronous: trans.__(
            'Instances that answer to S3: for large inputs and slow answers, which wait their turn'
          )
        }}
        onChange={next =>
          change({
            serverless: next === 'serverless' ? {} : undefined,
            asynchronous: next === 'asynchronous' ? {} : undefined
          })
        }
      />
      {props.problem('asynchronous') && (
        <p className="jp-StudioOutcome jp-mod-bad" role="alert">
          {props.problem('asynchronous')}
        </p>
      )}
      {draft.serverless ? (
        <ServerlessFields {...props} />
      ) : (
        <InstanceFields {...props} />
      )}
      {chosen === 'asynchronous' && !draft.target && (
        <AsynchronousFields {...props} />
      )}
      {draft.target && before.asynchronous && (
        <p className="jp-StudioConsole-hint">
          {trans.__(
            'Answers go on to %1.',
            before.asynchronous.OutputConfig.S3OutputPath ?? ''
          )}
        </p>
      )}
      <Capacity />
    </Section>
  );
}

function InstanceFields(props: IStepProps): React.JSX.Element {
  const { trans } = useStudio();
  const { draft, change, problem } = props;
  const list = React.useId();
  return (
    <>
      <Field
        label={trans.__('Instance type')}
        help={trans.__(
          'Kept for the day when this goes to AWS; here every model server shares the machine.'
        )}
        error={problem('instanceType')}
      >
        {ids => (
          <>
            <input
              {...ids}
              list={list}
              value={draft.instanceType ?? DEFAULT_TYPE}
              onChange={event => change({ instanceType: event.target.value })}
            />
            <datalist id={list}>
              {TYPES.map(type => (
                <option key={type} value={type} />
              ))}
            </datalist>
          </>
        )}
      </Field>
      <Field
        label={trans.__('Instances')}
        help={trans.__('Model servers that share the requests')}
        error={problem('count')}
      >
        {ids => (
          <input
            {...ids}
            type="number"
            min={1}
            max={100}
            value={draft.count ?? 1}
            onChange={event =>
              change({ count: Math.round(+event.target.value || 0) })
            }
          />
        )}
      </Field>
    </>
  );
}

/** What the machine has and what is taken, live. */
function Capacity(): React.JSX.Element | null {
  const { client, trans } = useStudio();
  const { value } = useLive(
    signal => client.call('studio', 'DescribeCapacity', {}, signal),
    event => event.type === 'capacity',
    [client]
  );
  if (!value) {
    return null;
  }
  const { Cpus: cpus, Gpus: gpus, Memory: memory } = value;
  const gigabytes = (megabytes: number) => Math.round(megabytes / 102.4) / 10;
  const rows: [string, number, number, string][] = [
    [
      trans.__('CPUs that jobs hold'),
      cpus.Used,
      cpus.Total,
      trans.__('%1 of %2', cpus.Used, cpus.Total)
    ],
    [
      trans.__('Memory in use'),
      memory.TotalInMB - memory.AvailableInMB,
      memory.TotalInMB,
      trans.__(
        '%1 GiB free of %2 GiB',
        gigabytes(memory.AvailableInMB),
        gigabytes(memory.TotalInMB)
      )
    ]
  ];
  if (gpus.Total) {
    rows.push([
      trans.__('GPUs that jobs hold'),
      gpus.Used,
      gpus.Total,
      trans.__('%1 of %2', gpus.Used, gpus.Total)
    ]);
  }
  return (
    <div className="jp-StudioWizard-capacity">
      <h3>{trans.__('This machine now')}</h3>
      {rows.map(([label, used, total, text]) => (
        <div key={label} className="jp-StudioWizard-meter">
          <span>{label}</span>
          <div
            role="meter"
            className="jp-StudioWizard-bar"
            aria-label={label}
            aria-valuemin={0}
            aria-valuemax={total}
            aria-valuenow={used}
            aria-valuetext={text}
          >
            <div style={{ width: `${(100 * used) / Math.max(total, 1)}%` }} />
          </div>
          <span>{text}</span>
        </div>
      ))}
      <p className="jp-StudioConsole-hint">
        {trans.__(
          'Model servers start at once: they do not wait behind jobs, and take CPU time only while they answer.'
        )}
      </p>
    </div>
  );
}
