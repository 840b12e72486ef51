import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Clipboard, ICommandPalette, Notification } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs, IStudio } from '../tokens';
import { Capacity } from './capacity';
import { Client } from './client';
import { Documents } from './documents';
import { Feed } from './feed';

/** Provides what all panels share. */
export const studio: JupyterFrontEndPlugin<IStudio> = {
  id: 'jupyter-ml-studio:studio',
  description: 'Provides the client, the events and the documents of Studio.',
  autoStart: true,
  provides: IStudio,
  optional: [ILayoutRestorer, ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): IStudio => {
    const trans = (translator ?? nullTranslator).load('jupyter_ml_studio');
    const client = new Client(app.serviceManager.serverSettings);
    const feed = new Feed(client);
    const capacity = new Capacity(feed);
    const documents = new Documents(app, restorer);
    // Kept now: JupyterLab's router cleans the address.
    const search = window.location.search;
    void app.restored.then(() => {
      feed.start();
      return documents.openLinked(search);
    });
    app.commands.addCommand(CommandIDs.copyLink, {
      label: trans.__('Copy Link to This Page'),
      caption: trans.__(
        'Copy a URL that opens the current page of Studio as it is now'
      ),
      describedBy: { args: { type: 'object', properties: {} } },
      isEnabled: () => documents.current !== null,
      execute: () => {
        Clipboard.copyToSystem(documents.current!.link);
        Notification.success(trans.__('The link was copied.'), {
          autoClose: 2000
        });
      }
    });
    palette?.addItem({
      command: CommandIDs.copyLink,
      category: trans.__('Studio')
    });
    const { commands } = app;
    return { client, feed, capacity, documents, commands, trans };
  }
};
