import React from 'react';

import { useSignal, useStudio } from '../components/hooks';
import type { Capacity } from '../core/capacity';
import { CommandIDs } from '../tokens';
import type { studio } from '../wire';

const MOST_NAMED = 8;

/** How much of the machine is taken, and how many jobs wait for their turn. */
export function Strip(props: { capacity: Capacity }): React.JSX.Element | null {
  const { trans, commands } = useStudio();
  useSignal(props.capacity.changed);
  const load = props.capacity.value;
  if (!load) {
    return <div className="jp-StudioStrip" />;
  }
  return (
    <div
      className="jp-StudioStrip"
      role="group"
      aria-label={trans.__('Load of the machine')}
    >
      <Meter label={trans.__('CPU')} slots={load.Cpus} />
      {load.Gpus.Total > 0 && (
        <Meter label={trans.__('GPU')} slots={load.Gpus} />
      )}
      {load.Waiting > 0 && (
        <button
          className="jp-StudioLink"
          title={queue(load)}
          onClick={() => void commands.execute(CommandIDs.openCompute, {})}
        >
          {trans._n('%1 waits', '%1 wait', load.Waiting)}
        </button>
      )}
    </div>
  );
}

function Meter(props: {
  label: string;
  slots: studio.Slots;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { Used, Total } = props.slots;
  const text = trans.__(
    '%1: %2 of %3 in use by jobs',
    props.label,
    Used,
    Total
  );
  return (
    <div
      className="jp-StudioSlots"
      role="meter"
      aria-label={props.label}
      aria-valuemin={0}
      aria-valuemax={Total}
      aria-valuenow={Used}
      aria-valuetext={text}
      title={text}
    >
      <span>{props.label}</span>
      <span className="jp-StudioSlots-bar">
        <span style={{ width: `${(100 * Used) / Math.max(1, Total)}%` }} />
      </span>
      <span className="jp-StudioSlots-value">
        {Used}/{Total}
      </span>
    </div>
  );
}

/** The first of the queue, each with its reason, in lines. */
function queue(load: studio.DescribeCapacityResponse): string {
  const lines = load.WaitingRuns.slice(0, MOST_NAMED).map(
    each => `${each.Name}${each.Reason && `: ${each.Reason}`}`
  );
  const rest = load.Waiting - lines.length;
  return [...lines, ...(rest > 0 ? [`+${rest.toLocaleString()}`] : [])].join(
    '\n'
  );
}
