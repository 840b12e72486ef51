import type { Client } from '../core/client';
import { childText, s3Document } from '../core/s3';
import { passing, type Put } from './transport';

const MIB = 2 ** 20;
const LARGEST_WHOLE = 16 * MIB;
const MOST_PARTS = 10_000;
const PARTS_AT_ONCE = 3;
const PAUSES_MS = [500, 2_000, 8_000];

/** How an object is sent. */
export interface ISending {
  put: Put;
  /** Whether an object of that key may be there already. */
  replace: boolean;
  /** Hears the bytes sent so far. */
  onProgress: (sent: number) => void;
  signal: AbortSignal;
}

/**
 * Send an object: up to 16 MiB at once, else in parts, three at a time.
 *
 * A part that fails for a passing reason is sent again; when all fails nothing is left behind.
 */
export async function sendObject(
  client: Client,
  to: { bucket: string; key: string },
  bytes: Blob,
  sending: ISending
): Promise<void> {
  const type = bytes.type || 'application/octet-stream';
  const only: Record<string, string> = sending.replace
    ? {}
    : { 'If-None-Match': '*' };
  if (bytes.size <= LARGEST_WHOLE) {
    const headers = { 'Content-Type': type, ...only };
    await persistently(sending.signal, () =>
      sending.put(
        client,
        to,
        bytes,
        headers,
        sending.onProgress,
        sending.signal
      )
    );
    return;
  }
  const { bucket, key } = to;
  const begun = await s3Document(
    client,
    'POST',
    bucket,
    key,
    { uploads: '' },
    { headers: { 'Content-Type': type }, signal: sending.signal }
  );
  const uploadId = childText(begun, 'UploadId');
  try {
    const etags = await sendParts(client, to, uploadId, bytes, sending);
    await client.s3(
      'POST',
      bucket,
      key,
      { uploadId },
      {
        body: completion(etags),
        headers: { 'Content-Type': 'application/xml', ...only },
        signal: sending.signal
      }
    );
  } catch (error) {
    // If this fails too, S3 forgets the parts by itself after a week.
    void client.s3('DELETE', bucket, key, { uploadId }).catch(() => undefined);
    throw error;
  }
}

/** Bytes of a part of an object of `size` bytes. */
export function partSize(size: number): number {
  return Math.max(LARGEST_WHOLE, Math.ceil(size / MOST_PARTS / MIB) * MIB);
}

async function sendParts(
  client: Client,
  to: { bucket: string; key: string },
  uploadId: string,
  bytes: Blob,
  sending: ISending
): Promise<string[]> {
  const size = partSize(bytes.size);
  const etags = new Array<string>(Math.ceil(bytes.size / size));
  const sent = new Array<number>(etags.length).fill(0);
  const abort = new AbortController();
  const { signal } = abort;
  const stop = () => abort.abort();
  sending.signal.addEventListener('abort', stop);
  let next = 0;
  const sendSome = async () => {
    while (next < etags.length) {
      const part = next++;
      const slice = bytes.slice(part * size, (part + 1) * size);
      const query = { partNumber: `${part + 1}`, uploadId };
      const onProgress = (count: number) => {
        sent[part] = Math.min(count, slice.size);
        sending.onProgress(sent.reduce((sum, each) => sum + each, 0));
      };
      etags[part] = await persistently(signal, () =>
        sending.put(client, { ...to, query }, slice, {}, onProgress, signal)
      );
      onProgress(slice.size);
    }
  };
  const senders = Array.from({ length: PARTS_AT_ONCE }, sendSome);
  try {
    await Promise.all(senders);
  } finally {
    sending.signal.removeEventListener('abort', stop);
    stop();
    await Promise.allSettled(senders);
  }
  return etags;
}

function completion(etags: string[]): string {
  const parts = etags.map(
    (etag, index) =>
      `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`
  );
  return `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`;
}

async function persistently<T>(
  signal: AbortSignal,
  attempt: () => Promise<T>
): Promise<T> {
  for (const pause of PAUSES_MS) {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted || !passing(error)) {
        throw error;
      }
    }
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, pause);
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
  return attempt();
}
