import React from 'react';

import { useNow, useStudio } from '../components/hooks';
import { notifyError } from '../core/errors';
import type { studio } from '../wire';
import { releaseLeases } from './lease';
import { amount } from './thing';

const SOON = 300;

/** What notebooks hold, and for how long yet. */
export function Leases(props: {
  leases: studio.LeaseSummary[];
  /** Something was done with one of them. */
  changed: () => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const now = useNow(props.leases.length > 0);
  if (!props.leases.length) {
    return (
      <p className="jp-StudioJob-none">
        {trans.__(
          'No notebook holds anything. A lease keeps CPUs and GPUs for a notebook, and ends when nobody uses it.'
        )}
      </p>
    );
  }
  return (
    <ul className="jp-StudioCompute-cards">
      {props.leases.map(each => (
        <Lease
          key={each.LeaseArn}
          lease={each}
          now={now}
          changed={props.changed}
        />
      ))}
    </ul>
  );
}

function Lease(props: {
  lease: studio.LeaseSummary;
  now: number;
  changed: () => void;
}): React.JSX.Element {
  const app = useStudio();
  const { client, trans } = app;
  const { lease } = props;
  const name = lease.LeaseName;
  const left =
    lease.ExpirationTime === undefined
      ? undefined
      : Math.max(0, lease.ExpirationTime - props.now / 1000);
  const waits = lease.LeaseStatus === 'Pending';
  const keep = async () => {
    try {
      await client.call('studio', 'KeepLease', { LeaseName: name });
      props.changed();
    } catch (error) {
      notifyError(trans.__('The lease %1 was not prolonged', name), error);
    }
  };
  return (
    <li className="jp-StudioCompute-card">
      <h3>{name}</h3>
      <span>
        {waits
          ? lease.InstanceType
          : trans.__('%1: %2', lease.InstanceType, amount(lease, trans))}
      </span>
      {waits && <span>{lease.Reason || trans.__('Waits for its turn.')}</span>}
      {left !== undefined && (
        <span
          role="timer"
          className={left < SOON ? 'jp-StudioCompute-soon' : undefined}
        >
          {waits
            ? trans.__('Given up in %1 unless you keep it', countdown(left))
            : trans.__('Ends in %1 unless it is used', countdown(left))}
        </span>
      )}
      <div className="jp-StudioJob-row">
        {left !== undefined && (
          <button className="jp-StudioButton" onClick={() => void keep()}>
            {trans.__('Keep')}
          </button>
        )}
        <button
          className="jp-StudioButton"
          onClick={() => void releaseLeases(app, [name]).then(props.changed)}
        >
          {trans.__('Release…')}
        </button>
      </div>
    </li>
  );
}

/** 754 -> "12:34", 3754 -> "1:02:34". */
export function countdown(seconds: number): string {
  const whole = Math.ceil(seconds);
  const parts = [
    Math.floor(whole / 3600),
    Math.floor(whole / 60) % 60,
    whole % 60
  ];
  const shown = parts[0] ? parts : parts.slice(1);
  return shown
    .map((part, index) => (index ? String(part).padStart(2, '0') : part))
    .join(':');
}
