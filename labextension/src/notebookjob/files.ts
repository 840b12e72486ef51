import { PathExt } from '@jupyterlab/coreutils';
import type { Contents } from '@jupyterlab/services';

import type { Client } from '../core/client';
import { ensureBucket } from '../core/s3';
import { parametersOf } from './request';

/** What the page knows of the file that is to be run. */
export interface IFile {
  parameters: Record<string, string>;
  /** Name of the kernel that a notebook wants. */
  kernel: string | undefined;
  /** Files beside it that could go along. */
  beside: string[];
}

const MOST_FILES = 50;
const MOST_BYTES = 50 * 1024 * 1024;

/** Look at a notebook or script, and at what lies beside it. */
export async function lookedAt(
  contents: Contents.IManager,
  path: string
): Promise<IFile> {
  const file = await contents.get(path, { content: true });
  const folder = await contents.get(PathExt.dirname(path), { content: true });
  const beside = (folder.content as Contents.IModel[]).filter(
    each => each.type === 'file' && each.path !== file.path
  );
  const size = beside.reduce((sum, each) => sum + (each.size ?? 0), 0);
  const few = beside.length <= MOST_FILES && size <= MOST_BYTES;
  return {
    parameters: file.type === 'notebook' ? parametersOf(file.content) : {},
    kernel: kernelOf(file),
    beside: few ? beside.map(each => each.path) : []
  };
}

/** Put a file, as it is on disk, and others to S3, below a prefix of a bucket. */
export async function sent(
  client: Client,
  contents: Contents.IManager,
  paths: string[],
  bucket: string,
  prefix: string
): Promise<void> {
  await ensureBucket(client, bucket);
  for (const path of paths) {
    const file = await contents.get(path, { content: true });
    const key = `${prefix}${PathExt.basename(path)}`;
    await client.s3('PUT', bucket, key, {}, { body: body(file) });
  }
}

function body(file: Contents.IModel): string | Blob {
  if (file.format === 'json') {
    return JSON.stringify(file.content, null, 1);
  }
  if (file.format === 'base64') {
    const text = atob(file.content as string);
    return new Blob([Uint8Array.from(text, each => each.charCodeAt(0))]);
  }
  return file.content as string;
}

function kernelOf(file: Contents.IModel): string | undefined {
  const content = file.content as {
    metadata?: { kernelspec?: { name?: string } };
  } | null;
  return file.type === 'notebook'
    ? content?.metadata?.kernelspec?.name
    : undefined;
}
