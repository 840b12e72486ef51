import React from 'react';

import { Problem, Skeleton } from '../components/empty';
import { useArgs, useLive, useStudio } from '../components/hooks';
import { Section } from '../components/parts';
import type { StudioView } from '../core/documents';
import type { FeedEvent } from '../core/feed';
import { newLease } from './lease';
import { Leases } from './leases';
import { Machine } from './machine';
import { Queue } from './queue';
import { Running } from './running';
import { WarmPools } from './warmpools';

/** The widths of the columns of its tables. */
export interface IComputeArgs {
  queue?: Record<string, number>;
  running?: Record<string, number>;
}

const WAIT = ['training-job', 'processing-job', 'transform-job', 'lease'];
const MOST = 500;

/** The machine: what it has, who holds it, who waits for it and why. */
export function ComputePage(props: { view: StudioView }): React.JSX.Element {
  const app = useStudio();
  const { client, trans } = app;
  const [args, setArgs] = useArgs<IComputeArgs>(props.view);
  const load = useLive(
    signal => client.call('studio', 'DescribeCapacity', {}, signal),
    concerns,
    [client]
  );
  const line = useLive(
    signal => client.call('studio', 'ListQueue', { MaxResults: MOST }, signal),
    concerns,
    [client]
  );
  const error = load.error ?? line.error;
  const retry = () => {
    load.refresh();
    line.refresh();
  };
  const leases = load.value?.Leases ?? [];
  return (
    <div className="jp-StudioPage jp-StudioCompute">
      <div className="jp-StudioPage-header">
        <h1>{trans.__('Compute')}</h1>
        <div className="jp-StudioPage-actions">
          <button
            className="jp-StudioButton"
            onClick={() => void newLease(app).then(retry)}
          >
            {trans.__('Reserve for a notebook…')}
          </button>
        </div>
      </div>
      <div className="jp-StudioPage-body">
        {error !== null && (
          <Problem
            error={error}
            what={trans.__('This could not be brought up to date.')}
            retry={retry}
          />
        )}
        {load.value && line.value ? (
          <>
            <Machine load={load.value} />
            <Section title={titled(trans.__('Waiting'), load.value.Waiting)}>
              <Queue
                rows={line.value.Waiting}
                total={load.value.Waiting}
                widths={args.queue}
                onWidths={queue => setArgs({ queue })}
              />
            </Section>
            <Section
              title={titled(trans.__('Running'), line.value.Running.length)}
            >
              <Running
                rows={line.value.Running}
                widths={args.running}
                onWidths={running => setArgs({ running })}
              />
            </Section>
            <Section title={titled(trans.__('Notebooks'), leases.length)}>
              <Leases leases={leases} changed={retry} />
            </Section>
            <WarmPools />
          </>
        ) : (
          error === null && <Skeleton lines={8} />
        )}
      </div>
    </div>
  );
}

function concerns(event: FeedEvent): boolean {
  return (
    event.type === 'capacity' ||
    (event.type === 'resource' && WAIT.includes(event.Kind))
  );
}

function titled(title: string, count: number): string {
  return count ? `${title} (${count.toLocaleString()})` : title;
}
