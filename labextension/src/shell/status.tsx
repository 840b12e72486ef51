import { ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';

import { StudioContext, useSignal, useStudio } from '../components/hooks';
import type { Capacity } from '../core/capacity';
import { CommandIDs, type IStudio } from '../tokens';

/** What goes on, in the status bar: jobs that run, jobs that wait, or that nobody answers. */
export class StatusItem extends ReactWidget {
  constructor(
    private _studio: IStudio,
    private _capacity: Capacity
  ) {
    super();
    this.addClass('jp-StudioStatusItem');
  }

  protected render(): React.JSX.Element {
    return (
      <StudioContext.Provider value={this._studio}>
        <Item capacity={this._capacity} />
      </StudioContext.Provider>
    );
  }
}

function Item(props: { capacity: Capacity }): React.JSX.Element | null {
  const { commands, feed, trans } = useStudio();
  useSignal(props.capacity.changed);
  useSignal(feed.statusChanged);
  const load = props.capacity.value;
  if (feed.status === 'offline') {
    return (
      <span title={trans.__('The control plane does not answer.')}>
        {trans.__('Studio: offline')}
      </span>
    );
  }
  if (!load) {
    return null;
  }
  const { RunningJobs } = load;
  const parts = [
    RunningJobs
      ? trans._n('%1 job runs', '%1 jobs run', RunningJobs)
      : trans.__('no job runs')
  ];
  if (load.Waiting) {
    parts.push(trans.__('%1 waiting', load.Waiting.toLocaleString()));
  }
  return (
    <button
      className="jp-StudioStatusItem-button"
      title={trans.__('Open the table of training jobs')}
      onClick={() => void commands.execute(CommandIDs.openJobs, {})}
    >
      {trans.__('Studio: %1', parts.join(', '))}
    </button>
  );
}
