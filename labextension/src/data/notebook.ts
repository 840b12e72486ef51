import type { JupyterFrontEnd } from '@jupyterlab/application';
import { InputDialog, Notification } from '@jupyterlab/apputils';
import {
  type INotebookTracker,
  NotebookActions,
  type NotebookPanel
} from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

/**
 * Put code into a cell below the selected one of the notebook that is open; of several the user
 * chooses one, and where there is none a new one is made.
 */
export async function insertCode(
  app: JupyterFrontEnd,
  notebooks: INotebookTracker,
  code: string,
  trans: TranslationBundle
): Promise<void> {
  const open = notebooks.filter(() => true);
  let panel: NotebookPanel | null = open[0] ?? null;
  if (open.length > 1) {
    const choice = await chosen(open, notebooks.currentWidget, trans);
    if (choice === null) {
      return;
    }
    panel = open[choice] ?? null;
  }
  panel ??= await created(app);
  await panel.context.ready;
  putBelow(panel, code);
  const { id } = panel;
  Notification.success(
    trans.__('A cell was inserted into %1.', panel.context.localPath),
    {
      autoClose: 4000,
      actions: [
        { label: trans.__('Show'), callback: () => app.shell.activateById(id) }
      ]
    }
  );
}

/** The place of a notebook among those that are open, that of none for a new one. */
async function chosen(
  open: NotebookPanel[],
  current: NotebookPanel | null,
  trans: TranslationBundle
): Promise<number | null> {
  const items = open.map(panel => panel.context.localPath);
  items.push(trans.__('New notebook'));
  const { value } = await InputDialog.getItem({
    title: trans.__('Insert into which notebook?'),
    items,
    current: Math.max(0, current ? open.indexOf(current) : 0)
  });
  return value === null ? null : items.indexOf(value);
}

async function created(app: JupyterFrontEnd): Promise<NotebookPanel> {
  const { kernelspecs } = app.serviceManager;
  await kernelspecs.ready;
  return (await app.commands.execute('notebook:create-new', {
    kernelName: kernelspecs.specs?.default
  })) as NotebookPanel;
}

function putBelow(panel: NotebookPanel, code: string): void {
  const notebook = panel.content;
  const active = notebook.activeCell?.model;
  if (active?.type !== 'code' || active.sharedModel.getSource().trim()) {
    NotebookActions.insertBelow(notebook);
  }
  notebook.activeCell?.model.sharedModel.setSource(code);
  notebook.mode = 'command';
  void notebook.scrollToItem(notebook.activeCellIndex);
}
