import type { Contents } from '@jupyterlab/services';
import { fileIcon, folderIcon } from '@jupyterlab/ui-components';
import React from 'react';

import { carry } from '../components/actions';
import { Empty, Problem, Skeleton } from '../components/empty';
import { bytes } from '../components/format';
import { Grid, type IColumn, type ISort } from '../components/grid';
import { useArgs, useSignal, useStudio } from '../components/hooks';
import { When } from '../components/parts';
import type { StudioView } from '../core/documents';
import { bucketIcon } from '../icons';
import type { IStudio } from '../tokens';
import { Actions } from './actions';
import { Act, Bar, Extent } from './bar';
import { Browser, idOf } from './browser';
import { addCommands, ObjectCommands, openEntry } from './commands';
import { Details } from './details';
import { useDrops } from './drops';
import { contentsFiles, droppedFiles } from './files';
import type { IEntry } from './listing';
import { Transfers } from './transfers';
import { type IFile, Uploads } from './uploads';

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

/** Make them, and the commands of the S3 browser's menu and toolbar. */
export function makeObjects(
  studio: IStudio,
  contents: Contents.IManager
): IObjects {
  const browser = new Browser(studio);
  const uploads = new Uploads(studio.client);
  const actions = new Actions(studio, browser, uploads);
  addCommands(studio, browser, actions);
  return { browser, uploads, actions, contents };
}

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
      <div className="jp-StudioObjects-footer">
        <Extent browser={browser} />
        {!details && (
          <button
            className="jp-StudioButton jp-mod-minimal"
            onClick={() => setArgs({ details: 'preview' })}
          >
            {trans.__('Show Details')}
          </button>
        )}
      </div>
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
  React.useEffect(() => () => browser.leave(), [browser]);
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
  if (listing?.error && !listing.begun) {
    return (
      <Problem
        what={trans.__(
          '%1 could not be listed.',
          place.bucket ? `s3://${place.bucket}/${place.prefix}` : 'S3'
        )}
        error={listing.error}
        retry={() => browser.refresh()}
      />
    );
  }
  if (!listing?.begun) {
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
