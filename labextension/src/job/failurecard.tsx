import React from 'react';

import { useSignal, useStudio } from '../components/hooks';
import { CommandButton } from '../components/actions';
import { bare } from '../components/log/ansi';
import type { LogModel } from '../components/log/model';
import type { IFailure } from './failure';

/** Why the job failed: the cause, the last traceback, and what can be done. */
export function FailureCard(props: {
  failure: IFailure | null;
  /** The command that makes a job, and the name of this one. */
  clone: [command: string, name: string];
  log: LogModel;
  onLine: (line: number) => void;
}): React.JSX.Element | null {
  const { trans } = useStudio();
  useSignal(props.log.changed);
  const { failure } = props;
  if (!failure) {
    return null;
  }
  const { traceback, firstError } = props.log;
  const line = traceback?.Line ?? firstError;
  return (
    <section
      className="jp-StudioJob-failure"
      aria-label={trans.__('Why the job failed')}
    >
      <h2>{failure.cause}</h2>
      <p>{failure.hint}</p>
      {failure.said && (!traceback || failure.traced) && (
        <pre tabIndex={0} aria-label={trans.__('What was said')}>
          {failure.said.split('\n').map(bare).join('\n')}
        </pre>
      )}
      {traceback && !failure.traced && (
        <pre tabIndex={0} aria-label={trans.__('The last traceback')}>
          {traceback.Text.split('\n').map(bare).join('\n')}
        </pre>
      )}
      <div className="jp-StudioJob-row">
        {line !== undefined && (
          <button
            className="jp-StudioButton"
            onClick={() => props.onLine(line)}
          >
            {trans.__('Show line %1 of the log', (line + 1).toLocaleString())}
          </button>
        )}
        <CommandButton
          kind="accept"
          command={props.clone[0]}
          args={{ from: props.clone[1] }}
        >
          {trans.__('Clone and edit')}
        </CommandButton>
      </div>
    </section>
  );
}
