import React from 'react';

import { useSignal, useStudio } from './hooks';

/** Says calmly that what is shown may be old, or that something is wrong with the control plane. */
export function Banner(): React.JSX.Element | null {
  const { client, feed, trans } = useStudio();
  useSignal(feed.statusChanged);
  const { status } = feed;
  const [since, setSince] = React.useState<Date | null>(null);
  const [problem, setProblem] = React.useState('');
  React.useEffect(() => {
    setSince(before => (status === 'offline' ? (before ?? new Date()) : null));
    if (status !== 'offline' && status !== 'live') {
      return;
    }
    let here = true;
    client.status().then(
      told => here && setProblem(told.problem ?? ''),
      () => here && setProblem(trans.__('The Jupyter server does not answer.'))
    );
    return () => {
      here = false;
    };
  }, [client, status, trans]);
  if (!since && !problem) {
    return null;
  }
  return (
    <div className="jp-StudioNotice" role="status">
      {since && (
        <span>
          {trans.__(
            'Studio does not answer. What you see is of %1; it goes on by itself.',
            since.toLocaleTimeString()
          )}
        </span>
      )}
      {problem && <span>{problem}</span>}
    </div>
  );
}
