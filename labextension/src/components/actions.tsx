import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import React from 'react';

import { DRAG_MIME, type IDragged } from '../tokens';
import { useStudio } from './hooks';

/** Text that opens a page: a command with its arguments. */
export function CommandLink(
  props: React.PropsWithChildren<{
    command: string;
    args: ReadonlyPartialJSONObject;
    title?: string;
  }>
): React.JSX.Element {
  const { commands } = useStudio();
  return (
    <button
      className="jp-StudioLink"
      title={props.title}
      onClick={event => {
        event.stopPropagation();
        void commands.execute(props.command, props.args);
      }}
    >
      {props.children}
    </button>
  );
}

/** A button that runs a command. */
export function CommandButton(
  props: React.PropsWithChildren<{
    command: string;
    args?: ReadonlyPartialJSONObject;
    kind?: 'accept' | 'warn' | 'minimal';
    disabled?: boolean;
  }>
): React.JSX.Element {
  const { commands } = useStudio();
  return (
    <button
      className={`jp-StudioButton ${props.kind ? `jp-mod-${props.kind}` : ''}`}
      disabled={props.disabled}
      onClick={() => void commands.execute(props.command, props.args)}
    >
      {props.children}
    </button>
  );
}

/** Let a drag carry a thing of Studio; elsewhere its name is dropped as text. */
export function carry(event: React.DragEvent, dragged: IDragged): void {
  event.dataTransfer.setData(DRAG_MIME, JSON.stringify(dragged));
  event.dataTransfer.setData('text/plain', dragged.name);
  event.dataTransfer.effectAllowed = 'copyLink';
}
