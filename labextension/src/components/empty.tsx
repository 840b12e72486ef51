import React from 'react';

import { isOffline, told } from '../core/errors';
import { useStudio } from './hooks';

/** Says that there is nothing yet, and what to do first. */
export function Empty(
  props: React.PropsWithChildren<{ title: string; hint?: string }>
): React.JSX.Element {
  return (
    <div className="jp-StudioEmpty" role="status">
      <h2>{props.title}</h2>
      {props.hint && <p>{props.hint}</p>}
      {props.children && (
        <div className="jp-StudioEmpty-actions">{props.children}</div>
      )}
    </div>
  );
}

/** An error in the place of what it prevented, with the way out. */
export function Problem(props: {
  error: unknown;
  retry?: () => void;
  what?: string;
}): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <div className="jp-StudioProblem" role="alert">
      <strong>{props.what ?? trans.__('This could not be shown.')}</strong>
      <p>{told(props.error)}</p>
      {isOffline(props.error) && (
        <p>
          {trans.__(
            'In a terminal, "studio status" and "studio doctor" tell more.'
          )}
        </p>
      )}
      {props.retry && (
        <button className="jp-StudioButton" onClick={props.retry}>
          {trans.__('Retry')}
        </button>
      )}
    </div>
  );
}

/** Grey bars where text will be. */
export function Skeleton(props: { lines?: number }): React.JSX.Element {
  return (
    <div
      className="jp-StudioSkeleton"
      aria-busy="true"
      role="status"
      aria-label="…"
    >
      {Array.from({ length: props.lines ?? 4 }, (_, index) => (
        <div
          key={index}
          className="jp-StudioSkeleton-bar"
          style={{ width: `${90 - 13 * (index % 4)}%` }}
        />
      ))}
    </div>
  );
}
