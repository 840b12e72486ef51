import React from 'react';

import { CommandLink } from '../components/actions';
import { Problem } from '../components/empty';
import { useLive, useStudio } from '../components/hooks';
import { Section, When } from '../components/parts';
import { notifyError } from '../core/errors';
import { CommandIDs } from '../tokens';
import type { sagemaker } from '../wire';

const MOST = 100;

/** What jobs have left ready for the next. */
export function WarmPools(): React.JSX.Element | null {
  const { client, trans } = useStudio();
  const { value, error, refresh } = useLive(
    signal =>
      client.call(
        'sagemaker',
        'ListTrainingJobs',
        { WarmPoolStatusEquals: 'Available', MaxResults: MOST },
        signal
      ),
    event => event.type === 'resource' && event.Kind === 'training-job',
    [client]
  );
  if (!value) {
    return error ? (
      <Problem
        error={error}
        what={trans.__('Warm pools could not be read.')}
        retry={refresh}
      />
    ) : null;
  }
  const jobs = value.TrainingJobSummaries;
  return (
    <Section
      title={
        jobs.length
          ? trans.__('Warm pools (%1)', jobs.length)
          : trans.__('Warm pools')
      }
    >
      {jobs.length ? (
        <ul className="jp-StudioCompute-cards">
          {jobs.map(job => (
            <Pool key={job.TrainingJobArn} job={job} />
          ))}
        </ul>
      ) : (
        <p className="jp-StudioJob-none">
          {trans.__(
            'None is kept. A training job with KeepAlivePeriodInSeconds leaves its imported worker ready for the next that is like it.'
          )}
        </p>
      )}
    </Section>
  );
}

function Pool(props: { job: sagemaker.TrainingJobSummary }): React.JSX.Element {
  const { client, trans } = useStudio();
  const { job } = props;
  const name = job.TrainingJobName;
  const release = async () => {
    try {
      await client.call('sagemaker', 'UpdateTrainingJob', {
        TrainingJobName: name,
        ResourceConfig: { KeepAlivePeriodInSeconds: 0 }
      });
    } catch (error) {
      notifyError(trans.__('The warm pool of %1 is still there', name), error);
    }
  };
  return (
    <li className="jp-StudioCompute-card">
      <h3>
        <CommandLink command={CommandIDs.openJob} args={{ name }}>
          {name}
        </CommandLink>
      </h3>
      <span>
        {trans.__('ready since')}{' '}
        <When at={job.TrainingEndTime && 1000 * job.TrainingEndTime} />
      </span>
      <div className="jp-StudioJob-row">
        <button className="jp-StudioButton" onClick={() => void release()}>
          {trans.__('Release')}
        </button>
      </div>
    </li>
  );
}
