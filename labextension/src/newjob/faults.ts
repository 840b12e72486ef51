import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { useStudio } from '../components/hooks';
import type { Feed, FeedEvent } from '../core/feed';
import type { Client } from '../core/client';
import type { studio } from '../wire';
import { valueAt } from './paths';

const PAUSE_MS = 200;

/** What the engine says against a draft, by the paths of its members. */
export interface IFaults {
  /** undefined: not known yet. */
  all: studio.ValidationFault[] | undefined;
  /** Why it is not known. */
  error: unknown;
  /** The answer is about an older draft. */
  stale: boolean;
}

/** The question whether a job could be made of a draft. */
export type Check<D> = (
  client: Client,
  draft: D,
  signal: AbortSignal
) => Promise<{ Faults: studio.ValidationFault[] }>;

/** The question of training jobs. */
export const checkTraining: Check<object> = (client, draft, signal) =>
  client.call(
    'studio',
    'ValidateTrainingJob',
    { Request: { ...draft } },
    signal
  );

/**
 * Ask the engine about the draft, soon after each change, and when what it names has changed.
 * `name` is that of the job to be.
 */
export function useFaults<D extends object>(
  draft: D,
  name: string | undefined,
  check: Check<D>
): IFaults {
  const { client, feed } = useStudio();
  const [changes, count] = React.useReducer((now: number) => now + 1, 0);
  React.useEffect(() => {
    const slot = (_: Feed, event: FeedEvent) => {
      if (concerns(event, draft, name)) {
        count();
      }
    };
    feed.events.connect(slot);
    return () => {
      feed.events.disconnect(slot);
    };
  }, [feed, draft, name]);
  const [known, setKnown] = React.useState<{
    draft: D | null;
    all?: studio.ValidationFault[];
    error?: unknown;
  }>({ draft: null });
  React.useEffect(() => {
    const abort = new AbortController();
    const timer = setTimeout(() => {
      check(client, draft, abort.signal).then(
        ({ Faults: all }) => setKnown({ draft, all }),
        (error: unknown) => !abort.signal.aborted && setKnown({ draft, error })
      );
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [client, draft, check, changes]);
  return {
    all: known.all,
    error: known.error ?? null,
    stale: known.draft !== draft
  };
}

/** Whether what is right or wrong with a draft may have changed. */
function concerns(
  event: FeedEvent,
  draft: object,
  name: string | undefined
): boolean {
  return (
    event.type === 'reset' ||
    (event.type === 'resource' && event.Name === name) ||
    (event.type === 'object' &&
      JSON.stringify(draft).includes(`s3://${event.Bucket}`))
  );
}

/** A message of the engine without what a form shows anyway. */
export function plain(message: string, trans: TranslationBundle): string {
  const text = message
    .replace(/^Value .*? failed to satisfy constraint: /s, '')
    .replace(/ \(caused by ValidationError\)$/, '');
  if (
    /^(Member must not be null|No value\(s\) were specified for|Missing required hyperparameter)/.test(
      text
    )
  ) {
    return trans.__('This is needed.');
  }
  if (/ can not be converted to an? (Integer|Long)\b/.test(text)) {
    return trans.__('This must be a whole number.');
  }
  return text;
}

/** What a path is called for people: the channel, the hyperparameter, the member. */
export function called(
  path: string,
  draft: object,
  trans: TranslationBundle
): string {
  if (!path) {
    return trans.__('The request');
  }
  for (const [pattern, list, member, label] of listed(trans)) {
    const found = pattern.exec(path);
    if (found) {
      const name = valueAt(draft, [...list, Number(found[1]), member]);
      return `${label} ${typeof name === 'string' ? name : Number(found[1]) + 1}`;
    }
  }
  const last = path.split('.').slice(1).join('.');
  return path.startsWith('HyperParameters.') || path.startsWith('Environment.')
    ? last
    : words(path.split('.').pop()!);
}

/** Lists whose items have names: where they are, the member that names one, and what it is. */
function listed(
  trans: TranslationBundle
): [RegExp, string[], string, string][] {
  return [
    [
      /^InputDataConfig\[(\d+)\]/,
      ['InputDataConfig'],
      'ChannelName',
      trans.__('Channel')
    ],
    [
      /^ProcessingInputs\[(\d+)\]/,
      ['ProcessingInputs'],
      'InputName',
      trans.__('Input')
    ],
    [
      /^ProcessingOutputConfig\.Outputs\[(\d+)\]/,
      ['ProcessingOutputConfig', 'Outputs'],
      'OutputName',
      trans.__('Output')
    ]
  ];
}

/** `MaxRuntimeInSeconds` -> `Max runtime in seconds`. */
function words(name: string): string {
  const text = name
    .replace(/\[\d+\]/g, '')
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase();
  return text[0].toUpperCase() + text.slice(1).replace(/\bs3\b/g, 'S3');
}
