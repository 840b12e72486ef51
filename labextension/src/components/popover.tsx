import React from 'react';

/** A box that opens below its button; Esc and a press elsewhere close it. */
export function Popover(
  props: React.PropsWithChildren<{
    button: string;
    label: string;
    onToggle?: (open: boolean) => void;
  }>
): React.JSX.Element {
  const box = React.useRef<HTMLDetailsElement>(null);
  React.useEffect(() => {
    const press = (event: PointerEvent) => {
      if (!box.current?.contains(event.target as Node)) {
        box.current?.removeAttribute('open');
      }
    };
    document.addEventListener('pointerdown', press);
    return () => document.removeEventListener('pointerdown', press);
  }, []);
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.key === 'Escape' && box.current?.open) {
      event.stopPropagation();
      box.current.open = false;
      box.current.querySelector('summary')?.focus();
    }
  };
  return (
    <details
      className="jp-StudioPopover"
      ref={box}
      onKeyDown={onKeyDown}
      onToggle={event => props.onToggle?.(event.currentTarget.open)}
    >
      <summary className="jp-StudioButton">{props.button}</summary>
      <div role="group" aria-label={props.label}>
        {props.children}
      </div>
    </details>
  );
}
