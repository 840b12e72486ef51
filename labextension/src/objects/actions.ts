import {
  Dialog,
  InputDialog,
  Notification,
  showDialog
} from '@jupyterlab/apputils';

import { bytes } from '../components/format';
import { confirmed } from '../core/confirm';
import { notifyError } from '../core/errors';
import type { IStudio } from '../tokens';
import type { Browser } from './browser';
import type { IEntry, IPlace } from './listing';
import * as s3 from './operations';
import type { IFile, Uploads } from './uploads';

const MOST_ASKED = 500;
const MOST_UNDONE = 10_000;
const AT_ONCE = 8;

/** What people do with buckets, folders and objects; each asks what it must, and tells how it went. */
export class Actions {
  constructor(
    private _studio: IStudio,
    private _browser: Browser,
    private _uploads: Uploads
  ) {}

  /** Send files to a bucket; asks before it replaces objects. Resolves to whether all are there. */
  async upload(bucket: string, files: IFile[]): Promise<boolean> {
    const taken = await this._taken(bucket, files);
    const answer = taken.size ? await this._askReplace(taken, files) : 'new';
    if (answer === null) {
      return false;
    }
    const wanted =
      answer === 'skip' ? files.filter(file => !taken.has(file.key)) : files;
    // What was not there when we asked and is there now, is somebody else's.
    return this._uploads.add(
      bucket,
      wanted,
      key => answer === 'replace' && taken.has(key)
    );
  }

  async newBucket(): Promise<void> {
    const { trans, client } = this._studio;
    const result = await InputDialog.getText({
      title: trans.__('New bucket'),
      label: trans.__(
        'Name: 3 to 63 lower-case letters, digits, dots and hyphens'
      ),
      okLabel: trans.__('Create'),
      pattern: '[a-z0-9][a-z0-9.\\-]{1,61}[a-z0-9]',
      required: true
    });
    const name = result.value?.trim();
    if (!result.button.accept || !name) {
      return;
    }
    await this._attempt(trans.__('The bucket was not created'), async () => {
      await s3.createBucket(client, name);
      this._browser.go({ bucket: name });
    });
  }

  async newFolder(place: IPlace): Promise<void> {
    const { trans, client } = this._studio;
    const result = await InputDialog.getText({
      title: trans.__('New folder'),
      label: trans.__('Name; slashes make folders within'),
      okLabel: trans.__('Create'),
      required: true
    });
    const name = result.value?.trim().replace(/^\/+|\/+$/g, '');
    if (!result.button.accept || !name) {
      return;
    }
    await this._attempt(trans.__('The folder was not created'), async () => {
      const prefix = `${place.prefix}${name}/`;
      await s3.createFolder(client, place.bucket, prefix);
      this._browser.go({ bucket: place.bucket, prefix });
    });
  }

  /** Delete a bucket, or folders with all that is in them, and objects. */
  async remove(place: IPlace, entries: IEntry[]): Promise<void> {
    const { trans } = this._studio;
    await this._attempt(trans.__('Not everything was deleted'), async () => {
      if (place.bucket) {
        await this._removeObjects(place.bucket, entries);
      } else {
        for (const { name } of entries) {
          await this._removeBucket(name);
        }
      }
      this._browser.refresh();
    });
  }

  /** Let the browser download objects, as attachments. */
  download(bucket: string, entries: IEntry[]): void {
    for (const entry of entries.filter(each => each.kind === 'object')) {
      const link = document.createElement('a');
      link.href = this._studio.client.s3Url(bucket, entry.key);
      link.download = entry.name;
      link.click();
    }
  }

  private async _removeBucket(name: string): Promise<void> {
    const { trans, client } = this._studio;
    const sure = await confirmed(
      trans.__('Delete the bucket %1?', name),
      trans.__('Only an empty bucket can be deleted. Its name is free then.'),
      trans.__('Delete')
    );
    if (sure) {
      await s3.deleteBucket(client, name);
    }
  }

  private async _removeObjects(
    bucket: string,
    entries: IEntry[]
  ): Promise<void> {
    const { trans, client } = this._studio;
    const found = await this._counted(bucket, entries);
    if (found === null || !(await this._sure(bucket, entries, found))) {
      return;
    }
    const total = found.keys.length;
    const { signal, tell, end } = this._progress();
    try {
      const done = await s3.deleteObjects(
        client,
        bucket,
        found.keys.map(key => ({ key })),
        count =>
          tell(
            trans.__('Deleted %1 of %2 objects.', count, total),
            count / total
          ),
        signal
      );
      end();
      this._tellDeleted(bucket, total, done);
    } catch (error) {
      end();
      if (!signal.aborted) {
        throw error;
      }
    }
  }

