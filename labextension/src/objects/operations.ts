import type { Client } from '../core/client';
import { childText, decodedKey, listBelow, s3Document } from '../core/s3';
import { ApiError, told } from '../core/errors';
import { crc32 } from './crc32';

/** What HEAD tells of an object. */
export interface IProperties {
  size: number;
  modified: number;
  etag: string;
  contentType: string;
  version: string | null;
  storageClass: string;
  /** The user's own `x-amz-meta-` values. */
  metadata: [string, string][];
}

/** One version of an object, newest first; a marker says that it was deleted. */
export interface IVersion {
  id: string;
  latest: boolean;
  marker: boolean;
  modified: number;
  size: number;
  etag: string;
}

/** A key to delete; with a version that version only. */
export interface ITarget {
  key: string;
  version?: string;
}

/** What became of a deletion. */
export interface IDeletion {
  /** Markers that bring the objects back when they are deleted. */
  markers: Required<ITarget>[];
  errors: { key: string; message: string }[];
}

/** How many objects there are below some prefixes, and their bytes. */
export interface ICount {
  keys: string[];
  bytes: number;
}

const MOST_AT_ONCE = 1000;
// What keys may hold and XML has no way to write.
// eslint-disable-next-line no-control-regex
const UNWRITABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

export async function headObject(
  client: Client,
  bucket: string,
  key: string,
  signal?: AbortSignal
): Promise<IProperties> {
  const { headers } = await client.s3('HEAD', bucket, key, {}, { signal });
  return {
    size: Number(headers.get('Content-Length') ?? 0),
    modified: Date.parse(headers.get('Last-Modified') ?? ''),
    etag: (headers.get('ETag') ?? '').replace(/"/g, ''),
    contentType: headers.get('Content-Type') ?? '',
    version: headers.get('x-amz-version-id'),
    storageClass: headers.get('x-amz-storage-class') ?? 'STANDARD',
    metadata: [...headers]
      .filter(([name]) => name.startsWith('x-amz-meta-'))
      .map(([name, value]) => [name.slice('x-amz-meta-'.length), value])
  };
}

/** Whether there is an object of that key. */
export async function exists(
  client: Client,
  bucket: string,
  key: string
): Promise<boolean> {
  try {
    await client.s3('HEAD', bucket, key);
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) {
      return false;
    }
    throw error;
  }
}

export async function objectTags(
  client: Client,
  bucket: string,
  key: string,
  signal?: AbortSignal
): Promise<[string, string][]> {
  const query = { tagging: '' };
  const root = await s3Document(client, 'GET', bucket, key, query, { signal });
  return [...root.querySelectorAll('Tag')].map(tag => [
    childText(tag, 'Key'),
    childText(tag, 'Value')
  ]);
}

