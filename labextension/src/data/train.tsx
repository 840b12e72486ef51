import React from 'react';

import { Problem } from '../components/empty';
import { Field } from '../components/form';
import { bytes, number, percent } from '../components/format';
import { useStudio } from '../components/hooks';
import { Code, Section } from '../components/parts';
import { pickS3 } from '../components/s3picker';
import { CommandIDs } from '../tokens';
import { answerOf } from '../core/answers';
import { cellText } from './cells';
import { usePage } from './context';
import type { PrepareAnswer, PrepareRequest, Progress } from '../core/protocol';
import { nameOf } from './state';

/** What a user may choose of how channels are made, with what holds when nothing was chosen. */
function useChoices() {
  const { args, set, profile } = usePage();
  const train = args.train ?? {};
  const target = args.target ?? '';
  const without = new Set(train.without ?? []);
  const columns = profile.data?.columns ?? [];
  return {
    target,
    without,
    columns,
    features: columns.filter(name => name !== target && !without.has(name)),
    to: train.to ?? defaultPlace(args),
    validation: train.validation ?? 0.2,
    missing: train.missing ?? ('keep' as const),
    setTarget: (name: string) => set({ target: name || undefined }),
    change: (changes: typeof train) => set({ train: { ...train, ...changes } })
  };
}

/** Beside the data when it lies in S3; files of this computer go to a bucket that is named. */
function defaultPlace(args: { uri?: string; path?: string }): string {
  const name = nameOf(args).replace(/\.[\w.]+$/, '') || 'data';
  const bucket = args.uri && /^s3:\/\/([^/]+)/.exec(args.uri)?.[1];
  return bucket ? `s3://${bucket}/prepared/${name}/` : '';
}

/** Makes training channels of the data: the label first, numbers only, no header. */
export function Train(): React.JSX.Element {
  const { client, trans } = useStudio();
  const { source, args } = usePage();
  const choices = useChoices();
  const [progress, setProgress] = React.useState<Progress | null>(null);
  const [answer, setAnswer] = React.useState<PrepareAnswer | null>(null);
  const [problem, setProblem] = React.useState<unknown>(null);
  const abort = React.useRef(new AbortController());
  React.useEffect(() => {
    const controller = (abort.current = new AbortController());
    return () => controller.abort();
  }, []);
  const filters = args.rows?.filters ?? [];

  const write = async () => {
    setProblem(null);
    setAnswer(null);
    setProgress({ progress: 0, doing: trans.__('reading') });
    const request: PrepareRequest = {
      source,
      to: choices.to,
      target: choices.target || undefined,
      features: choices.without.size ? choices.features : undefined,
      validation: choices.validation,
      missing: choices.missing,
      filters
    };
    const { signal } = abort.current;
    try {
      setAnswer(
        await answerOf(client, 'prepare', request, signal, setProgress)
      );
    } catch (error) {
      if (!signal.aborted) {
        setProblem(error);
      }
    }
    setProgress(null);
  };

  return (
    <div className="jp-StudioData-train">
      <form
        onSubmit={event => {
          event.preventDefault();
          void write();
        }}
      >
        <Section title={trans.__('Training channels')}>
          <p className="jp-StudioData-words">
            {trans.__(
              'Writes this data as the built-in algorithms read it: CSV without a header, the label first, numbers only. Texts of few values become a column of 0 and 1 for each value.'
            )}
            {filters.length > 0 &&
              ' ' +
                trans.__('Only the rows that the tab Rows shows are taken.')}
          </p>
          <Choices choices={choices} />
          <div>
            <button
              type="submit"
              className="jp-StudioButton jp-mod-accept"
              disabled={progress !== null || !choices.to}
            >
              {trans.__('Write training channels')}
            </button>
          </div>
          {progress && (
            <p role="status">
              {progress.doing} {percent(progress.progress)}
            </p>
          )}
        </Section>
      </form>
      {problem !== null && (
        <Problem
          error={problem}
          what={trans.__('The channels could not be written.')}
        />
      )}
      {answer && <Written answer={answer} />}
    </div>
  );
}

