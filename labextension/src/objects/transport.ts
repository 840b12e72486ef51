import { ServerConnection } from '@jupyterlab/services';

import type { Client } from '../core/client';
import { ApiError, s3Error } from '../core/errors';

/** Where bytes go: an object, or with `query` a part of one. */
export interface IDestination {
  bucket: string;
  key: string;
  query?: Record<string, string>;
}

/** Sends bytes and says how far it is; resolves to the ETag that S3 gave them. */
export type Put = (
  client: Client,
  to: IDestination,
  bytes: Blob,
  headers: Record<string, string>,
  onProgress: (sent: number) => void,
  signal: AbortSignal
) => Promise<string>;

/** PUT with progress, which `fetch` does not tell. */
export const put: Put = (client, to, bytes, headers, onProgress, signal) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('PUT', client.s3Url(to.bucket, to.key, to.query));
    for (const [name, value] of Object.entries({
      ...authentication(client),
      ...headers
    })) {
      request.setRequestHeader(name, value);
    }
    const stop = () => request.abort();
    signal.addEventListener('abort', stop);
    request.upload.onprogress = event => onProgress(event.loaded);
    request.onloadend = () => {
      signal.removeEventListener('abort', stop);
      if (signal.aborted) {
        reject(new DOMException('The upload was cancelled.', 'AbortError'));
      } else if (request.status === 0) {
        reject(
          new ServerConnection.NetworkError(new TypeError('No connection.'))
        );
      } else if (request.status >= 300) {
        reject(s3Error(request.status, request.responseText));
      } else {
        if (!to.query) {
          client.noteWritten(to.bucket, to.key);
        }
        resolve(request.getResponseHeader('ETag') ?? '');
      }
    };
    if (signal.aborted) {
      reject(new DOMException('The upload was cancelled.', 'AbortError'));
    } else {
      request.send(bytes);
    }
  });

/** Whether another attempt may succeed. */
export function passing(error: unknown): boolean {
  return (
    error instanceof ServerConnection.NetworkError ||
    (error instanceof ApiError && (error.status >= 500 || error.status === 429))
  );
}

// As ServerConnection.makeRequest authenticates what it fetches.
function authentication(client: Client): Record<string, string> {
  const headers: Record<string, string> = {};
  if (client.settings.token) {
    headers['Authorization'] = `token ${client.settings.token}`;
  }
  const xsrf = /(?:^|; )_xsrf=([^;]*)/.exec(document.cookie);
  if (xsrf) {
    headers['X-XSRFToken'] = xsrf[1];
  }
  return headers;
}
