import type { Client } from './client';

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
  const root = await listing(client, '', {}, signal);
  return [...root.querySelectorAll('Bucket')].map(bucket => ({
    name: text(bucket, 'Name'),
    created: Date.parse(text(bucket, 'CreationDate'))
  }));
}

/** Up to 1,000 folders and objects directly below `prefix`, in the order of their keys. */
export async function listFolder(
  client: Client,
  bucket: string,
  prefix: string,
  token?: string,
  signal?: AbortSignal
): Promise<IFolder> {
  const root = await listing(
    client,
    bucket,
    {
      'list-type': '2',
      delimiter: '/',
      // Keys may hold characters that XML has no way to write.
      'encoding-type': 'url',
      prefix,
      ...(token ? { 'continuation-token': token } : {})
    },
    signal
  );
  return {
    folders: [...root.querySelectorAll('CommonPrefixes')].map(each =>
      decoded(text(each, 'Prefix'))
    ),
    objects: [...root.querySelectorAll('Contents')].map(each => ({
      key: decoded(text(each, 'Key')),
      size: Number(text(each, 'Size')),
      modified: Date.parse(text(each, 'LastModified')),
      etag: text(each, 'ETag').replace(/"/g, '')
    })),
    next: text(root, 'NextContinuationToken') || undefined
  };
}

/** "s3://bucket/a/key" -> its parts; null for anything else. */
export function parseS3(uri: string): { bucket: string; key: string } | null {
  const match = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(uri.trim());
  return match && { bucket: match[1], key: match[2] };
}

async function listing(
  client: Client,
  bucket: string,
  query: Record<string, string>,
  signal?: AbortSignal
): Promise<Element> {
  const response = await client.s3('GET', bucket, '', query, { signal });
  const body = await response.text();
  return new DOMParser().parseFromString(body, 'application/xml')
    .documentElement;
}

function decoded(key: string): string {
  return decodeURIComponent(key.replace(/\+/g, ' '));
}

function text(parent: Element, name: string): string {
  for (const child of parent.children) {
    if (child.tagName === name) {
      return child.textContent ?? '';
    }
  }
  return '';
}
