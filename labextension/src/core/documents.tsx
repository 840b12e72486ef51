import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { URLExt } from '@jupyterlab/coreutils';
import { type LabIcon, ReactWidget } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import {
  JSONExt,
  type PartialJSONObject,
  type ReadonlyJSONObject,
  type ReadonlyPartialJSONObject
} from '@lumino/coreutils';
import { type ISignal, Signal } from '@lumino/signaling';
import React from 'react';

import { Banner } from '../components/banner';
import { Boundary } from '../components/boundary';
import { Skeleton } from '../components/empty';
import { StudioContext } from '../components/hooks';
import type { IStudio } from '../tokens';

/** A kind of page of the main area, opened by a command. */
export interface IDocumentType {
  /** The command that opens it: `studio:open-job`. */
  command: string;
  label: string;
  caption: string;
  icon: LabIcon;
  /** JSON schema of the arguments: what names the thing, and the state of the page. */
  properties: ReadonlyJSONObject;
  /** What the arguments of a command also say of a page that is open; undefined removes. */
  implied?: (
    args: ReadonlyPartialJSONObject
  ) => Record<string, PartialJSONObject[string] | undefined>;
  /** What makes two sets of arguments the same page; "" for a page of which there is one. */
  key: (args: ReadonlyPartialJSONObject) => string;
  /** Text of the tab. */
  title: (args: ReadonlyPartialJSONObject) => string;
  /** The page; fetched when the first one opens. */
  page: () => Promise<React.ComponentType<{ view: StudioView }>>;
  /** Asks for what a page shows: its code may still be on its way then, and JupyterLab be busy. */
  begin?: (view: StudioView) => void;
}

/**
 * What every page stands in: what it needs, the banner, and what to show while it is fetched.
 * `retry` is called before a page that failed is drawn again.
 */
export function Frame(
  props: React.PropsWithChildren<{ studio: IStudio; retry?: () => void }>
): React.JSX.Element {
  return (
    <StudioContext.Provider value={props.studio}>
      <div className="jp-StudioFrame">
        <Banner />
        <div className="jp-StudioFrame-body">
          <Boundary retry={props.retry}>
            <React.Suspense fallback={<Skeleton />}>
              {props.children}
            </React.Suspense>
          </Boundary>
        </div>
      </div>
    </StudioContext.Provider>
  );
}

/**
 * One open page. Its arguments are all that it needs to come back after a reload or through a
 * link; React reads and changes them with `useArgs`.
 */
export class StudioView extends ReactWidget {
  constructor(
    readonly type: IDocumentType,
    args: ReadonlyPartialJSONObject,
    private _studio: IStudio
  ) {
    super();
    this._args = args;
    this.addClass('jp-StudioView');
  }

  get args(): ReadonlyPartialJSONObject {
    return this._args;
  }

  get argsChanged(): ISignal<this, void> {
    return this._argsChanged;
  }

  /** Merge into the arguments; a value of undefined removes. */
  setArgs(changes: {
    [key: string]: PartialJSONObject[string] | undefined;
  }): void {
    const args = JSON.parse(
      JSON.stringify({ ...this._args, ...changes })
    ) as PartialJSONObject;
    if (!JSONExt.deepEqual(args, this._args)) {
      this._args = args;
      this._argsChanged.emit();
    }
  }

  /** The URL that opens this page as it is now. */
  get link(): string {
    const query = new URLSearchParams({
      studio: this.type.command.replace('studio:', ''),
      args: JSON.stringify(this._args)
    });
    return `${URLExt.join(this._studio.client.settings.baseUrl, 'lab')}?${query.toString()}`;
  }

  protected render(): React.JSX.Element {
    return (
      <Frame studio={this._studio} retry={() => pages.delete(this.type)}>
        <Page view={this} />
      </Frame>
    );
  }

  private _args: ReadonlyPartialJSONObject;
  private _argsChanged = new Signal<this, void>(this);
}

