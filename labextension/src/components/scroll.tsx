import React from 'react';

/** A place for what may be wider than the page; the keyboard scrolls it too. */
export function Scroll(
  props: React.PropsWithChildren<{ label: string }>
): React.JSX.Element {
  return (
    <div
      className="jp-StudioScroll"
      role="region"
      aria-label={props.label}
      tabIndex={0}
    >
      {props.children}
    </div>
  );
}
