import React from 'react';

import type { studio } from '../wire';
import { duration, percent } from './format';
import { useNow, useStudio } from './hooks';

/** Stages of an update that is planned, goes on, or has ended. */
export type ITimeline = Pick<
  studio.Rollout,
  'Stages' | 'WaitIntervalInSeconds' | 'TerminationWaitInSeconds' | 'PausedTime'
>;

/**
 * The share of the new servers from stage to stage, as bars: the wider one is, the longer it is
 * waited after it. `running`: it goes on now.
 */
export function Timeline(props: {
  rollout: ITimeline;
  running?: boolean;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { rollout } = props;
  const held = rollout.PausedTime !== undefined;
  const now = useNow(!!props.running && !held) / 1000;
  const wait = rollout.WaitIntervalInSeconds ?? 0;
  const kept = rollout.TerminationWaitInSeconds ?? 0;
  const given = rollout.Stages.filter(each => each.StartTime !== undefined);
  return (
    <ol
      className="jp-StudioTimeline"
      aria-label={trans.__('Share of the new servers, stage by stage')}
    >
      {rollout.Stages.map((stage, index) => {
        const current = !!props.running && index === given.length - 1;
        const done = stage.StartTime !== undefined && !current;
        return (
          <li
            key={index}
            style={{ flexGrow: Math.max(wait, 1) }}
            className={
              current ? 'jp-mod-busy' : done ? 'jp-mod-good' : undefined
            }
            aria-current={current ? 'step' : undefined}
          >
            <span className="jp-StudioTimeline-bar" aria-hidden="true">
              <span style={{ height: `${100 * stage.Share}%` }} />
            </span>
            <strong>{percent(stage.Share)}</strong>
            <span className="jp-StudioSteps-detail">
              {current && held
                ? trans.__('paused')
                : current
                  ? left(stage.StartTime! + wait - now, trans)
                  : done
                    ? trans.__('done')
                    : wait
                      ? trans.__('then waits %1', duration(wait))
                      : trans.__('at once')}
            </span>
          </li>
        );
      })}
      {kept > 0 && (
        <li
          style={{ flexGrow: kept }}
          className="jp-StudioTimeline-kept"
          key="kept"
        >
          <span className="jp-StudioTimeline-bar" aria-hidden="true" />
          <strong>{trans.__('Old servers kept')}</strong>
          <span className="jp-StudioSteps-detail">{duration(kept)}</span>
        </li>
      )}
    </ol>
  );
}

function left(
  seconds: number,
  trans: ReturnType<typeof useStudio>['trans']
): string {
  return seconds > 0
    ? trans.__('%1 left', duration(Math.ceil(seconds)))
    : trans.__('goes on');
}
