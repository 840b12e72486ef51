import type { Contents } from '@jupyterlab/services';
import { fileIcon, folderIcon } from '@jupyterlab/ui-components';
import React from 'react';

import { carry, CommandButton } from '../components/actions';
import { Empty, Problem, Skeleton } from '../components/empty';
import { bytes } from '../components/format';
import { Grid, type IColumn, type ISort } from '../components/grid';
import { useArgs, useSignal, useStudio } from '../components/hooks';
import { When } from '../components/parts';
import type { StudioView } from '../core/documents';
import { bucketIcon } from '../icons';
import type { Actions } from './actions';
import { Address } from './address';
import { type Browser, idOf } from './browser';
import { ObjectCommands, openEntry } from './commands';
import { Details } from './details';
import { useDrops } from './drops';
import { contentsFiles, droppedFiles } from './files';
import type { IEntry } from './listing';
import { Transfers } from './transfers';
import type { IFile, Uploads } from './uploads';

/** What the plugin keeps while pages come and go. */
export interface IObjects {
  browser: Browser;
  uploads: Uploads;
  actions: Actions;
  contents: Contents.IManager;
}

interface IArgs {
  bucket?: string;
  prefix?: string;
  filter?: string;
  sort?: ISort;
  widths?: Record<string, number>;
  /** The tab of the details; "" while they are closed. */
  details?: string;
}

const ICONS = { bucket: bucketIcon, folder: folderIcon, object: fileIcon };
const AHEAD = 100;
const FILTER_MS = 250;

/** The S3 browser over `objects`. */
export function objectsPage(
  objects: IObjects
): React.ComponentType<{ view: StudioView }> {
  return function Page({ view }) {
    return <ObjectsPage view={view} {...objects} />;
  };
}

function ObjectsPage(
  props: { view: StudioView } & IObjects
): React.JSX.Element {
  const { view, browser, uploads, actions, contents } = props;
  const studio = useStudio();
  const { trans } = studio;
  const [args, setArgs] = useArgs<IArgs>(view);
  const root = React.useRef<HTMLDivElement>(null);
  useSignal(browser.changed);
  useBrowserArgs(browser, args, setArgs);

  const { place } = browser;
  const upload = (files: Promise<IFile[]>) =>
    void files.then(found => actions.upload(place.bucket, found));
  const over = useDrops(
    root,
    place.bucket !== '',
    transfer => upload(droppedFiles(transfer, place.prefix)),
    paths => upload(contentsFiles(contents, paths, place.prefix))
  );
  const onKeyDown = (event: React.KeyboardEvent) => {
    const act = event.altKey
      ? {
          ArrowLeft: () => browser.back(),
          ArrowRight: () => browser.forward(),
          ArrowUp: () => browser.up()
        }[event.key]
      : undefined;
    if (act) {
      event.preventDefault();
      event.stopPropagation();
      act();
    }
  };
  const details = args.details ?? 'preview';
  return (
    <div
      ref={root}
      className={`jp-StudioPage jp-StudioObjects ${over ? 'jp-mod-over' : ''}`}
      onKeyDown={onKeyDown}
    >
      <Bar browser={browser} />
      <div className="jp-StudioObjects-main">
        <Entries
          browser={browser}
          widths={args.widths}
          onWidths={widths => setArgs({ widths })}
          onSort={sort => setArgs({ sort })}
          onOpen={entry => openEntry(studio, browser, entry)}
        />
        {details && (
          <Details
            browser={browser}
            tab={details}
            onTab={tab => setArgs({ details: tab })}
            onClose={() => setArgs({ details: '' })}
          />
        )}
      </div>
      <footer className="jp-StudioObjects-footer">
        <Extent browser={browser} />
        {!details && (
          <button
            className="jp-StudioButton jp-mod-minimal"
            onClick={() => setArgs({ details: 'preview' })}
          >
            {trans.__('Show Details')}
          </button>
        )}
      </footer>
      <Transfers uploads={uploads} />
      {over && (
        <div className="jp-StudioObjects-over" aria-hidden="true">
          {trans.__('Drop to upload to s3://%1/%2', place.bucket, place.prefix)}
        </div>
      )}
    </div>
  );
}

