import { Dialog } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import { type ISignal, Signal } from '@lumino/signaling';
import React from 'react';

import { listBuckets, listFolder, parseS3 } from '../core/s3';
import type { IStudio } from '../tokens';
import { Empty, Problem, Skeleton } from './empty';
import { bytes } from './format';
import { Grid, type IColumn } from './grid';
import { StudioContext, useSignal, useStudio } from './hooks';
import { When } from './parts';

interface IEntry {
  name: string;
  /** Where it leads: a bucket or a folder ends with "/". */
  uri: string;
  size?: number;
  modified?: number;
}

interface IListing {
  entries: IEntry[];
  /** The listing was cut. */
  more: boolean;
}

/**
 * Ask for a bucket's object or folder; resolves to its S3 URI, or to null.
 *
 * With `other` the dialog has one more button, which resolves to "".
 */
export async function pickS3(
  studio: IStudio,
  options: { title: string; start?: string; other?: string }
): Promise<string | null> {
  const body = new PickerBody(studio, options.start ?? 's3://');
  const { trans } = studio;
  const dialog = new PickerDialog({
    title: options.title,
    body,
    buttons: [
      Dialog.cancelButton(),
      ...(options.other ? [Dialog.createButton({ label: options.other })] : []),
      Dialog.okButton({ label: trans.__('Open') })
    ],
    focusNodeSelector: '.jp-StudioPicker input'
  });
  dialog.addClass('jp-StudioPicker-dialog');
  const accept = options.other ? 2 : 1;
  body.accepted.connect(() => dialog.resolve(accept));
  const result = await dialog.launch();
  if (!result.button.accept) {
    return null;
  }
  const uri = result.value ?? '';
  if (result.button.label === options.other) {
    return '';
  }
  return parseS3(uri) ? uri : null;
}

/** Enter opens folders of the list; elsewhere it accepts, as in any dialog. */
class PickerDialog extends Dialog<string> {
  handleEvent(event: Event): void {
    const within =
      event.target instanceof HTMLElement &&
      !(event.target instanceof HTMLInputElement) &&
      event.target.closest('.jp-StudioPicker');
    if (!within || (event as KeyboardEvent).key !== 'Enter') {
      super.handleEvent(event);
    }
  }
}

class PickerBody extends ReactWidget implements Dialog.IBodyWidget<string> {
  constructor(
    private _studio: IStudio,
    private _uri: string
  ) {
    super();
    this.addClass('jp-StudioView');
  }

  getValue(): string {
    return this._uri;
  }

  get uri(): string {
    return this._uri;
  }

  set uri(uri: string) {
    this._uri = uri;
    this._changed.emit();
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get accepted(): Signal<this, void> {
    return this._accepted;
  }

  dispose(): void {
    if (!this.isDisposed) {
      Signal.clearData(this);
      super.dispose();
    }
  }

  protected render(): React.JSX.Element {
    return (
      <StudioContext.Provider value={this._studio}>
        <Picker body={this} />
      </StudioContext.Provider>
    );
  }

  private _changed = new Signal<this, void>(this);
  private _accepted = new Signal<this, void>(this);
}

function Picker({ body }: { body: PickerBody }): React.JSX.Element {
  const { client, trans } = useStudio();
  useSignal(body.changed);
  const [folder, setFolder] = React.useState(() => folderOf(body.uri));
  const [listing, setListing] = React.useState<IListing | null>(null);
  const [error, setError] = React.useState<unknown>(null);
  const [attempt, again] = React.useReducer((count: number) => count + 1, 0);
  React.useEffect(() => {
    const abort = new AbortController();
    setListing(null);
    setError(null);
    listed(client, folder, abort.signal).then(
      setListing,
      (problem: unknown) => !abort.signal.aborted && setError(problem)
    );
    return () => abort.abort();
  }, [client, folder, attempt]);

  const enter = (entry: IEntry) => {
    body.uri = entry.uri;
    if (entry.uri.endsWith('/')) {
      setFolder(entry.uri);
    } else {
      body.accepted.emit();
    }
  };
  const entries = listing?.entries ?? [];
  const typed = entries.some(entry => entry.uri === body.uri)
    ? ''
    : body.uri.slice(folder.length).toLowerCase();
  const shown = entries.filter(entry =>
    entry.name.toLowerCase().includes(typed)
  );
  const columns: IColumn<IEntry>[] = [
    {
      id: 'name',
      title: trans.__('Name'),
      width: 300,
      cell: entry => <span title={entry.uri}>{entry.name}</span>
    },
    {
      id: 'size',
      title: trans.__('Size'),
      width: 80,
      numeric: true,
      cell: entry => (entry.size === undefined ? '' : bytes(entry.size))
    },
    {
      id: 'modified',
      title: trans.__('Modified'),
      width: 120,
      cell: entry => entry.modified && <When at={entry.modified} />
    }
  ];
  return (
    <div className="jp-StudioPicker">
      <div className="jp-StudioPicker-bar">
        <button
          className="jp-StudioButton"
          disabled={folder === 's3://'}
          onClick={() => {
            body.uri = parentOf(folder);
            setFolder(body.uri);
          }}
        >
          {trans.__('Up')}
        </button>
        <input
          aria-label={trans.__('S3 URI')}
          value={body.uri}
          spellCheck={false}
          onChange={event => {
            body.uri = event.target.value;
            const next = folderOf(body.uri);
            if (next !== folder && body.uri.endsWith('/')) {
              setFolder(next);
            }
          }}
        />
      </div>
      {error !== null ? (
        <Problem error={error} retry={again} />
      ) : listing ? (
        <Grid
          label={trans.__('Contents of %1', folder)}
          columns={columns}
          count={shown.length}
          row={index => shown[index]}
          keyOf={entry => entry.uri}
          selected={new Set([body.uri])}
          onSelect={keys => (body.uri = [...keys][0] ?? folder)}
          onOpen={enter}
          empty={
            <Empty
              title={
                entries.length
                  ? trans.__('Nothing here is called that.')
                  : trans.__('Nothing is here yet.')
              }
            />
          }
        />
      ) : (
        <Skeleton />
      )}
      {listing?.more && (
        <p>
          {trans.__('The first 1,000 are listed; any other URI can be typed.')}
        </p>
      )}
    </div>
  );
}

async function listed(
  client: IStudio['client'],
  folder: string,
  signal: AbortSignal
): Promise<IListing> {
  const at = parseS3(folder);
  if (!at) {
    const buckets = await listBuckets(client, signal);
    return {
      entries: buckets.map(({ name, created }) => ({
        name: `${name}/`,
        uri: `s3://${name}/`,
        modified: created
      })),
      more: false
    };
  }
  const found = await listFolder(client, at.bucket, at.key, undefined, signal);
  const entry = (key: string) => ({
    name: key.slice(at.key.length),
    uri: `s3://${at.bucket}/${key}`
  });
  return {
    entries: [
      ...found.folders.map(entry),
      ...found.objects
        .filter(({ key }) => key !== at.key)
        .map(each => ({ ...entry(each.key), ...each }))
    ],
    more: found.next !== undefined
  };
}

/** "s3://b/a/k" -> "s3://b/a/": the folder that a URI lies in, itself when it is one. */
function folderOf(uri: string): string {
  return uri.startsWith('s3://')
    ? uri.slice(0, uri.lastIndexOf('/') + 1)
    : 's3://';
}

function parentOf(folder: string): string {
  return folderOf(folder.replace(/\/$/, ''));
}
