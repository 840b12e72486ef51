import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { IStateDB } from '@jupyterlab/statedb';
import { JSONExt } from '@lumino/coreutils';

import { Capacity } from '../core/capacity';
import { IStudio } from '../tokens';
import { type INavigatorState, NavigatorModel } from './model';
import { Navigator } from './panel';

const ID = 'jupyter-ml-studio:navigator';

/** The tree of everything that Studio has, in the left sidebar. */
export const navigator: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'Shows data, jobs, models and endpoints in the left sidebar.',
  autoStart: true,
  requires: [IStudio],
  optional: [ILayoutRestorer, IStateDB],
  activate: (
    app: JupyterFrontEnd,
    studio: IStudio,
    restorer: ILayoutRestorer | null,
    state: IStateDB | null
  ): void => {
    const model = new NavigatorModel(studio.client, studio.feed);
    const panel = new Navigator(studio, model, new Capacity(studio.feed));
    app.shell.add(panel, 'left', { rank: 250, type: 'Studio' });
    restorer?.add(panel, panel.id);
    void app.restored.then(async () => {
      const kept = await state?.fetch(ID);
      if (kept) {
        model.state = kept as unknown as INavigatorState;
      }
      panel.begin();
      let last = model.state;
      model.changed.connect(() => {
        const now = model.state;
        if (!JSONExt.deepEqual(now, last)) {
          last = now;
          void state?.save(ID, now);
        }
      });
    });
  }
};