/** The page's arguments lead the browser, and follow it. */
function useBrowserArgs(
  browser: Browser,
  args: IArgs,
  setArgs: (changes: Partial<IArgs>) => void
): void {
  const { bucket = '', prefix = '', filter = '', sort } = args;
  React.useEffect(() => {
    browser.go({ bucket, prefix, filter });
  }, [browser, bucket, prefix, filter]);
  React.useEffect(() => {
    if (sort) {
      browser.sort = sort;
    }
  }, [browser, sort]);
  React.useEffect(() => {
    const follow = () => {
      const { place } = browser;
      setArgs({
        bucket: place.bucket || undefined,
        prefix: place.prefix || undefined,
        filter: place.filter || undefined
      });
    };
    browser.changed.connect(follow);
    return () => {
      browser.changed.disconnect(follow);
    };
  }, [browser, setArgs]);
}

function Bar(props: { browser: Browser }): React.JSX.Element {
  const { browser } = props;
  const { trans } = useStudio();
  const { place } = browser;
  return (
    <header className="jp-StudioPage-header">
      <div className="jp-StudioObjects-moves">
        <button
          className="jp-StudioButton"
          disabled={!browser.canGoBack}
          aria-label={trans.__('Back')}
          title={trans.__('Back (Alt+Left)')}
          onClick={() => browser.back()}
        >
          ←
        </button>
        <button
          className="jp-StudioButton"
          disabled={!browser.canGoForward}
          aria-label={trans.__('Forward')}
          title={trans.__('Forward (Alt+Right)')}
          onClick={() => browser.forward()}
        >
          →
        </button>
        <button
          className="jp-StudioButton"
          disabled={!place.bucket}
          aria-label={trans.__('Up')}
          title={trans.__('Up (Alt+Up)')}
          onClick={() => browser.up()}
        >
          ↑
        </button>
      </div>
      <Address place={place} onGo={to => browser.go(to)} />
      <Filter key={`${place.bucket}/${place.prefix}`} browser={browser} />
      <div className="jp-StudioPage-actions">
        <Act command={ObjectCommands.uploadFiles} accept />
        <Act command={ObjectCommands.uploadFolder} />
        <Act command={ObjectCommands.newFolder} />
        <Act command={ObjectCommands.newBucket} accept />
        {browser.selection.length > 0 && (
          <>
            <Act command={ObjectCommands.download} />
            <Act command={ObjectCommands.copyUri} />
            <Act command={ObjectCommands.remove} />
          </>
        )}
      </div>
    </header>
  );
}

/** A button of a command, hidden where the command is. */
function Act(props: {
  command: string;
  accept?: boolean;
}): React.JSX.Element | null {
  const { commands } = useStudio();
  const { command } = props;
  return commands.isVisible(command) ? (
    <CommandButton
      command={command}
      kind={props.accept ? 'accept' : undefined}
      disabled={!commands.isEnabled(command)}
    >
      {commands.label(command)}
    </CommandButton>
  ) : null;
}

function Filter(props: { browser: Browser }): React.JSX.Element {
  const { browser } = props;
  const { trans } = useStudio();
  const { place } = browser;
  const [text, setText] = React.useState(place.filter);
  React.useEffect(() => {
    const timer = setTimeout(
      () => browser.go({ ...browser.place, filter: text }),
      FILTER_MS
    );
    return () => clearTimeout(timer);
  }, [browser, text]);
  return (
    <input
      type="search"
      className="jp-StudioObjects-filter"
      placeholder={trans.__('Starts with…')}
      aria-label={trans.__('Show only names that start with')}
      value={text}
      onChange={event => setText(event.target.value)}
    />
  );
}

