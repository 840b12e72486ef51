import type { CodeCell } from '@jupyterlab/cells';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';

import type { IStudio } from '../tokens';

/** Open the list when "/" is typed into an empty code cell, for as long as `enabled` says so. */
export function watchSlashes(
  studio: IStudio,
  notebooks: INotebookTracker,
  enabled: () => boolean
): void {
  const watch = (panel: NotebookPanel) =>
    panel.content.node.addEventListener(
      'keydown',
      event => {
        const cell = typedInto(panel, event);
        if (cell && enabled()) {
          void openSlash(studio, cell);
        }
      },
      true
    );
  notebooks.forEach(watch);
  notebooks.widgetAdded.connect((_, panel) => watch(panel));
}

/** Open the list at a cell in which "/" stands, or is about to. */
export async function openSlash(
  studio: IStudio,
  cell: CodeCell
): Promise<void> {
  const { openList } = await import('./slash');
  openList(studio, cell);
}

/** The empty code cell that a plain "/" is being typed into. */
function typedInto(
  panel: NotebookPanel,
  event: KeyboardEvent
): CodeCell | null {
  const cell = panel.content.activeCell;
  const plain =
    event.key === '/' &&
    !event.isComposing &&
    !event.ctrlKey &&
    !event.metaKey &&
    !event.altKey;
  const inEditor =
    event.target instanceof HTMLElement &&
    event.target.closest('.cm-content') !== null;
  return plain &&
    inEditor &&
    cell?.model.type === 'code' &&
    cell.model.sharedModel.getSource() === ''
    ? (cell as CodeCell)
    : null;
}