  /** The keys of the entries, those in folders too; null when the user stopped the count. */
  private async _counted(
    bucket: string,
    entries: IEntry[]
  ): Promise<s3.ICount | null> {
    const { trans, client } = this._studio;
    const objects = entries.filter(entry => entry.kind === 'object');
    const folders = entries.filter(entry => entry.kind === 'folder');
    const { signal, tell, end } = this._progress();
    try {
      const below = await s3.count(
        client,
        bucket,
        folders.map(folder => folder.key),
        count => tell(trans.__('Counting objects: %1 so far.', count)),
        signal
      );
      return {
        keys: [...objects.map(object => object.key), ...below.keys],
        bytes: objects.reduce((sum, it) => sum + (it.size ?? 0), below.bytes)
      };
    } catch (error) {
      if (signal.aborted) {
        return null;
      }
      throw error;
    } finally {
      end();
    }
  }

  /** A notification with a button that stops what it tells of; there once something is told. */
  private _progress(): {
    signal: AbortSignal;
    tell: (message: string, progress?: number) => void;
    end: () => void;
  } {
    const { trans } = this._studio;
    const abort = new AbortController();
    const stop = {
      label: trans.__('Stop'),
      callback: () => abort.abort()
    };
    let id = '';
    return {
      signal: abort.signal,
      tell: (message, progress) => {
        if (id) {
          Notification.update({ id, message, progress });
        } else {
          const options = { autoClose: false as const, actions: [stop] };
          id = Notification.emit(message, 'in-progress', options);
        }
      },
      end: () => Notification.dismiss(id)
    };
  }

  private async _sure(
    bucket: string,
    entries: IEntry[],
    found: s3.ICount
  ): Promise<boolean> {
    const { trans, client } = this._studio;
    const versioned = await s3.isVersioned(client, bucket);
    const [first] = entries;
    const what =
      entries.length === 1
        ? trans.__('Delete %1?', first.name)
        : trans.__('Delete %1 items?', entries.length);
    const extent = trans._n(
      '%1 object, %2, from s3://%3.',
      '%1 objects, %2, from s3://%3.',
      found.keys.length,
      bytes(found.bytes),
      bucket
    );
    const after = versioned
      ? trans.__('The bucket keeps versions: this can be undone.')
      : trans.__('The bucket keeps no versions: this cannot be undone.');
    return confirmed(what, `${extent} ${after}`, trans.__('Delete'));
  }

  private _tellDeleted(
    bucket: string,
    total: number,
    done: s3.IDeletion
  ): void {
    const { trans } = this._studio;
    const { markers, errors } = done;
    if (errors.length) {
      const [first] = errors;
      throw new Error(
        trans.__(
          '%1 of %2 objects were not deleted; %3: %4',
          errors.length,
          total,
          first.key,
          first.message
        )
      );
    }
    const undo = markers.length > 0 && markers.length <= MOST_UNDONE;
    Notification.success(
      trans._n('%1 object was deleted.', '%1 objects were deleted.', total),
      {
        autoClose: undo ? 20_000 : 4_000,
        actions: undo
          ? [
              {
                label: trans.__('Undo'),
                callback: () => void this._undo(bucket, markers)
              }
            ]
          : []
      }
    );
  }

  private _undo(bucket: string, markers: s3.ITarget[]): Promise<void> {
    const { trans, client } = this._studio;
    return this._attempt(trans.__('Not everything is back'), async () => {
      const { errors } = await s3.deleteObjects(client, bucket, markers);
      if (errors.length) {
        throw new Error(`${errors[0].key}: ${errors[0].message}`);
      }
      this._browser.refresh();
    });
  }

  /** The keys of files that are objects already. */
  private async _taken(bucket: string, files: IFile[]): Promise<Set<string>> {
    const { client } = this._studio;
    const taken = new Set<string>();
    const left = files.slice(0, MOST_ASKED);
    const askSome = async () => {
      for (let file = left.pop(); file; file = left.pop()) {
        if (await s3.exists(client, bucket, file.key)) {
          taken.add(file.key);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, askSome));
    return taken;
  }

  private async _askReplace(
    taken: Set<string>,
    files: IFile[]
  ): Promise<'replace' | 'skip' | null> {
    const { trans } = this._studio;
    const names = [...taken].slice(0, 5).map(key => `“${key}”`);
    const more = taken.size - names.length;
    const result = await showDialog({
      title: trans._n('Replace %1 object?', 'Replace %1 objects?', taken.size),
      body:
        trans.__('Already there: %1', names.join(', ')) +
        (more > 0 ? ` ${trans.__('and %1 more', more)}` : ''),
      buttons: [
        Dialog.cancelButton(),
        ...(files.length > taken.size
          ? [
              Dialog.createButton({
                label: trans.__('Skip Them'),
                actions: ['skip']
              })
            ]
          : []),
        Dialog.warnButton({ label: trans.__('Replace') })
      ],
      defaultButton: 0
    });
    if (!result.button.accept) {
      return null;
    }
    return result.button.actions.includes('skip') ? 'skip' : 'replace';
  }

  private async _attempt(
    failure: string,
    action: () => Promise<void>
  ): Promise<void> {
    try {
      await action();
    } catch (error) {
      notifyError(failure, error);
    }
  }
}
