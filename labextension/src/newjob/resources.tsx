import React from 'react';

import { duration } from '../components/format';
import { useLive, useStudio } from '../components/hooks';
import { Section } from '../components/parts';
import type { studio } from '../wire';
import {
  NumberField,
  SectionFaults,
  SelectField,
  TextField,
  useForm
} from './form';
import { type Path, shown, spelled, valueAt } from './paths';

/** The member of a request that says where a job runs. */
const TRAINS: Path = ['ResourceConfig'];

const EXAMPLE = 'ml.c5.2xlarge';

/** Where the job runs, for how long, and whether it would start now. */
export function Resources(props: {
  at?: Path;
  /** Jobs of this kind have no longest time and no volume. */
  bare?: boolean;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { draft } = useForm<object>();
  const at = props.at ?? TRAINS;
  const seconds = valueAt(draft, ['StoppingCondition', 'MaxRuntimeInSeconds']);
  return (
    <Section title={trans.__('Resources')}>
      <SectionFaults path={spelled(at)} />
      {valueAt(draft, [...at, 'InstanceGroups']) ? (
        <p>
          {trans.__(
            'The original has instance groups; they are kept as they are.'
          )}
        </p>
      ) : (
        <div className="jp-StudioNewJob-fields">
          <InstanceType at={at} />
          <NumberField
            path={[...at, 'InstanceCount']}
            label={trans.__('Instances')}
            required
            help={trans.__('More than one: hosts that work together.')}
          />
          {!props.bare && (
            <>
              <NumberField
                path={['StoppingCondition', 'MaxRuntimeInSeconds']}
                label={trans.__('Longest run (minutes)')}
                scale={60}
                help={
                  typeof seconds === 'number'
                    ? trans.__('Stopped after %1.', duration(seconds))
                    : undefined
                }
              />
              <NumberField
                path={[...at, 'VolumeSizeInGB']}
                label={trans.__('Volume (GB)')}
                help={trans.__(
                  'Kept for AWS; here a job has the disk of the machine.'
                )}
              />
            </>
          )}
        </div>
      )}
      <Fit at={at} />
    </Section>
  );
}

function InstanceType(props: { at: Path }): React.JSX.Element {
  const { trans } = useStudio();
  const { draft, set } = useForm<object>();
  const offered = useTypes(undefined);
  const path = [...props.at, 'InstanceType'];
  const current = shown(valueAt(draft, path));
  const [other, setOther] = React.useState(false);
  const amount = useTypes(current || undefined)?.[0];
  const help = amount && gets(amount, trans);
  const label = trans.__('Instance type');
  if (other) {
    return (
      <TextField
        path={path}
        label={label}
        required
        help={help}
        placeholder={EXAMPLE}
      />
    );
  }
  const options = (offered ?? []).map(each => ({
    value: each.InstanceType,
    label: `${each.InstanceType} (${gets(each, trans)})`
  }));
  return (
    <div className="jp-StudioNewJob-other">
      <SelectField
        path={path}
        label={label}
        required
        help={options.some(each => each.value === current) ? undefined : help}
        options={options}
      />
      <button
        className="jp-StudioLink"
        onClick={() => {
          setOther(true);
          set(path, current || undefined);
        }}
      >
        {trans.__('Type another name')}
      </button>
    </div>
  );
}

function gets(
  amount: studio.InstanceTypeInfo,
  trans: ReturnType<typeof useStudio>['trans']
): string {
  const cpus = trans._n('%1 CPU', '%1 CPUs', amount.Cpus);
  return amount.Gpus
    ? `${cpus}, ${trans._n('%1 GPU', '%1 GPUs', amount.Gpus)}`
    : cpus;
}

/** What instance types get of this machine: those that are offered, or one. */
function useTypes(
  name: string | undefined
): studio.InstanceTypeInfo[] | undefined {
  const { client } = useStudio();
  const { value } = useLive(
    signal =>
      client.call(
        'studio',
        'DescribeInstanceTypes',
        name ? { InstanceTypes: [name] } : {},
        signal
      ),
    () => false,
    [name]
  );
  return value?.InstanceTypes;
}

/** Whether what is free now is enough for the job. */
function Fit({ at }: { at: Path }): React.JSX.Element | null {
  const { client, trans } = useStudio();
  const { draft } = useForm<object>();
  const { value: capacity } = useLive(
    signal => client.call('studio', 'DescribeCapacity', {}, signal),
    event => event.type === 'capacity',
    []
  );
  const type = shown(valueAt(draft, [...at, 'InstanceType']));
  const one = useTypes(type || undefined)?.[0];
  const hosts = Number(valueAt(draft, [...at, 'InstanceCount']) ?? 1);
  if (!capacity || !type || !one || !Number.isInteger(hosts) || hosts < 1) {
    return null;
  }
  const { starts, text } = fits(capacity, one, hosts, trans);
  return (
    <p className="jp-StudioNewJob-fit" aria-live="polite">
      <span
        className={`jp-StudioStatus-dot jp-mod-${starts ? 'good' : 'warn'}`}
        aria-hidden="true"
      />
      {text}
    </p>
  );
}

/** Whether a job of so many hosts would start now, in a sentence. */
export function fits(
  capacity: studio.DescribeCapacityResponse,
  one: studio.InstanceTypeInfo,
  hosts: number,
  trans: ReturnType<typeof useStudio>['trans']
): { starts: boolean; text: string } {
  const lines = [
    { name: trans.__('GPUs'), slots: capacity.Gpus, each: one.Gpus },
    { name: trans.__('CPUs'), slots: capacity.Cpus, each: one.Cpus }
  ].map(({ name, slots, each }) => ({
    name,
    wanted: Math.min(each * hosts, slots.Total),
    free: Math.max(0, slots.Total - slots.Used),
    total: slots.Total
  }));
  const lack = lines.find(line => line.wanted > line.free);
  if (lack) {
    return {
      starts: false,
      text: trans.__(
        'Waits for %1 %2: %3 of %4 are free now.',
        lack.wanted,
        lack.name,
        lack.free,
        lack.total
      )
    };
  }
  if (capacity.Waiting) {
    return {
      starts: false,
      text: trans._n(
        'Waits behind %1 job.',
        'Waits behind %1 jobs.',
        capacity.Waiting
      )
    };
  }
  const { wanted, free, name } = lines[one.Gpus ? 0 : 1];
  return {
    starts: true,
    text: trans.__(
      'Starts at once: takes %1 of %2 free %3.',
      wanted,
      free,
      name
    )
  };
}
