import {
  type INotebookTracker,
  type NotebookPanel
} from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

import { notifyError } from '../core/errors';
import { DRAG_MIME, type IDragged, type IStudio } from '../tokens';

const BEFORE = 'jp-mod-studioBefore';
const AFTER = 'jp-mod-studioAfter';

/** Let notebooks take jobs, models, endpoints and objects where they are dropped. */
export function takeDrops(studio: IStudio, notebooks: INotebookTracker): void {
  const watch = (panel: NotebookPanel) => new Drops(studio, panel);
  notebooks.forEach(watch);
  notebooks.widgetAdded.connect((_, panel) => void watch(panel));
}

class Drops {
  constructor(
    private _studio: IStudio,
    private _panel: NotebookPanel
  ) {
    // Before the editors, which would take the text.
    const { node } = _panel.content;
    node.addEventListener('dragover', this, true);
    node.addEventListener('dragleave', this, true);
    node.addEventListener('drop', this, true);
  }

  handleEvent(event: DragEvent): void {
    if (!event.dataTransfer?.types.includes(DRAG_MIME)) {
      return;
    }
    this._mark(null, '');
    if (event.type === 'dragleave') {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    const index = this._indexAt(event.clientY);
    if (event.type === 'drop') {
      const data = event.dataTransfer.getData(DRAG_MIME);
      void this._insert(index, JSON.parse(data) as IDragged);
      return;
    }
    event.dataTransfer.dropEffect = 'copy';
    const { widgets } = this._panel.content;
    const last = index === widgets.length;
    this._mark(
      widgets[last ? index - 1 : index]?.node ?? null,
      last ? AFTER : BEFORE
    );
  }

  /** The index that a cell dropped at this height gets. */
  private _indexAt(y: number): number {
    const { widgets } = this._panel.content;
    const below = widgets.findIndex(cell => {
      const { top, height } = cell.node.getBoundingClientRect();
      return cell.isVisible && height > 0 && y < top + height / 2;
    });
    return below < 0 ? widgets.length : below;
  }

  private _mark(node: HTMLElement | null, where: string): void {
    this._marked?.classList.remove(BEFORE, AFTER);
    this._marked = node;
    node?.classList.add(where);
  }

  private async _insert(index: number, thing: IDragged): Promise<void> {
    const { client, trans } = this._studio;
    try {
      const { loader } = await import('./loaders');
      insertAt(this._panel, index, await loader(client, thing));
    } catch (error) {
      notifyError(whyNot(trans, thing), error);
    }
  }

  private _marked: HTMLElement | null = null;
}

/** Put code into a new cell at an index. */
export function insertAt(
  panel: NotebookPanel,
  index: number,
  code: string
): void {
  const { content } = panel;
  content.model?.sharedModel.insertCell(index, {
    cell_type: 'code',
    source: code
  });
  content.activeCellIndex = index;
  content.deselectAll();
  void content.scrollToItem(index);
}

/** What to say when a thing could not be inserted. */
export function whyNot(trans: TranslationBundle, thing: IDragged): string {
  return trans.__('%1 was not inserted', thing.name);
}
