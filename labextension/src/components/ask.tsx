import { Dialog, showDialog } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';

import type { IStudio } from '../tokens';
import { StudioContext } from './hooks';

/** Fields that edit a value. */
export type Fields<T> = React.ComponentType<{
  value: T;
  onChange: (value: T) => void;
}>;

/** Ask for a value in a dialog; null when it was cancelled. */
export async function asked<T>(
  studio: IStudio,
  options: { title: string; accept: string; first: T; fields: Fields<T> }
): Promise<T | null> {
  const body = new Body(studio, options.first, options.fields);
  const result = await showDialog({
    title: options.title,
    body,
    buttons: [
      Dialog.cancelButton(),
      Dialog.okButton({ label: options.accept })
    ],
    focusNodeSelector: 'input'
  });
  return result.button.accept ? result.value : null;
}

class Body<T> extends ReactWidget implements Dialog.IBodyWidget<T> {
  constructor(
    private _studio: IStudio,
    private _value: T,
    private _fields: Fields<T>
  ) {
    super();
    this.addClass('jp-StudioView');
    this.addClass('jp-StudioAsk');
  }

  getValue(): T {
    return this._value;
  }

  protected render(): React.JSX.Element {
    const Fields = this._fields;
    return (
      <StudioContext.Provider value={this._studio}>
        <Fields
          value={this._value}
          onChange={value => {
            this._value = value;
            this.update();
          }}
        />
      </StudioContext.Provider>
    );
  }
}