/** The pages of the main area: opens, restores and links them. */
export class Documents {
  constructor(
    private _app: JupyterFrontEnd,
    private _restorer: ILayoutRestorer | null
  ) {}

  /** Let the command of `type` open its pages, and bring back those that were open. */
  register(type: IDocumentType, studio: IStudio): void {
    const namespace = type.command.replace(':', '-');
    const tracker = new WidgetTracker<MainAreaWidget<StudioView>>({
      namespace
    });
    const options: CommandRegistry.ICommandOptions = {
      label: type.label,
      caption: type.caption,
      icon: args => (args['isPalette'] ? undefined : type.icon),
      describedBy: {
        args: { type: 'object', properties: type.properties }
      },
      execute: args => this._open(type, tracker, args, studio)
    };
    this._app.commands.addCommand(type.command, options);
    this._types.set(type.command, type);
    void this._restorer?.restore(tracker, {
      command: type.command,
      args: widget => widget.content.args,
      name: widget => widget.id
    });
  }

  /** The page that is at the front, if it is one of Studio's. */
  get current(): StudioView | null {
    const widget = this._app.shell.currentWidget;
    return widget instanceof MainAreaWidget &&
      widget.content instanceof StudioView
      ? widget.content
      : null;
  }

  /** Open what the page's own URL asks for; only commands that show something are obeyed. */
  async openLinked(search: string): Promise<void> {
    const query = new URLSearchParams(search);
    const command = `studio:${query.get('studio')}`;
    if (!this._types.has(command)) {
      return;
    }
    let args: PartialJSONObject = {};
    try {
      args = JSON.parse(query.get('args') ?? '{}') as PartialJSONObject;
    } catch {
      // A link that was cut: the page opens as new.
    }
    await this._app.commands.execute(command, args);
  }

  private async _open(
    type: IDocumentType,
    tracker: WidgetTracker<MainAreaWidget<StudioView>>,
    given: ReadonlyPartialJSONObject,
    studio: IStudio
  ): Promise<MainAreaWidget<StudioView>> {
    const args = { ...given };
    delete args['isPalette'];
    delete args['isLauncher'];
    const id = `${type.command.replace(':', '-')}-${type.key(args)}`;
    let widget = tracker.find(each => each.id === id);
    if (widget) {
      widget.content.setArgs({
        ...type.implied?.(args),
        ...(args as PartialJSONObject)
      });
    } else {
      widget = this._made(type, id, args, studio);
      const made = widget;
      void lazyPage(type);
      type.begin?.(made.content);
      made.content.argsChanged.connect(() => {
        made.title.label = type.title(made.content.args);
        void tracker.save(made);
      });
      await tracker.add(made);
    }
    if (!widget.isAttached) {
      this._app.shell.add(widget, 'main', { type: 'Studio' });
    }
    this._app.shell.activateById(widget.id);
    return widget;
  }

  private _made(
    type: IDocumentType,
    id: string,
    args: ReadonlyPartialJSONObject,
    studio: IStudio
  ): MainAreaWidget<StudioView> {
    const widget = new MainAreaWidget({
      content: new StudioView(type, args, studio)
    });
    widget.id = id;
    widget.title.label = type.title(args);
    widget.title.caption = type.caption;
    widget.title.icon = type.icon;
    widget.title.closable = true;
    widget.toolbar.hide();
    return widget;
  }

  private _types = new Map<string, IDocumentType>();
}

const pages = new Map<
  IDocumentType,
  React.LazyExoticComponent<React.ComponentType<{ view: StudioView }>>
>();

/** Looks its code up each time it is drawn, for Retry fetches it again. */
function Page({ view }: { view: StudioView }): React.JSX.Element {
  return React.createElement(lazyPage(view.type), { view });
}

/** The page of a type, which is fetched from the first call on. */
function lazyPage(
  type: IDocumentType
): React.ComponentType<{ view: StudioView }> {
  let page = pages.get(type);
  if (!page) {
    const fetched = type.page();
    page = React.lazy(async () => ({ default: await fetched }));
    pages.set(type, page);
  }
  return page;
}
