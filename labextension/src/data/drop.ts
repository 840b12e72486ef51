import type { Drag } from '@lumino/dragdrop';
import React from 'react';

import { DRAG_MIME, type IDragged } from '../tokens';
import type { IChosen } from './start';

/** Paths, as JupyterLab's file browser drags them. */
const CONTENTS_MIME = 'application/x-jupyter-icontents';

/** Take objects of Studio and files of JupyterLab that are dropped on `node`. */
export function useDrop(
  node: HTMLElement,
  onDrop: (chosen: IChosen) => void
): void {
  const latest = React.useRef(onDrop);
  latest.current = onDrop;
  React.useEffect(() => {
    const over = (event: DragEvent) => {
      if (event.dataTransfer?.types.includes(DRAG_MIME)) {
        event.preventDefault();
      }
    };
    const drop = (event: DragEvent) => {
      const text = event.dataTransfer?.getData(DRAG_MIME);
      const dragged = text ? (JSON.parse(text) as IDragged) : null;
      if (dragged?.kind === 'object') {
        event.preventDefault();
        event.stopPropagation();
        latest.current({ uri: dragged.name });
      }
    };
    // JupyterLab's own drags are Lumino's, which are no events of HTML.
    const lumino = (event: Event) => {
      const drag = event as Drag.Event;
      if (!drag.mimeData.hasData(CONTENTS_MIME)) {
        return;
      }
      event.preventDefault();
      event.stopPropagation();
      drag.dropAction = drag.proposedAction;
      if (event.type === 'lm-drop') {
        const [path] = drag.mimeData.getData(CONTENTS_MIME) as string[];
        latest.current({ path });
      }
    };
    const types = ['lm-dragenter', 'lm-dragover', 'lm-drop'];
    node.addEventListener('dragover', over);
    node.addEventListener('drop', drop);
    types.forEach(type => node.addEventListener(type, lumino));
    return () => {
      node.removeEventListener('dragover', over);
      node.removeEventListener('drop', drop);
      types.forEach(type => node.removeEventListener(type, lumino));
    };
  }, [node]);
}
