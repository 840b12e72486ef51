import React from 'react';

import { useStudio } from '../components/hooks';
import { Status, When } from '../components/parts';
import { Timeline } from '../components/timeline';
import { confirmed } from '../core/confirm';
import { notifyError } from '../core/errors';
import type { studio } from '../wire';

type Verb = 'PauseDeployment' | 'ResumeDeployment' | 'RollbackDeployment';

/** An update that goes on: its stages, its alarms, and how to hold it or take it back. */
export function Rollout(props: {
  endpoint: string;
  status: string;
  rollout: studio.Rollout;
}): React.JSX.Element {
  const { client, trans } = useStudio();
  const { endpoint, rollout } = props;
  const [busy, setBusy] = React.useState(false);
  const running = props.status === 'Updating';
  const paused = rollout.PausedTime !== undefined;
  const ask = async (verb: Verb, failed: string) => {
    setBusy(true);
    try {
      await client.call('studio', verb, { EndpointName: endpoint });
    } catch (error) {
      notifyError(failed, error);
    } finally {
      setBusy(false);
    }
  };
  const back = async () => {
    const sure = await confirmed(
      trans.__('Roll back the update of %1?', endpoint),
      trans.__(
        'What served before gets all requests again, and the new servers stop. To try once more, update the endpoint again.'
      ),
      trans.__('Roll back')
    );
    if (sure) {
      await ask(
        'RollbackDeployment',
        trans.__('The update was not rolled back')
      );
    }
  };
  return (
    <div className="jp-StudioRollout">
      <Timeline rollout={rollout} running={running} />
      <div role="status">
        {rollout.RollbackReason && (
          <p>{trans.__('It goes back: %1', rollout.RollbackReason)}</p>
        )}
        {paused && (
          <p>
            {trans.__('Paused')} <When at={1000 * rollout.PausedTime!} />.{' '}
            {trans.__('No further stage begins until you resume.')}
          </p>
        )}
      </div>
      {rollout.Alarms.length > 0 && (
        <ul
          className="jp-StudioRollout-alarms"
          aria-label={trans.__('Alarms that roll it back')}
        >
          {rollout.Alarms.map(alarm => (
            <li key={alarm.AlarmName} title={alarm.Reason}>
              <Status status={alarm.StateValue} />
              {alarm.AlarmName}
            </li>
          ))}
        </ul>
      )}
      {running && (
        <div className="jp-StudioRollout-actions">
          {paused ? (
            <button
              className="jp-StudioButton jp-mod-accept"
              disabled={busy}
              onClick={() =>
                void ask(
                  'ResumeDeployment',
                  trans.__('The update was not resumed')
                )
              }
            >
              {trans.__('Resume')}
            </button>
          ) : (
            <button
              className="jp-StudioButton"
              disabled={busy}
              onClick={() =>
                void ask(
                  'PauseDeployment',
                  trans.__('The update was not paused')
                )
              }
            >
              {trans.__('Pause')}
            </button>
          )}
          <button
            className="jp-StudioButton jp-mod-warn"
            disabled={busy}
            onClick={() => void back()}
          >
            {trans.__('Roll back…')}
          </button>
        </div>
      )}
    </div>
  );
}
