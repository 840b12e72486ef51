import type { Client } from './client';
import { ApiError } from './errors';

/** An object as a listing tells of it; times are in milliseconds since the epoch. */
export interface IObject {
  key: string;
  size: number;
  modified: number;
  etag: string;
}

/** One page of what lies directly below a prefix. */
export interface IFolder {
  /** Prefixes one level down, each with its "/" at the end. */
  folders: string[];
  objects: IObject[];
  /** Gets the next page; absent on the last. */
  next?: string;
}

/** A bucket of the account. */
export interface IBucket {
  name: string;
  created: number;
}

/** The buckets by name. */
export async function listBuckets(
  client: Client,
  signal?: AbortSignal
): Promise<IBucket[]> {
  const root = await s3Document(client, 'GET', '', '', {}, { signal });
  return [...root.querySelectorAll('Bucket')].map(bucket => ({
    name: childText(bucket, 'Name'),
    created: Date.parse(childText(bucket, 'CreationDate'))
  }));
}

/** Up to 1,000 folders and objects directly below `prefix`, in the order of their keys. */
export function listFolder(
  client: Client,
  bucket: string,
  prefix: string,
  token?: string,
  signal?: AbortSignal
): Promise<IFolder> {
  return list(client, bucket, { prefix, delimiter: '/' }, token, signal);
}

/** Up to 1,000 objects at any depth below `prefix`, in the order of their keys. */
export function listBelow(
  client: Client,
  bucket: string,
  prefix: string,
  token?: string,
  signal?: AbortSignal
): Promise<IFolder> {
  return list(client, bucket, { prefix }, token, signal);
}

/** "s3://bucket/a/key" -> its parts; null for anything else. */
export function parseS3(uri: string): { bucket: string; key: string } | null {
  const match = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(uri.trim());
  return match && { bucket: match[1], key: match[2] };
}

/** The SDK's default bucket is there when it is needed, as the SDK has it. */
export async function ensureBucket(
  client: Client,
  bucket: string
): Promise<void> {
  try {
    await client.s3('PUT', bucket);
  } catch (error) {
    if (!(
      error instanceof ApiError && error.code === 'BucketAlreadyOwnedByYou'
    )) {
      throw error;
    }
  }
}

/** The XML of an answer. */
export async function s3Document(
  client: Client,
  method: string,
  bucket: string,
  key = '',
  query: Record<string, string> = {},
  init: RequestInit = {}
): Promise<Element> {
  const response = await client.s3(method, bucket, key, query, init);
  const body = await response.text();
  return new DOMParser().parseFromString(body, 'application/xml')
    .documentElement;
}

/** Text of the child of that name; "" without one. */
export function childText(parent: Element, name: string): string {
  for (const child of parent.children) {
    if (child.tagName === name) {
      return child.textContent ?? '';
    }
  }
  return '';
}

/** A key that was listed with `encoding-type=url`. */
export function decodedKey(key: string): string {
  return decodeURIComponent(key.replace(/\+/g, ' '));
}

async function list(
  client: Client,
  bucket: string,
  query: Record<string, string>,
  token?: string,
  signal?: AbortSignal
): Promise<IFolder> {
  const root = await s3Document(
    client,
    'GET',
    bucket,
    '',
    {
      'list-type': '2',
      // Keys may hold characters that XML has no way to write.
      'encoding-type': 'url',
      ...query,
      ...(token ? { 'continuation-token': token } : {})
    },
    { signal }
  );
  return {
    folders: [...root.querySelectorAll('CommonPrefixes')].map(each =>
      decodedKey(childText(each, 'Prefix'))
    ),
    objects: [...root.querySelectorAll('Contents')].map(each => ({
      key: decodedKey(childText(each, 'Key')),
      size: Number(childText(each, 'Size')),
      modified: Date.parse(childText(each, 'LastModified')),
      etag: childText(each, 'ETag').replace(/"/g, '')
    })),
    next: childText(root, 'NextContinuationToken') || undefined
  };
}
