import { ServerConnection } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { render, type RenderResult } from '@testing-library/react';
import React from 'react';

import { StudioContext } from '../components/hooks';
import { Capacity } from '../core/capacity';
import { Client } from '../core/client';
import type { Documents } from '../core/documents';
import { Feed, type FeedEvent } from '../core/feed';
import type { IStudio } from '../tokens';

/** Answers of the server by route: `aws/sagemaker/ListModels`, `s3/bucket/key`. */
export type Answers = Record<string, (body: any, request: Request) => unknown>;

/** A client over answers written in the test; what is asked is kept in `asked`. */
export function fakeStudio(
  answers: Answers
): IStudio & { asked: [string, any][]; emit: (event: FeedEvent) => void } {
  const asked: [string, any][] = [];
  const settings = ServerConnection.makeSettings({
    baseUrl: 'http://localhost/user/x/',
    // jsdom's AbortSignal is not the one that Node.js knows.
    Request: class extends Request {
      constructor(input: any, init: RequestInit = {}) {
        super(input, { ...init, signal: undefined });
      }
    },
    fetch: async (input: any, init?: RequestInit) => {
      const request = new Request(input, init);
      const url = new URL(request.url);
      const route = url.pathname.replace('/user/x/studio/api/', '');
      const text = await request.text();
      const json = text.startsWith('{') || text.startsWith('[');
      const body = json ? JSON.parse(text) : text || undefined;
      asked.push([route, body]);
      const answer = answers[route];
      if (!answer) {
        return new Response(
          JSON.stringify({
            __type: 'UnknownOperationException',
            message: `no answer for ${route}`
          }),
          { status: 400 }
        );
      }
      const given = await answer(body, request);
      return given instanceof Response
        ? given
        : new Response(JSON.stringify(given));
    }
  } as Partial<ServerConnection.ISettings>);
  const client = new Client(settings);
  const feed = new Feed(client);
  return {
    client,
    feed,
    capacity: new Capacity(feed),
    asked,
    emit: event => (feed as any)._events.emit(event),
    documents: { current: null } as unknown as Documents,
    commands: new CommandRegistry(),
    trans: nullTranslator.load('jupyter_ml_studio')
  };
}

/** Render below the context that pages have. */
export function renderIn(
  studio: IStudio,
  element: React.ReactElement
): RenderResult {
  return render(
    <StudioContext.Provider value={studio}>{element}</StudioContext.Provider>
  );
}

/** Give every element a size: jsdom lays nothing out, and tables of no height have no rows. */
export function sized(width = 900, height = 280): void {
  const sizes = { clientWidth: width, clientHeight: height };
  for (const [name, value] of Object.entries(sizes)) {
    Object.defineProperty(HTMLElement.prototype, name, {
      configurable: true,
      value
    });
  }
  window.ResizeObserver = class {
    observe(): void {}
    unobserve(): void {}
    disconnect(): void {}
  };
}