function Choices(props: {
  choices: ReturnType<typeof useChoices>;
}): React.JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const { choices } = props;
  const { change } = choices;
  const browse = async () => {
    const title = trans.__('Where the channels are written');
    const uri = await pickS3(studio, { title, start: choices.to || undefined });
    if (uri) {
      change({ to: uri.endsWith('/') ? uri : uri.replace(/[^/]*$/, '') });
    }
  };
  return (
    <>
      <Field
        label={trans.__('Target')}
        help={trans.__('The label, written first. Clustering needs none.')}
      >
        {ids => (
          <select
            {...ids}
            value={choices.target}
            onChange={event => choices.setTarget(event.target.value)}
          >
            <option value="">{trans.__('None')}</option>
            {choices.columns.map(name => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
      </Field>
      <Features choices={choices} />
      <Field label={trans.__('Missing cells of features')}>
        {ids => (
          <select
            {...ids}
            value={choices.missing}
            onChange={event =>
              change({
                missing: event.target.value as PrepareRequest['missing']
              })
            }
          >
            <option value="keep">
              {trans.__('Leave them empty (XGBoost knows what to do)')}
            </option>
            <option value="median">{trans.__('Fill in the median')}</option>
            <option value="drop">{trans.__('Leave out their rows')}</option>
          </select>
        )}
      </Field>
      <Field
        label={trans.__('Share of rows for validation, %')}
        help={trans.__('Drawn at random, the same rows each time.')}
      >
        {ids => (
          <input
            {...ids}
            type="number"
            min={0}
            max={90}
            value={Math.round(100 * choices.validation)}
            onChange={event =>
              change({
                validation: Math.min(90, Math.max(0, +event.target.value)) / 100
              })
            }
          />
        )}
      </Field>
      <Field label={trans.__('Folder in S3')} required>
        {ids => (
          <span className="jp-StudioData-place">
            <input
              {...ids}
              required
              pattern="s3://.+"
              placeholder={trans.__('s3://bucket/folder/')}
              value={choices.to}
              onChange={event => change({ to: event.target.value })}
            />
            <button
              type="button"
              className="jp-StudioButton"
              onClick={() => void browse()}
            >
              {trans.__('Browse…')}
            </button>
          </span>
        )}
      </Field>
    </>
  );
}

function Features(props: {
  choices: ReturnType<typeof useChoices>;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { columns, target, without, features, change } = props.choices;
  const others = columns.filter(name => name !== target);
  const toggle = (name: string) => {
    const next = new Set(without);
    if (!next.delete(name)) {
      next.add(name);
    }
    change({ without: next.size ? [...next] : undefined });
  };
  return (
    <details>
      <summary>
        {trans.__('Features: %1 of %2 columns', features.length, others.length)}
      </summary>
      <fieldset className="jp-StudioData-features">
        <legend>{trans.__('Columns to learn from')}</legend>
        {others.map(name => (
          <label key={name}>
            <input
              type="checkbox"
              checked={!without.has(name)}
              onChange={() => toggle(name)}
            />
            {name}
          </label>
        ))}
      </fieldset>
    </details>
  );
}

function Written(props: { answer: PrepareAnswer }): React.JSX.Element {
  const { commands, trans } = useStudio();
  const { answer } = props;
  const [train, validation] = answer.channels;
  const open = (uri: string) => {
    const [, bucket, prefix] = /^s3:\/\/([^/]+)\/(.*)$/.exec(uri)!;
    void commands.execute(CommandIDs.openObjects, { bucket, prefix });
  };
  return (
    <Section title={trans.__('Written')}>
      <table>
        <thead>
          <tr>
            <th scope="col">{trans.__('Channel')}</th>
            <th scope="col">{trans.__('Rows')}</th>
            <th scope="col">{trans.__('Size')}</th>
            <th scope="col">{trans.__('Folder')}</th>
          </tr>
        </thead>
        <tbody>
          {answer.channels.map(channel => (
            <tr key={channel.name}>
              <th scope="row">{channel.name}</th>
              <td>{number(channel.rows)}</td>
              <td>{bytes(channel.bytes)}</td>
              <td>
                <button
                  className="jp-StudioLink"
                  onClick={() => open(channel.uri)}
                >
                  {channel.uri}
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p role="status">
        {trans._n(
          '%1 feature of %2 rows; %3 rows were left out.',
          '%1 features of %2 rows; %3 rows were left out.',
          answer.features.length,
          number(answer.rows),
          number(answer.dropped)
        )}
        {answer.classes.length > 0 &&
          ' ' +
            trans.__(
              'The classes are %1.',
              answer.classes
                .map((value, at) => `${at} = ${cellText(value)}`)
                .join(', ')
            )}
      </p>
      {answer.left_out.length > 0 && (
        <details open>
          <summary>
            {trans._n(
              '%1 column was left out',
              '%1 columns were left out',
              answer.left_out.length
            )}
          </summary>
          <ul>
            {answer.left_out.map(({ column, why }) => (
              <li key={column}>
                <strong>{column}</strong>: {why}
              </li>
            ))}
          </ul>
        </details>
      )}
      <div>
        <button
          className="jp-StudioButton jp-mod-accept"
          onClick={() =>
            void commands.execute(CommandIDs.newJob, {
              channel: `${train.uri}train.csv`,
              validation: validation && `${validation.uri}validation.csv`
            })
          }
        >
          {trans.__('New training job with this data')}
        </button>
      </div>
      <details>
        <summary>{trans.__('The same with pandas')}</summary>
        <Code code={answer.code} label={trans.__('Python')} />
      </details>
    </Section>
  );
}
