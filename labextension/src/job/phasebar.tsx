import React from 'react';

import { duration } from '../components/format';
import { useStudio } from '../components/hooks';
import { tone } from '../components/parts';
import type { IPhase } from './phases';

/** The phases of a job side by side, each with its time; the present one counts. */
export function PhaseBar(props: {
  phases: IPhase[];
  /** How a time is said. */
  said?: (seconds: number) => string;
}): React.JSX.Element {
  const { trans } = useStudio();
  const present = props.phases.find(phase => phase.current);
  return (
    <div className="jp-StudioPhases">
      <ol aria-label={trans.__('Phases')}>
        {props.phases.map((phase, index) => (
          <li
            key={index}
            className={
              phase.seconds === undefined
                ? 'jp-mod-coming'
                : phase.cut
                  ? `jp-mod-cut jp-mod-${tone(phase.cut)}`
                  : ''
            }
            aria-current={phase.current ? 'step' : undefined}
            title={phase.message || undefined}
            // Long phases are wider, and short ones can still be read.
            style={{ flexGrow: 1 + Math.log2(1 + (phase.seconds ?? 0)) }}
          >
            <span className="jp-StudioPhases-name">
              {(phase.current || phase.cut) && (
                <span
                  className={`jp-StudioStatus-dot jp-mod-${phase.current ? 'busy' : tone(phase.cut!)}`}
                  aria-hidden="true"
                />
              )}
              {phase.cut ? `${phase.name}: ${phase.cut}` : phase.name}
            </span>
            <span className="jp-StudioPhases-time">
              {phase.seconds === undefined
                ? trans.__('to come')
                : (props.said ?? duration)(phase.seconds)}
            </span>
          </li>
        ))}
      </ol>
      {present?.message && <p>{present.message}</p>}
    </div>
  );
}
