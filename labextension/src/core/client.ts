import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { type ISignal, Signal } from '@lumino/signaling';

import type { Operations } from '../wire';
import { apiError, s3Error } from './errors';

type Services = keyof Operations;
type Request<
  S extends Services,
  O extends keyof Operations[S]
> = Operations[S][O] extends { request: infer R } ? R : never;
type Response_<
  S extends Services,
  O extends keyof Operations[S]
> = Operations[S][O] extends {
  response: infer R;
}
  ? R
  : never;

/** What the Jupyter server knows of the control plane. */
export interface IServerStatus {
  version: string;
  ready: boolean;
  url: string;
  home: string;
  problem: string | null;
  /** The folder whose files Jupyter serves. */
  root: string;
  region: string;
}

/** What was changed in S3: an object, or with a key of "" anything in the bucket. */
export interface IWritten {
  bucket: string;
  key: string;
}

/** An endpoint's answer. */
export interface IInvocation {
  status: number;
  contentType: string;
  body: string;
  milliseconds: number;
  variant: string;
}

/** Speaks to AWS's operations, S3 and the router through the Jupyter server, which signs. */
export class Client {
  constructor(readonly settings: ServerConnection.ISettings) {}

  /** This page changed something in S3; with an external S3 nobody else tells. */
  get wrote(): ISignal<this, IWritten> {
    return this._wrote;
  }

  /** Call an operation; raises ApiError with AWS's code, or NetworkError. */
  async call<S extends Services, O extends keyof Operations[S] & string>(
    service: S,
    operation: O,
    request: Request<S, O>,
    signal?: AbortSignal
  ): Promise<Response_<S, O>> {
    const response = await this.fetch(`aws/${service}/${operation}`, {
      method: 'POST',
      body: JSON.stringify(request),
      headers: { 'Content-Type': 'application/json' },
      signal
    });
    const text = await response.text();
    return (text ? JSON.parse(text) : {}) as Response_<S, O>;
  }

  /** A request of S3's REST API: `s3('GET', 'bucket', 'a/key', { tagging: '' })`. */
  async s3(
    method: string,
    bucket: string,
    key = '',
    query: Record<string, string> = {},
    init: RequestInit = {}
  ): Promise<Response> {
    const path = this.s3Path(bucket, key, query);
    const response = await this.fetch(path, { ...init, method });
    if (method !== 'GET' && method !== 'HEAD') {
      this.noteWritten(bucket, key);
    }
    return response;
  }

  /** Tell of something that was written in another way. */
  noteWritten(bucket: string, key: string): void {
    this._wrote.emit({ bucket, key });
  }

  /** The URL from which the browser downloads an object, or to which it sends one itself. */
  s3Url(
    bucket: string,
    key: string,
    query: Record<string, string> = {}
  ): string {
    return this.url(this.s3Path(bucket, key, query));
  }

  /** Send `body` to an endpoint; an error of the model is an answer too. */
  async invoke(
    endpoint: string,
    body: string | Blob,
    headers: Record<string, string>,
    signal?: AbortSignal
  ): Promise<IInvocation> {
    const begun = performance.now();
    const response = await this.fetch(
      `endpoints/${encodeURIComponent(endpoint)}/invocations`,
      { method: 'POST', body, headers, signal },
      false
    );
    const text = await response.text();
    return {
      status: response.status,
      contentType: response.headers.get('Content-Type') ?? '',
      body: text,
      milliseconds: performance.now() - begun,
      variant: response.headers.get('x-Amzn-Invoked-Production-Variant') ?? ''
    };
  }

  /** The same, with an answer that comes in pieces: an event stream, unless it is an error. */
  async openStream(
    endpoint: string,
    body: string | Blob,
    headers: Record<string, string>,
    signal: AbortSignal
  ): Promise<Response> {
    return this.fetch(
      `endpoints/${encodeURIComponent(endpoint)}/invocations-response-stream`,
      { method: 'POST', body, headers, signal },
      false
    );
  }

  async status(): Promise<IServerStatus> {
    const response = await this.fetch('status', {});
    return (await response.json()) as IServerStatus;
  }

  /** Parts of an answer of newline-delimited JSON, as they come. */
  async *stream<T>(
    path: string,
    body: unknown,
    signal?: AbortSignal
  ): AsyncGenerator<T> {
    const response = await this.fetch(path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json' },
      signal
    });
    for await (const line of lines(response)) {
      if (line) {
        yield JSON.parse(line) as T;
      }
    }
  }

  /** The URL of a route of Studio's server extension. */
  url(path: string): string {
    return URLExt.join(this.settings.baseUrl, 'studio/api') + '/' + path;
  }

  /** Fetch a route with Jupyter's authentication; unless `check` is false an error raises. */
  async fetch(
    path: string,
    init: RequestInit,
    check = true
  ): Promise<Response> {
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(
        this.url(path),
        init,
        this.settings
      );
    } catch (error) {
      if (init.signal?.aborted) {
        throw error;
      }
      throw new ServerConnection.NetworkError(error as TypeError);
    }
    if (check && !response.ok) {
      throw path.startsWith('s3/')
        ? s3Error(response.status, await response.text())
        : apiError(response.status, await response.text());
    }
    return response;
  }

  private s3Path(
    bucket: string,
    key: string,
    query: Record<string, string>
  ): string {
    const path = ['s3', bucket, ...key.split('/')]
      .map(encodeURIComponent)
      .join('/');
    const search = new URLSearchParams(query).toString();
    return (
      (key ? path : `s3/${encodeURIComponent(bucket)}`) +
      (search ? `?${search}` : '')
    );
  }

  private _wrote = new Signal<this, IWritten>(this);
}

/** Lines of a body, as they come. */
export async function* lines(response: Response): AsyncGenerator<string> {
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      const parts = (rest + decoder.decode(value, { stream: !done })).split(
        '\n'
      );
      rest = parts.pop()!;
      yield* parts;
      if (done) {
        if (rest) {
          yield rest;
        }
        return;
      }
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}
