import React from 'react';

import { CommandButton } from '../components/actions';
import { Empty } from '../components/empty';
import { useStudio } from '../components/hooks';
import { CommandIDs } from '../tokens';

/** Says what there is for comparing jobs while there are no experiments. */
export function ExperimentsPage(): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <div className="jp-StudioPage">
      <div className="jp-StudioPage-header">
        <h1>{trans.__('Experiments')}</h1>
      </div>
      <Empty
        title={trans.__('Experiments are not executed yet')}
        hint={trans.__(
          'The table of training jobs shows the last values of the metrics of every job side by side; it can be filtered by tag=value. The page of a job has its curves.'
        )}
      >
        <CommandButton command={CommandIDs.openJobs} kind="accept">
          {trans.__('Show training jobs')}
        </CommandButton>
        <CommandButton command={CommandIDs.newJob}>
          {trans.__('New training job…')}
        </CommandButton>
      </Empty>
    </div>
  );
}
