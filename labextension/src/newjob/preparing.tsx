import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { bytes } from '../components/format';
import { useStudio } from '../components/hooks';
import { told } from '../core/errors';
import { channel } from './draft';
import { useForm } from './form';
import type { IPeek } from './peek';
import { type IPrepared, LARGEST_BYTES, prepare } from './prepare';

/**
 * Makes a copy of a CSV as the algorithms read it, and lets the job train on that: numbers without
 * names, the label first, some rows kept for validation.
 */
export function Prepare({ found }: { found: IPeek }): React.JSX.Element {
  const { trans } = useStudio();
  const { algorithm, draft, set } = useForm();
  const [open, setOpen] = React.useState(found.named);
  const head = found.rows![0] ?? [];
  const names = head.map((cell, index) =>
    found.named ? cell : trans.__('column %1', index + 1)
  );
  const hasLabel = algorithm!.LabelColumns > 0;
  const [label, setLabel] = React.useState(found.named ? head.length - 1 : 0);
  const validates = algorithm!.TrainingChannels.some(
    each => each.Name === 'validation'
  );
  const [share, setShare] = React.useState(validates ? 20 : 0);
  const { running, error, run } = useTask();
  const apply = (made: Uris) => {
    const { trainUri, validationUri } = made;
    Notification.success(summary(made, trans), { autoClose: 10_000 });
    const others = (draft.InputDataConfig ?? []).filter(
      each =>
        each.ChannelName !== 'train' &&
        (each.ChannelName !== 'validation' || !validationUri)
    );
    set(
      ['InputDataConfig'],
      [
        channel('train', trainUri, 'text/csv'),
        ...(validationUri
          ? [channel('validation', validationUri, 'text/csv')]
          : []),
        ...others
      ]
    );
  };
  return (
    <details
      className={found.named ? 'jp-StudioNewJob-warning' : undefined}
      open={open}
      onToggle={event => setOpen(event.currentTarget.open)}
    >
      <summary>
        {found.named
          ? trans.__(
              'The first row looks like names of columns. %1 reads CSV without them: prepare a copy.',
              algorithm!.DisplayName
            )
          : trans.__('Prepare a copy…')}
      </summary>
      <div className="jp-StudioNewJob-row">
        {hasLabel && (
          <label className="jp-StudioNewJob-inline">
            {trans.__('Label')}
            <select
              value={label}
              onChange={event => setLabel(Number(event.target.value))}
            >
              {names.map((name, index) => (
                <option key={index} value={index}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        )}
        {validates && (
          <label className="jp-StudioNewJob-inline">
            {trans.__('Rows for validation (%)')}
            <input
              type="number"
              min={0}
              max={90}
              value={share}
              onChange={event => setShare(Number(event.target.value))}
            />
          </label>
        )}
        <button
          className="jp-StudioButton"
          disabled={running || found.size > LARGEST_BYTES}
          onClick={() =>
            void run(async client =>
              apply(
                await prepare(client, found.uri, {
                  label: hasLabel ? label : null,
                  named: found.named,
                  validation: Math.min(Math.max(share, 0), 90) / 100
                })
              )
            )
          }
        >
          {running ? trans.__('Preparing…') : trans.__('Prepare and use')}
        </button>
      </div>
      <p className="jp-StudioField-help">
        {found.size > LARGEST_BYTES
          ? trans.__(
              'It has more than %1: prepare it in a notebook.',
              bytes(LARGEST_BYTES)
            )
          : trans.__(
              'Writes numbers without names, the label first, into a folder beside the original; columns of text are left out.'
            )}
      </p>
      {error !== null && (
        <p className="jp-StudioField-error" role="alert">
          {told(error)}
        </p>
      )}
    </details>
  );
}

/** What the copy is, for people who did not see it made. */
export function summary(made: Uris, trans: TranslationBundle): string {
  return [
    trans.__('%1 was written.', made.trainUri),
    made.left.length
      ? trans.__('Columns of text are left out: %1.', made.left.join(', '))
      : '',
    made.classes.length
      ? trans.__(
          'The label is a number now: %1.',
          made.classes.map((name, index) => `${name} = ${index}`).join(', ')
        )
      : ''
  ]
    .filter(Boolean)
    .join(' ');
}

type Uris = IPrepared & { trainUri: string; validationUri: string };

/** Runs one thing at a time. */
function useTask(): {
  running: boolean;
  error: unknown;
  run: (
    task: (client: ReturnType<typeof useStudio>['client']) => Promise<void>
  ) => Promise<void>;
} {
  const { client } = useStudio();
  const [running, setRunning] = React.useState(false);
  const [error, setError] = React.useState<unknown>(null);
  return {
    running,
    error,
    run: async task => {
      setRunning(true);
      setError(null);
      try {
        await task(client);
      } catch (problem) {
        setError(problem);
      }
      setRunning(false);
    }
  };
}
