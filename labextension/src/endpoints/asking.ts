import React from 'react';

import { useStudio } from '../components/hooks';
import type { Client } from '../core/client';
import { notifyError } from '../core/errors';
import { askedLater } from './asklater';
import { headersOf, History, type ICall, type IRequest } from './console';
import { frames } from './frames';

const SHOWN_MS = 50;

/** The calls of a console, and what sends another. */
export interface IAsking {
  calls: ICall[];
  shown: ICall | undefined;
  busy: boolean;
  show: (call: ICall) => void;
  /** Ask; a file is sent in the place of the request's body. */
  send: (request: IRequest, file: File | null) => Promise<void>;
  /** End the call that is under way. */
  stop: () => void;
}

/** Ask an endpoint, and keep what it answered; of an asynchronous one it is waited for. */
export function useAsking(
  endpoint: string,
  /** Where an asynchronous endpoint answers. */
  answers: string | undefined
): IAsking {
  const { client, trans } = useStudio();
  const history = React.useMemo(() => new History(endpoint), [endpoint]);
  const [calls, setCalls] = React.useState(() => history.calls);
  const [shown, setShown] = React.useState<ICall | undefined>(calls[0]);
  const [busy, setBusy] = React.useState(false);
  const under = React.useRef<AbortController | null>(null);
  // A page that is closed wants no more of an answer.
  React.useEffect(() => () => under.current?.abort(), []);
  const send = async (request: IRequest, file: File | null) => {
    const controller = (under.current = new AbortController());
    const { signal } = controller;
    const body = file ?? request.body;
    setBusy(true);
    try {
      const sent = file ? { ...request, body: '' } : request;
      const call = answers
        ? await askedLater(
            client,
            endpoint,
            sent,
            body,
            answers,
            signal,
            setShown
          )
        : request.stream
          ? await streamed(client, endpoint, sent, body, signal, setShown)
          : await whole(client, endpoint, sent, body, signal);
      setCalls(history.add(call));
      setShown(call);
    } catch (error) {
      if (!signal.aborted) {
        notifyError(trans.__('%1 could not be asked', endpoint), error);
      }
    } finally {
      setBusy(false);
    }
  };
  const stop = () => under.current?.abort();
  return { calls, shown, busy, show: setShown, send, stop };
}

async function whole(
  client: Client,
  endpoint: string,
  request: IRequest,
  body: string | Blob,
  signal: AbortSignal
): Promise<ICall> {
  const headers = headersOf(request);
  const { body: answer, ...rest } = await client.invoke(
    endpoint,
    body,
    headers,
    signal
  );
  return { at: Date.now(), request, answer, ...rest };
}

/** The call once it is over; `show` is told of it while its answer grows. */
export async function streamed(
  client: Client,
  endpoint: string,
  request: IRequest,
  body: string | Blob,
  signal: AbortSignal,
  show: (call: ICall) => void
): Promise<ICall> {
  const begun = performance.now();
  const response = await client.openStream(
    endpoint,
    body,
    headersOf(request),
    signal
  );
  const name = response.ok ? 'X-Amzn-SageMaker-Content-Type' : 'Content-Type';
  const call: ICall = {
    at: Date.now(),
    request,
    status: response.status,
    contentType: response.headers.get(name) ?? '',
    variant: response.headers.get('x-Amzn-Invoked-Production-Variant') ?? '',
    milliseconds: 0,
    answer: ''
  };
  const since = () => performance.now() - begun;
  if (!response.ok || !response.body) {
    const answer = await response.text();
    return { ...call, answer, milliseconds: since() };
  }
  const decoder = new TextDecoder();
  let timer: number | undefined;
  const tell = () => {
    timer = undefined;
    show({ ...call, milliseconds: since(), growing: true });
  };
  call.pieces = 0;
  try {
    for await (const frame of frames(response.body)) {
      if (frame.failed) {
        call.trouble = said(frame.data) || frame.kind;
        break;
      }
      call.first ??= since();
      call.pieces += 1;
      call.answer += decoder.decode(frame.data, { stream: true });
      // The first at once; what comes fast is not shown piece by piece.
      timer ??= window.setTimeout(tell, call.pieces > 1 ? SHOWN_MS : 0);
    }
  } catch (error) {
    call.stopped = signal.aborted;
    call.trouble = signal.aborted ? undefined : String(error);
  } finally {
    window.clearTimeout(timer);
  }
  return { ...call, milliseconds: since() };
}

function said(data: Uint8Array): string {
  const text = new TextDecoder().decode(data);
  try {
    return (JSON.parse(text) as { Message?: string }).Message ?? text;
  } catch {
    return text;
  }
}
