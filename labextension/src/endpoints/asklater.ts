import { UUID } from '@lumino/coreutils';

import type { Client } from '../core/client';
import { apiError } from '../core/errors';
import { parseS3 } from '../core/s3';
import type { studio } from '../wire';
import { headersOf, type ICall, type IRequest } from './console';

/** Bytes of a request that brings its input itself; a larger one is put into S3. */
const LARGEST_BODY = 128_000;
const PACE_MS = 1000;
/** Of the youngest requests among which this one is looked for. */
const LOOKED_AT = 100;
const UNDER_WAY = ['Waiting', 'InProgress'];

/**
 * Ask an asynchronous endpoint, and wait for what comes of it; `show` is told how far it is.
 * The call of one who stops waiting has where the answer will lie.
 */
export async function askedLater(
  client: Client,
  endpoint: string,
  request: IRequest,
  body: string | Blob,
  answers: string,
  signal: AbortSignal,
  show: (call: ICall) => void
): Promise<ICall> {
  const begun = performance.now();
  const input = request.input || (await stored(client, body, answers, signal));
  const sent = input ? { ...request, input } : request;
  const response = await client.fetch(
    `endpoints/${encodeURIComponent(endpoint)}/async-invocations`,
    {
      method: 'POST',
      body: input ? undefined : body,
      headers: headersOf(sent),
      signal
    },
    false
  );
  const text = await response.text();
  const call: ICall = {
    at: Date.now(),
    request: sent,
    status: response.status,
    contentType: response.headers.get('Content-Type') ?? '',
    variant: '',
    milliseconds: performance.now() - begun,
    answer: text
  };
  if (!response.ok) {
    return { ...call, answer: apiError(response.status, text).message };
  }
  const { InferenceId: id } = JSON.parse(text) as { InferenceId: string };
  const accepted: ICall = {
    ...call,
    answer: '',
    contentType: '',
    place: response.headers.get('X-Amzn-SageMaker-OutputLocation') ?? ''
  };
  let state = 'Waiting';
  const since = () => performance.now() - begun;
  try {
    for (;;) {
      show({ ...accepted, milliseconds: since(), growing: true, state });
      const row = await found(client, endpoint, id, signal);
      if (row && !UNDER_WAY.includes(row.Status)) {
        const ended = { ...accepted, milliseconds: since(), state: row.Status };
        return row.Status === 'Completed'
          ? await fetched(client, ended, signal)
          : { ...ended, trouble: row.Reason ?? '', place: row.FailureLocation };
      }
      state = row?.Status ?? state;
      await paused(signal);
    }
  } catch (error) {
    if (!signal.aborted) {
      throw error;
    }
    return { ...accepted, milliseconds: since(), state, stopped: true };
  }
}

/** The URI of what is too large for a request, which is put beside the answers; "" for less. */
async function stored(
  client: Client,
  body: string | Blob,
  answers: string,
  signal: AbortSignal
): Promise<string> {
  const blob = new Blob([body]);
  const place = parseS3(answers);
  if (blob.size <= LARGEST_BODY || !place) {
    return '';
  }
  const folder = place.key.replace(/\/$/, '');
  const key = [folder, 'inputs', UUID.uuid4()].filter(Boolean).join('/');
  await client.s3('PUT', place.bucket, key, {}, { body: blob, signal });
  return `s3://${place.bucket}/${key}`;
}

async function found(
  client: Client,
  endpoint: string,
  id: string,
  signal: AbortSignal
): Promise<studio.AsyncInvocation | undefined> {
  const { Invocations: rows } = await client.call(
    'studio',
    'ListAsyncInvocations',
    { EndpointName: endpoint, MaxResults: LOOKED_AT },
    signal
  );
  return rows.find(row => row.InferenceId === id);
}

async function fetched(
  client: Client,
  call: ICall,
  signal: AbortSignal
): Promise<ICall> {
  const { bucket, key } = parseS3(call.place ?? '')!;
  const response = await client.s3('GET', bucket, key, {}, { signal });
  return {
    ...call,
    contentType: response.headers.get('Content-Type') ?? '',
    answer: await response.text()
  };
}

/** A while later; raises as soon as nobody waits any more. */
function paused(signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, PACE_MS);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      },
      { once: true }
    );
  });
}