function Entries(props: {
  browser: Browser;
  widths?: Record<string, number>;
  onWidths: (widths: Record<string, number>) => void;
  onSort: (sort: ISort) => void;
  onOpen: (entry: IEntry) => void;
}): React.JSX.Element {
  const { browser } = props;
  const { commands, trans } = useStudio();
  const { entries, listing, place } = browser;
  const count = entries.length;
  const onRange = React.useCallback(
    (_: number, last: number) => {
      if (last > count - AHEAD && listing?.error === null) {
        listing.more();
      }
    },
    [listing, count]
  );
  if (listing?.error && !count) {
    return <Problem error={listing.error} retry={() => browser.refresh()} />;
  }
  if (!listing || (listing.loading && !count)) {
    return <Skeleton lines={8} />;
  }
  return (
    <Grid
      key={`${place.bucket}/${place.prefix}`}
      label={
        place.bucket
          ? trans.__('Objects in s3://%1/%2', place.bucket, place.prefix)
          : trans.__('Buckets')
      }
      columns={columns(trans, place.bucket !== '')}
      count={count}
      row={index => entries[index]}
      keyOf={idOf}
      onRange={onRange}
      sort={browser.sort}
      onSort={props.onSort}
      widths={props.widths}
      onWidths={props.onWidths}
      selected={browser.selected}
      onSelect={keys => (browser.selected = keys)}
      onOpen={props.onOpen}
      onDelete={() => void commands.execute(ObjectCommands.remove)}
      onDragStart={(entry, event) =>
        carry(event, { kind: 'object', name: browser.uriOf(entry) })
      }
      empty={<Nothing browser={browser} />}
    />
  );
}

function columns(
  trans: ReturnType<typeof useStudio>['trans'],
  inBucket: boolean
): IColumn<IEntry>[] {
  const all: IColumn<IEntry>[] = [
    {
      id: 'name',
      title: trans.__('Name'),
      width: 320,
      sortable: true,
      cell: entry => (
        <span className="jp-StudioObjects-name">
          {React.createElement(ICONS[entry.kind].react, { tag: 'span' })}
          <span title={entry.name}>{entry.name}</span>
        </span>
      )
    },
    {
      id: 'size',
      title: trans.__('Size'),
      width: 90,
      sortable: true,
      numeric: true,
      cell: entry => (entry.size === undefined ? '' : bytes(entry.size))
    },
    {
      id: 'modified',
      title: inBucket ? trans.__('Modified') : trans.__('Created'),
      width: 140,
      sortable: true,
      cell: entry => entry.modified && <When at={entry.modified} />
    }
  ];
  return inBucket ? all : all.filter(column => column.id !== 'size');
}

function Nothing(props: { browser: Browser }): React.JSX.Element {
  const { trans } = useStudio();
  const { place } = props.browser;
  if (place.filter) {
    return (
      <Empty title={trans.__('No name starts with “%1”.', place.filter)} />
    );
  }
  return place.bucket ? (
    <Empty
      title={trans.__('Nothing is here yet')}
      hint={trans.__('Drop files here, or choose them.')}
    >
      <Act command={ObjectCommands.uploadFiles} accept />
    </Empty>
  ) : (
    <Empty
      title={trans.__('There is no bucket yet')}
      hint={trans.__(
        'Buckets hold the data that jobs read, and the models that they make.'
      )}
    >
      <Act command={ObjectCommands.newBucket} accept />
    </Empty>
  );
}

/** How much is shown, and whether that is all. */
function Extent(props: { browser: Browser }): React.JSX.Element {
  const { browser } = props;
  const { trans } = useStudio();
  const { entries, listing, selection } = browser;
  const all = trans._n('%1 item', '%1 items', entries.length);
  const cut = listing && !listing.complete && !listing.error;
  const parts = [
    cut ? trans.__('The first %1, sorted among themselves', all) : all,
    selection.length > 0 && trans.__('%1 selected', selection.length)
  ];
  return (
    <>
      <span role="status">{parts.filter(Boolean).join(' · ')}</span>
      {cut && (
        <button
          className="jp-StudioButton jp-mod-minimal"
          disabled={listing.loading}
          onClick={() => listing.more()}
        >
          {listing.loading ? trans.__('Loading…') : trans.__('Load More')}
        </button>
      )}
      {listing?.error !== null && entries.length > 0 && (
        <button
          className="jp-StudioButton jp-mod-warn"
          onClick={() => browser.refresh()}
        >
          {trans.__('Not up to date: Retry')}
        </button>
      )}
    </>
  );
}
