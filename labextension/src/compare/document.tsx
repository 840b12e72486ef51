import {
  ABCWidgetFactory,
  DocumentRegistry,
  DocumentWidget
} from '@jupyterlab/docregistry';
import { ReactWidget } from '@jupyterlab/ui-components';
import { Signal } from '@lumino/signaling';
import React from 'react';

import { Frame } from '../core/documents';
import type { IStudio } from '../tokens';
import { INITIAL } from './state';
import { type IParsed, parsed, serialised } from './file';
import { ViewStore } from './store';

const Loaded = React.lazy(() => import('./file-page'));

/** A view that a file keeps: every change makes the file dirty, and another text another view. */
export class ViewFile extends ReactWidget {
  constructor(
    readonly context: DocumentRegistry.Context,
    private _studio: IStudio
  ) {
    super();
    this.addClass('jp-StudioView');
    this.store.changed.connect(this._write, this);
    void context.ready.then(() => {
      if (!this.isDisposed) {
        this._read();
        context.model.contentChanged.connect(this._read, this);
      }
    });
  }

  readonly store = new ViewStore();

  /** What was read of the file, and what could not be. */
  get parsed(): IParsed | null {
    return this._parsed;
  }

  /** Give up what the file holds: it is no view. */
  startAnew(): void {
    this._parsed = parsed('');
    this.store.reset(INITIAL);
    this._text = serialised(INITIAL);
    this._put(this._text);
    this.update();
  }

  dispose(): void {
    if (!this.isDisposed) {
      Signal.disconnectReceiver(this);
      this.store.dispose();
      super.dispose();
    }
  }

  protected render(): React.JSX.Element {
    return (
      <Frame studio={this._studio}>
        {this._parsed && <Loaded file={this} parsed={this._parsed} />}
      </Frame>
    );
  }

  private _read(): void {
    const text = this.context.model.toString();
    if (text !== this._text) {
      this._text = text;
      this._parsed = parsed(text);
      this.store.reset(this._parsed.state);
      this.update();
    }
  }

  private _write(): void {
    const text = serialised(this.store.state);
    // What was read is written again only when it says something else.
    const same = text === serialised(parsed(this._text ?? '').state);
    if (!this._parsed?.broken && this.context.isReady && !same) {
      this._text = text;
      this._put(text);
    }
  }

  private _put(text: string): void {
    this.context.model.fromString(text);
    // Editors set it at every key; nobody does for a text that is replaced.
    this.context.model.dirty = true;
  }

  private _text: string | null = null;
  private _parsed: IParsed | null = null;
}

/** Opens `.studioview` files. */
export class ViewFactory extends ABCWidgetFactory<DocumentWidget<ViewFile>> {
  constructor(
    options: DocumentRegistry.IWidgetFactoryOptions<DocumentWidget<ViewFile>>,
    private _studio: IStudio
  ) {
    super(options);
  }

  protected createNewWidget(
    context: DocumentRegistry.Context
  ): DocumentWidget<ViewFile> {
    const content = new ViewFile(context, this._studio);
    const widget = new DocumentWidget({ content, context });
    widget.toolbar.hide();
    return widget;
  }
}