/** The newest 1,000 versions of one object. */
export async function objectVersions(
  client: Client,
  bucket: string,
  key: string,
  signal?: AbortSignal
): Promise<IVersion[]> {
  const query = { versions: '', prefix: key, 'encoding-type': 'url' };
  const root = await s3Document(client, 'GET', bucket, '', query, { signal });
  return [...root.children]
    .filter(
      each =>
        ['Version', 'DeleteMarker'].includes(each.tagName) &&
        decodedKey(childText(each, 'Key')) === key
    )
    .map(each => ({
      id: childText(each, 'VersionId'),
      latest: childText(each, 'IsLatest') === 'true',
      marker: each.tagName === 'DeleteMarker',
      modified: Date.parse(childText(each, 'LastModified')),
      size: Number(childText(each, 'Size')),
      etag: childText(each, 'ETag').replace(/"/g, '')
    }));
}

/** All keys below `prefixes`; `onCount` hears how many so far, while there are more. */
export async function count(
  client: Client,
  bucket: string,
  prefixes: string[],
  onCount: (objects: number) => void,
  signal?: AbortSignal
): Promise<ICount> {
  const keys: string[] = [];
  let bytes = 0;
  for (const prefix of prefixes) {
    let next: string | undefined;
    do {
      const page = await listBelow(client, bucket, prefix, next, signal);
      for (const object of page.objects) {
        keys.push(object.key);
        bytes += object.size;
      }
      next = page.next;
      if (next) {
        onCount(keys.length);
      }
    } while (next);
  }
  return { keys, bytes };
}

/** Delete any number of objects or versions; `onDone` hears how many so far, while there are more. */
export async function deleteObjects(
  client: Client,
  bucket: string,
  targets: ITarget[],
  onDone: (objects: number) => void = () => undefined,
  signal?: AbortSignal
): Promise<IDeletion> {
  const result: IDeletion = { markers: [], errors: [] };
  for (let at = 0; at < targets.length; at += MOST_AT_ONCE) {
    const some = targets.slice(at, at + MOST_AT_ONCE);
    const done = some.some(target => UNWRITABLE.test(target.key))
      ? await deleteSingly(client, bucket, some, signal)
      : await deleteTogether(client, bucket, some, signal);
    result.markers.push(...done.markers);
    result.errors.push(...done.errors);
    if (at + some.length < targets.length) {
      onDone(at + some.length);
    }
  }
  return result;
}

async function deleteTogether(
  client: Client,
  bucket: string,
  targets: ITarget[],
  signal?: AbortSignal
): Promise<IDeletion> {
  const body = new TextEncoder().encode(deletion(targets));
  const init = {
    body,
    signal,
    headers: {
      'Content-Type': 'application/xml',
      'x-amz-checksum-crc32': crc32(body)
    }
  };
  const root = await s3Document(
    client,
    'POST',
    bucket,
    '',
    { delete: '' },
    init
  );
  return {
    markers: [...root.querySelectorAll('Deleted')]
      .filter(
        each =>
          childText(each, 'DeleteMarkerVersionId') &&
          !childText(each, 'VersionId')
      )
      .map(each => ({
        key: childText(each, 'Key'),
        version: childText(each, 'DeleteMarkerVersionId')
      })),
    errors: [...root.querySelectorAll('Error')].map(each => ({
      key: childText(each, 'Key'),
      message: childText(each, 'Message') || childText(each, 'Code')
    }))
  };
}

async function deleteSingly(
  client: Client,
  bucket: string,
  targets: ITarget[],
  signal?: AbortSignal
): Promise<IDeletion> {
  const result: IDeletion = { markers: [], errors: [] };
  for (const { key, version } of targets) {
    const query: Record<string, string> = version ? { versionId: version } : {};
    try {
      const { headers } = await client.s3('DELETE', bucket, key, query, {
        signal
      });
      const marker = headers.get('x-amz-version-id');
      if (marker && !version) {
        result.markers.push({ key, version: marker });
      }
    } catch (error) {
      result.errors.push({ key, message: told(error) });
    }
  }
  return result;
}

function deletion(targets: ITarget[]): string {
  const made = document.implementation.createDocument(
    'http://s3.amazonaws.com/doc/2006-03-01/',
    'Delete'
  );
  const add = (parent: Element, name: string, text = '') => {
    const child = made.createElementNS(parent.namespaceURI, name);
    child.textContent = text;
    return parent.appendChild(child);
  };
  for (const target of targets) {
    const object = add(made.documentElement, 'Object');
    add(object, 'Key', target.key);
    if (target.version) {
      add(object, 'VersionId', target.version);
    }
  }
  return new XMLSerializer().serializeToString(made);
}

const FIRST_REGION = 'us-east-1';

/** A bucket in the region that the server signs for; S3 wants any but the first one named. */
export async function createBucket(
  client: Client,
  bucket: string
): Promise<void> {
  const { region } = await client.status();
  const body =
    region && region !== FIRST_REGION
      ? `<CreateBucketConfiguration><LocationConstraint>${region}</LocationConstraint></CreateBucketConfiguration>`
      : undefined;
  await client.s3('PUT', bucket, '', {}, { body });
}

export async function deleteBucket(
  client: Client,
  bucket: string
): Promise<void> {
  await client.s3('DELETE', bucket);
}

/** An empty object whose key ends with "/": so S3's own console makes folders. */
export async function createFolder(
  client: Client,
  bucket: string,
  prefix: string
): Promise<void> {
  await client.s3('PUT', bucket, prefix, {}, { body: '' });
}

/** Whether deleted objects of the bucket can come back. */
export async function isVersioned(
  client: Client,
  bucket: string,
  signal?: AbortSignal
): Promise<boolean> {
  const query = { versioning: '' };
  const root = await s3Document(client, 'GET', bucket, '', query, { signal });
  return childText(root, 'Status') === 'Enabled';
}

export async function enableVersioning(
  client: Client,
  bucket: string
): Promise<void> {
  const body =
    '<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
    '<Status>Enabled</Status></VersioningConfiguration>';
  await client.s3('PUT', bucket, '', { versioning: '' }, { body });
}

/** Make an older version the newest again. */
export async function restoreVersion(
  client: Client,
  bucket: string,
  key: string,
  version: string
): Promise<void> {
  const path = [bucket, ...key.split('/')].map(encodeURIComponent).join('/');
  const source = `${path}?versionId=${encodeURIComponent(version)}`;
  const headers = { 'x-amz-copy-source': source };
  await client.s3('PUT', bucket, key, {}, { headers });
}
