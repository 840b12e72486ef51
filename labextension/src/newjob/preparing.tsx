import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { useStudio } from '../components/hooks';
import { told } from '../core/errors';
import { answerOf } from '../core/answers';
import type { PrepareAnswer } from '../core/protocol';
import { CommandIDs } from '../tokens';
import type { sagemaker } from '../wire';
import { channel } from './draft';
import { useForm } from './form';
import type { IPeek } from './peek';

/**
 * Makes a copy of a CSV as the algorithms read it, and lets the job train on that: numbers without
 * names, the label first, some rows kept for validation.
 */
export function Prepare({ found }: { found: IPeek }): React.JSX.Element {
  const { client, commands, trans } = useStudio();
  const { algorithm, draft, set } = useForm();
  const [open, setOpen] = React.useState(found.named);
  const head = found.rows![0] ?? [];
  const columns = head.map((cell, index) =>
    found.named ? cell : `column_${index}`
  );
  const hasLabel = algorithm!.LabelColumns > 0;
  const [label, setLabel] = React.useState(found.named ? head.length - 1 : 0);
  const validates = algorithm!.TrainingChannels.some(
    each => each.Name === 'validation'
  );
  const [share, setShare] = React.useState(validates ? 20 : 0);
  const [doing, setDoing] = React.useState<string | null>(null);
  const [error, setError] = React.useState<unknown>(null);
  const abort = React.useRef<AbortController | null>(null);
  React.useEffect(() => () => abort.current?.abort(), []);
  const run = async () => {
    const { signal } = (abort.current = new AbortController());
    setError(null);
    setDoing(trans.__('Preparing…'));
    try {
      const made = await answerOf(
        client,
        'prepare',
        {
          source: { uri: found.uri, format: 'csv', header: found.named },
          to: found.uri.replace(
            /^(s3:\/\/[^/]+\/).*?([^/]+?)(\.[^./]*)?$/,
            '$1prepared/$2/'
          ),
          target: hasLabel ? columns[label] : undefined,
          validation: Math.min(Math.max(share, 0), 90) / 100,
          missing: algorithm!.AlgorithmName === 'xgboost' ? 'keep' : 'median'
        },
        signal,
        progress => setDoing(progress.doing)
      );
      Notification.success(summary(made, trans), { autoClose: 10_000 });
      set(['InputDataConfig'], withChannels(draft.InputDataConfig, made));
    } catch (problem) {
      if (!signal.aborted) {
        setError(problem);
      }
    }
    setDoing(null);
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
              {columns.map((name, index) => (
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
          disabled={doing !== null}
          onClick={() => void run()}
        >
          {trans.__('Prepare and use')}
        </button>
        <span role="status">{doing}</span>
      </div>
      <p className="jp-StudioField-help">
        {hasLabel
          ? trans.__(
              'Numbers without names, the label first; texts of few values become a column for each.'
            )
          : trans.__(
              'Numbers without names; texts of few values become a column for each.'
            )}{' '}
        <button
          className="jp-StudioLink"
          onClick={() =>
            void commands.execute(CommandIDs.openData, {
              uri: found.uri,
              tab: 'train'
            })
          }
        >
          {trans.__('More choices')}
        </button>
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
export function summary(made: PrepareAnswer, trans: TranslationBundle): string {
  const left = made.left_out.map(each => each.column).join(', ');
  const classes = made.classes
    .map((value, index) => `${String(value)} = ${index}`)
    .join(', ');
  return [
    trans._n('%1 row was written.', '%1 rows were written.', made.rows),
    left && trans.__('Columns that are left out: %1.', left),
    classes && trans.__('The label is a number now: %1.', classes)
  ]
    .filter(Boolean)
    .join(' ');
}

/** The channels with those that were made in the place of theirs. */
export function withChannels(
  given: sagemaker.Channel[] | undefined,
  made: PrepareAnswer
): sagemaker.Channel[] {
  const names = made.channels.map(each => each.name);
  return [
    ...made.channels.map(each =>
      channel(each.name, `${each.uri}${each.name}.csv`, 'text/csv')
    ),
    ...(given ?? []).filter(each => !names.includes(each.ChannelName))
  ];
}
