import type { Drag } from '@lumino/dragdrop';
import React from 'react';

/** JupyterLab's file browser drags paths under this type. */
const CONTENTS_MIME = 'application/x-jupyter-icontents';

/**
 * Make `node` take files of the desktop and of JupyterLab's file browser; true while something
 * that can be dropped is over it.
 */
export function useDrops(
  node: React.RefObject<HTMLElement>,
  enabled: boolean,
  onFiles: (transfer: DataTransfer) => void,
  onPaths: (paths: string[]) => void
): boolean {
  const [over, setOver] = React.useState(false);
  const handlers = React.useRef({ onFiles, onPaths });
  React.useEffect(() => {
    handlers.current = { onFiles, onPaths };
  });
  React.useEffect(() => {
    const target = node.current;
    if (!target || !enabled) {
      return;
    }
    const abort = new AbortController();
    const listen = <E extends Event>(
      name: string,
      takes: (event: E) => boolean,
      then: (event: E) => void
    ) =>
      target.addEventListener(
        name,
        event => {
          if (takes(event as E)) {
            event.preventDefault();
            event.stopPropagation();
            then(event as E);
          }
        },
        { signal: abort.signal }
      );
    const files = (event: DragEvent) =>
      event.dataTransfer?.types.includes('Files') ?? false;
    const paths = (event: Drag.Event) => event.mimeData.hasData(CONTENTS_MIME);

    listen('dragover', files, event => {
      event.dataTransfer!.dropEffect = 'copy';
      setOver(true);
    });
    listen('dragleave', files, event => {
      if (!target.contains(event.relatedTarget as Node | null)) {
        setOver(false);
      }
    });
    listen('drop', files, event => {
      setOver(false);
      handlers.current.onFiles(event.dataTransfer!);
    });
    listen('lm-dragenter', paths, () => setOver(true));
    listen('lm-dragover', paths, event => {
      // The only one that the file browser supports; nothing is moved.
      event.dropAction = event.proposedAction;
    });
    listen('lm-dragleave', paths, event => {
      if (!target.contains(event.relatedTarget as Node | null)) {
        setOver(false);
      }
    });
    listen('lm-drop', paths, event => {
      setOver(false);
      event.dropAction = event.proposedAction;
      handlers.current.onPaths(
        event.mimeData.getData(CONTENTS_MIME) as string[]
      );
    });
    return () => abort.abort();
  }, [node, enabled]);
  return over;
}
