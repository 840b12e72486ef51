import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import React from 'react';

import { Banner } from '../components/banner';
import { Boundary } from '../components/boundary';
import { StudioContext, useSignal } from '../components/hooks';
import type { Capacity } from '../core/capacity';
import { studioIcon } from '../icons';
import type { IStudio } from '../tokens';
import type { NavigatorModel } from './model';
import { Strip } from './strip';
import { Tree } from './tree';

/** The panel of the left sidebar: the load of the machine, a filter, the tree. */
export class Navigator extends ReactWidget {
  constructor(
    private _studio: IStudio,
    private _model: NavigatorModel,
    private _capacity: Capacity
  ) {
    super();
    this.id = 'jp-studio-navigator';
    this.addClass('jp-StudioPanel');
    this.addClass('jp-StudioNavigator');
    this.title.icon = studioIcon;
    this.title.caption = _studio.trans.__('Studio: data, jobs, endpoints');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', _studio.trans.__('Studio'));
  }

  /** Fetch whenever the panel is in view, from now on. */
  begin(): void {
    this._begun = true;
    this._model.active = this.isVisible;
  }

  dispose(): void {
    if (!this.isDisposed) {
      this._model.dispose();
      this._capacity.dispose();
      super.dispose();
    }
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._model.active = this._begun;
  }

  protected onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this._model.active = false;
  }

  protected render(): React.JSX.Element {
    return (
      <StudioContext.Provider value={this._studio}>
        <Boundary>
          <Banner />
          <Strip capacity={this._capacity} />
          <Filter model={this._model} />
          <Tree model={this._model} />
        </Boundary>
      </StudioContext.Provider>
    );
  }

  private _begun = false;
}

function Filter(props: { model: NavigatorModel }): React.JSX.Element {
  const { model } = props;
  const { trans } = React.useContext(StudioContext)!;
  useSignal(model.changed);
  return (
    <div className="jp-StudioNavigator-filter">
      <input
        type="search"
        value={model.filter}
        placeholder={trans.__('Filter by name')}
        aria-label={trans.__('Filter by name')}
        spellCheck={false}
        onChange={event => (model.filter = event.target.value)}
        onKeyDown={event => {
          if (event.key === 'Escape' && model.filter) {
            event.stopPropagation();
            model.filter = '';
          }
        }}
      />
    </div>
  );
}
