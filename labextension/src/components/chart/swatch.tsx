import React from 'react';

/** How a line looks: its colour and its dashes. */
export function Swatch(props: {
  color: string;
  dash: readonly number[];
}): React.JSX.Element {
  return (
    <svg className="jp-StudioSwatch" width="22" height="8" aria-hidden="true">
      <line
        x1="1"
        x2="21"
        y1="4"
        y2="4"
        stroke={props.color}
        strokeWidth="2.5"
        strokeDasharray={props.dash.join(' ') || undefined}
      />
    </svg>
  );
}
