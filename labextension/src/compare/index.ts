import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import { ICommandPalette, WidgetTracker } from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import type { DocumentWidget } from '@jupyterlab/docregistry';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { IMainMenu } from '@jupyterlab/mainmenu';

import { compareIcon } from '../icons';
import { CommandIDs, IStudio } from '../tokens';
import { ViewFactory, type ViewFile } from './document';
import { EXTENSION, saveView } from './save';
import { PANES } from './state';
import type { ViewStore } from './store';
import { storeOf } from './unsaved';

const FACTORY = 'Studio view';
const FILE_TYPE = 'studioview';

const names = (description: string) => ({
  type: 'array',
  items: { type: 'string' },
  description
});

/** The document that compares trial components. */
export const compare: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-ml-studio:compare',
  description: 'Compares trial components; opens .studioview files.',
  autoStart: true,
  requires: [IStudio],
  optional: [
    ICommandPalette,
    IDocumentManager,
    IDefaultFileBrowser,
    ILayoutRestorer,
    IMainMenu
  ],
  activate: (
    app: JupyterFrontEnd,
    studio: IStudio,
    palette: ICommandPalette | null,
    documents: IDocumentManager | null,
    files: IDefaultFileBrowser | null,
    restorer: ILayoutRestorer | null,
    menu: IMainMenu | null
  ): void => {
    registerPage(studio);
    const tracker = registerFile(app, studio, restorer);
    const current = (): ViewStore | null => {
      const view = studio.documents.current;
      const unsaved = view?.type.command === CommandIDs.compare ? view : null;
      const file = tracker.currentWidget;
      return unsaved
        ? storeOf(unsaved)
        : file && file === app.shell.currentWidget
          ? file.content.store
          : null;
    };
    addSteps(app, studio, current, menu);
    const { trans } = studio;
    app.commands.addCommand(CommandIDs.saveView, {
      label: trans.__('Save View…'),
      caption: trans.__('Make a file of the view at the front'),
      describedBy: { args: { type: 'object', properties: {} } },
      isEnabled: () => documents !== null && current() !== null,
      execute: async () => {
        const store = current();
        const view = studio.documents.current;
        const folder = files?.model.path ?? '';
        if (
          store &&
          documents &&
          (await saveView(studio, documents, store.state, folder))
        ) {
          // The file stands for the page from now on.
          view?.parent?.close();
        }
      }
    });
    for (const command of [CommandIDs.compare, CommandIDs.saveView]) {
      const args = { isPalette: true };
      palette?.addItem({ command, category: trans.__('Studio'), args });
    }
  }
};

function registerPage(studio: IStudio): void {
  const { trans } = studio;
  studio.documents.register(
    {
      command: CommandIDs.compare,
      label: trans.__('Compare'),
      caption: trans.__('Compare trial components'),
      icon: compareIcon,
      properties: {
        query: { type: 'string', description: 'Text of the query language.' },
        names: names('The trial components to compare; all when absent.'),
        selection: names('Those that are chosen.'),
        pane: { type: 'string', enum: [...PANES] }
      },
      key: args =>
        args['query'] || args['names']
          ? JSON.stringify([args['query'] ?? '', args['names'] ?? null])
          : '',
      title: args =>
        Array.isArray(args['names'])
          ? trans.__('Compare %1', args['names'].length)
          : trans.__('Compare'),
      page: async () => (await import('./page')).ComparePage
    },
    studio
  );
}

function registerFile(
  app: JupyterFrontEnd,
  studio: IStudio,
  restorer: ILayoutRestorer | null
): WidgetTracker<DocumentWidget<ViewFile>> {
  const { trans } = studio;
  app.docRegistry.addFileType({
    name: FILE_TYPE,
    displayName: trans.__('Studio view'),
    extensions: [EXTENSION],
    mimeTypes: ['application/x-studio-view+json'],
    contentType: 'file',
    fileFormat: 'text',
    icon: compareIcon
  });
  const factory = new ViewFactory(
    {
      name: FACTORY,
      label: trans.__('Studio view'),
      modelName: 'text',
      fileTypes: [FILE_TYPE],
      defaultFor: [FILE_TYPE]
    },
    studio
  );
  const tracker = new WidgetTracker<DocumentWidget<ViewFile>>({
    namespace: 'studio-view'
  });
  factory.widgetCreated.connect((_, widget) => {
    widget.title.icon = compareIcon;
    widget.context.pathChanged.connect(() => void tracker.save(widget));
    void tracker.add(widget);
  });
  app.docRegistry.addWidgetFactory(factory);
  void restorer?.restore(tracker, {
    command: 'docmanager:open',
    args: widget => ({ path: widget.context.path, factory: FACTORY }),
    name: widget => widget.context.path
  });
  return tracker;
}

/** Undo and redo of the view at the front, in the Edit menu too. */
function addSteps(
  app: JupyterFrontEnd,
  studio: IStudio,
  current: () => ViewStore | null,
  menu: IMainMenu | null
): void {
  const { trans } = studio;
  const describedBy = { args: { type: 'object', properties: {} } };
  app.commands.addCommand(CommandIDs.undoView, {
    label: trans.__('Undo Change of View'),
    describedBy,
    isEnabled: () => current()?.canUndo ?? false,
    execute: () => current()?.undo()
  });
  app.commands.addCommand(CommandIDs.redoView, {
    label: trans.__('Redo Change of View'),
    describedBy,
    isEnabled: () => current()?.canRedo ?? false,
    execute: () => current()?.redo()
  });
  const shown = () => current() !== null;
  menu?.editMenu.undoers.undo.add({
    id: CommandIDs.undoView,
    rank: 1,
    isEnabled: shown
  });
  menu?.editMenu.undoers.redo.add({
    id: CommandIDs.redoView,
    rank: 1,
    isEnabled: shown
  });
}
