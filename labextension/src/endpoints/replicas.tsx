import React from 'react';

import { useStudio } from '../components/hooks';
import { Status, When } from '../components/parts';
import type { studio } from '../wire';

const TONES: Record<studio.EndpointReplica['Health'], string> = {
  Healthy: 'good',
  Stuck: 'warn',
  Ejected: 'bad'
};

/** The replicas of a variant: a dot each, and of those that are not well what ails them. */
export function Replicas(props: {
  replicas: studio.EndpointReplica[];
}): React.JSX.Element | null {
  const { trans } = useStudio();
  const { replicas } = props;
  if (!replicas.length) {
    return null;
  }
  const words: Record<studio.EndpointReplica['Health'], string> = {
    Healthy: trans.__('healthy'),
    Stuck: trans.__('answers nothing'),
    Ejected: trans.__('ejected')
  };
  const unwell = replicas.filter(each => each.Health !== 'Healthy');
  return (
    <div className="jp-StudioReplicas">
      <span className="jp-StudioReplicas-dots">
        {replicas.map(each => (
          <Status
            key={each.Number}
            quiet
            tone={TONES[each.Health]}
            status={trans.__(
              'Instance %1: %2',
              each.Number,
              words[each.Health]
            )}
          />
        ))}
      </span>
      {unwell.map(each => (
        <div key={each.Number} className="jp-StudioReplicas-unwell">
          {trans.__('Instance %1 %2', each.Number, words[each.Health])}
          {each.Since !== undefined && (
            <>
              {' '}
              <When at={1000 * each.Since} />
            </>
          )}
          {each.Reason && <p>{each.Reason}</p>}
        </div>
      ))}
    </div>
  );
}
