import React from 'react';

import type { studio } from '../wire';
import { duration } from './format';
import { useNow, useStudio } from './hooks';
import { bare } from './log/ansi';

/** The steps of a deployment: which is done, which goes on, and the seconds of each. */
export function DeploymentSteps(props: {
  steps: studio.DeploymentStep[];
}): React.JSX.Element {
  const { trans } = useStudio();
  const running = props.steps.some(step => step.Status === 'InProgress');
  const now = useNow(running) / 1000;
  return (
    <ol className="jp-StudioSteps" aria-label={trans.__('Deployment')}>
      {props.steps.map(step => (
        <li
          key={step.Name}
          className={`jp-mod-${MARKS[step.Status].tone}`}
          aria-current={step.Status === 'InProgress' ? 'step' : undefined}
        >
          <span className="jp-StudioSteps-mark" aria-hidden="true">
            {MARKS[step.Status].sign}
          </span>
          <span className="jp-StudioSteps-title">
            {titleOf(step.Name, trans)}
          </span>
          <span className="jp-StudioSteps-detail">
            {detailOf(step, now, trans)}
          </span>
        </li>
      ))}
    </ol>
  );
}

const MARKS: Record<string, { sign: string; tone: string }> = {
  Pending: { sign: '○', tone: 'none' },
  InProgress: { sign: '◐', tone: 'busy' },
  Completed: { sign: '✓', tone: 'good' },
  Failed: { sign: '✕', tone: 'bad' },
  Skipped: { sign: '–', tone: 'none' }
};

type Trans = ReturnType<typeof useStudio>['trans'];

function titleOf(name: string, trans: Trans): string {
  const titles: Record<string, string> = {
    StartServers: trans.__('Start servers'),
    AwaitHealth: trans.__('Wait until they answer'),
    MoveTraffic: trans.__('Move the traffic'),
    StopServers: trans.__('Stop the old servers')
  };
  return titles[name] ?? name;
}

function detailOf(
  step: studio.DeploymentStep,
  now: number,
  trans: Trans
): string {
  const words: Record<string, string> = {
    Pending: trans.__('waits'),
    InProgress: trans.__('goes on'),
    Completed: trans.__('done'),
    Failed: trans.__('failed'),
    Skipped: trans.__('left out')
  };
  const parts = [words[step.Status] ?? step.Status];
  if (step.Total > 1 && step.Status !== 'Skipped') {
    parts.push(trans.__('%1 of %2', step.Done, step.Total));
  }
  if (step.StartTime !== undefined) {
    const end =
      step.EndTime ?? (step.Status === 'InProgress' ? now : undefined);
    if (end !== undefined) {
      parts.push(duration(Math.max(0, end - step.StartTime)));
    }
  }
  return parts.join(' · ');
}

/** The servers that failed, each with the end of its log. */
export function FailedServers(props: {
  servers: studio.ModelServer[];
}): React.JSX.Element | null {
  const { trans } = useStudio();
  const failed = props.servers.filter(
    server => server.Status === 'Failed' && server.LastLines.length
  );
  return failed.length ? (
    <div className="jp-StudioFailures">
      {failed.slice(0, 3).map(server => (
        <details key={server.LogStreamName} open={server === failed[0]}>
          <summary>
            {trans.__(
              'Last lines of server %1 of variant %2',
              server.Number,
              server.VariantName
            )}
          </summary>
          <pre tabIndex={0} aria-label={trans.__('Last lines of its log')}>
            {server.LastLines.map(bare).join('\n')}
          </pre>
        </details>
      ))}
    </div>
  ) : null;
}
