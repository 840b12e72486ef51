import { ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';

import { StudioContext, useSignal, useStudio } from '../components/hooks';
import { CommandIDs, type IStudio } from '../tokens';

/** What goes on, in the status bar: jobs that run, jobs that wait, or that nobody answers. */
export class StatusItem extends ReactWidget {
  constructor(private _studio: IStudio) {
    super();
    this.addClass('jp-StudioStatusItem');
  }

  protected render(): React.JSX.Element {
    return (
      <StudioContext.Provider value={this._studio}>
        <Item />
      </StudioContext.Provider>
    );
  }
}

function Item(): React.JSX.Element | null {
  const { capacity, commands, feed, trans } = useStudio();
  useSignal(capacity.changed);
  useSignal(feed.statusChanged);
  const load = capacity.value;
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
