import React from 'react';

import { bytes } from '../components/format';
import { useStudio } from '../components/hooks';
import { Section } from '../components/parts';
import type { studio } from '../wire';
import { Thing } from './thing';

const MB = 2 ** 20;

/** What the machine has, and how much of it is taken. */
export function Machine(props: {
  load: studio.DescribeCapacityResponse;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { Cpus, Gpus, Memory, Devices } = props.load;
  const used = Memory.TotalInMB - Memory.AvailableInMB;
  return (
    <Section title={trans.__('Machine')}>
      <div className="jp-StudioCompute-cards">
        <Meter
          title={trans.__('CPUs')}
          used={Cpus.Used}
          total={Cpus.Total}
          text={trans.__('%1 of %2 held by jobs', Cpus.Used, Cpus.Total)}
        />
        <Meter
          title={trans.__('Memory')}
          used={used}
          total={Memory.TotalInMB}
          text={trans.__(
            '%1 of %2 in use',
            bytes(used * MB),
            bytes(Memory.TotalInMB * MB)
          )}
        />
        {Gpus.Total > 1 && (
          <Meter
            title={trans.__('GPUs')}
            used={Gpus.Used}
            total={Gpus.Total}
            text={trans.__('%1 of %2 held', Gpus.Used, Gpus.Total)}
          />
        )}
        {Devices.map((each, index) => (
          <Device key={each.GpuId} index={index} device={each} />
        ))}
      </div>
      {Gpus.Total === 0 && (
        <p className="jp-StudioJob-none">
          {trans.__(
            'No GPU was found. If there is one, install NVIDIA’s driver and restart Studio: "studio doctor" tells what is missing.'
          )}
        </p>
      )}
    </Section>
  );
}

/** How much of something is taken: a bar, and the same in words. */
function Meter(
  props: React.PropsWithChildren<{
    title: string;
    used: number;
    total: number;
    text: string;
  }>
): React.JSX.Element {
  const { title, used, total, text } = props;
  return (
    <div className="jp-StudioCompute-card">
      <h3>{title}</h3>
      <div
        className="jp-StudioSlots-bar"
        role="meter"
        aria-label={title}
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={used}
        aria-valuetext={text}
      >
        <span style={{ width: `${(100 * used) / Math.max(1, total)}%` }} />
      </div>
      <span>{text}</span>
      {props.children}
    </div>
  );
}

/** A GPU, and who holds it, or shares of it. */
function Device(props: {
  index: number;
  device: studio.GpuDevice;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { device } = props;
  const total = device.MemoryInMB;
  // Shares are told in memory; whoever has all of it says none.
  const whole =
    device.InUse &&
    (!device.LeasedMemoryInMB || device.LeasedMemoryInMB >= total);
  const text = whole
    ? trans.__('held')
    : device.InUse
      ? trans.__(
          '%1 of %2 held in shares',
          bytes(device.LeasedMemoryInMB * MB),
          bytes(total * MB)
        )
      : total
        ? trans.__('free: %1', bytes(total * MB))
        : trans.__('free');
  return (
    <Meter
      title={trans.__('GPU %1: %2', props.index, device.Name)}
      used={whole ? Math.max(1, total) : device.LeasedMemoryInMB}
      total={Math.max(1, total)}
      text={text}
    >
      {device.Holders.length > 0 && (
        <ul className="jp-StudioCompute-holders">
          {device.Holders.map(each => (
            <li key={each.Arn}>
              <Thing kind={each.Kind} name={each.Name} />
              {each.MemoryInMB !== undefined &&
                ` ${bytes(each.MemoryInMB * MB)}`}
            </li>
          ))}
        </ul>
      )}
      {device.InUse && !device.Holders.length && (
        <span className="jp-StudioJob-none">
          {trans.__('by somebody else')}
        </span>
      )}
    </Meter>
  );
}
