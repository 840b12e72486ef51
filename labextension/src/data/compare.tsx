import React from 'react';

import { Empty, Problem, Skeleton } from '../components/empty';
import { percent, probability } from '../components/format';
import { Grid, type IColumn } from '../components/grid';
import { useStudio } from '../components/hooks';
import { Code, Section } from '../components/parts';
import { CommandIDs } from '../tokens';
import { ask, isProgress } from '../core/answers';
import { ShareBar, SparkBars } from './cells';
import { usePage } from './context';
import { DriftDetail, LevelMark } from './drift';
import { Doing } from './figure';
import { DataSummary } from './overview';
import { Choose } from './start';
import { nameOf, sourceOf } from './state';
import type { ComparePart, Drift, Progress, Source } from '../core/protocol';

/** The page's data beside another data set: what has changed, the most first. */
export function Compare(): React.JSX.Element {
  const { trans } = useStudio();
  const { args, set } = usePage();
  const other = sourceOf(args.other ?? {});
  if (!other) {
    return (
      <Empty
        title={trans.__('Compare with another data set')}
        hint={trans.__(
          'Training data with what comes in today, last month with this one: columns are compared one by one, those that differ most come first.'
        )}
      >
        <Choose onChoose={chosen => set({ other: chosen })} />
      </Empty>
    );
  }
  return <Comparison other={other} />;
}

function Comparison(props: { other: Source }): React.JSX.Element {
  const { trans, commands } = useStudio();
  const { args, set, insert } = usePage();
  const { part, progress, error, retry } = useComparison(props.other);
  const name = nameOf(args.other ?? {});
  return (
    <div className="jp-StudioData-compare">
      <div className="jp-StudioData-bar">
        <strong>{trans.__('%1 against %2', nameOf(args), name)}</strong>
        <span className="jp-StudioData-right">
          <button
            className="jp-StudioButton jp-mod-minimal"
            onClick={() =>
              void commands.execute(CommandIDs.openData, { ...args.other })
            }
          >
            {trans.__('Open %1', name)}
          </button>
          <button
            className="jp-StudioButton jp-mod-minimal"
            onClick={() => set({ other: undefined, drift: undefined })}
          >
            {trans.__('Compare with another')}
          </button>
          {part && (
            <button
              className="jp-StudioButton jp-mod-minimal"
              onClick={() => insert(part.code)}
            >
              {trans.__('Insert as notebook cell')}
            </button>
          )}
        </span>
      </div>
      {progress && progress.progress < 1 && error === null && (
        <Doing progress={progress} />
      )}
      {error !== null ? (
        <Problem
          error={error}
          retry={retry}
          what={trans.__('The data sets could not be compared.')}
        />
      ) : part ? (
        <Drifts part={part} />
      ) : (
        <Skeleton lines={8} />
      )}
    </div>
  );
}

function Drifts(props: { part: ComparePart }): React.JSX.Element {
  const { trans } = useStudio();
  const { args, set } = usePage();
  const { part } = props;
  const selected = part.drifts.find(({ name }) => name === args.drift);
  const lists: [string, string[]][] = [
    [trans.__('Only in %1', part.data.name), part.missing],
    [trans.__('Only in %1', part.other.name), part.added],
    [trans.__('Of another type'), part.retyped]
  ];
  return (
    <div className="jp-StudioData-split">
      <div className="jp-StudioData-list">
        {lists.map(
          ([title, names]) =>
            names.length > 0 && (
              <Names key={title} title={title} names={names} />
            )
        )}
        <Grid
          label={trans.__('Columns by how much they differ')}
          columns={useDriftColumns()}
          count={part.drifts.length}
          row={index => part.drifts[index]}
          keyOf={drift => drift.name}
          rowHeight={36}
          selected={new Set(args.drift === undefined ? [] : [args.drift])}
          onSelect={keys => set({ drift: [...keys].pop() })}
          follow
          empty={
            part.progress === 1 && (
              <Empty
                title={trans.__('The data sets have no column in common.')}
              />
            )
          }
        />
      </div>
      <div className="jp-StudioData-detail">
        {selected ? (
          <DriftDetail drift={selected} part={part} />
        ) : (
          <>
            <Section title={part.data.name}>
              <DataSummary data={part.data} />
            </Section>
            <Section title={part.other.name}>
              <DataSummary data={part.other} />
            </Section>
            <Section title={trans.__('Code')}>
              <Code code={part.code} label={trans.__('the comparison')} />
            </Section>
          </>
        )}
      </div>
    </div>
  );
}

const MOST_NAMES = 20;

function Names(props: { title: string; names: string[] }): React.JSX.Element {
  const { trans } = useStudio();
  const shown = props.names.slice(0, MOST_NAMES);
  return (
    <p className="jp-StudioData-bar">
      <strong>{props.title}:</strong> {shown.join(', ')}
      {shown.length < props.names.length && (
        <span>{trans.__('(%1 of %2)', shown.length, props.names.length)}</span>
      )}
    </p>
  );
}

function useDriftColumns(): IColumn<Drift>[] {
  const { trans } = useStudio();
  return [
    {
      id: 'name',
      title: trans.__('Column'),
      width: 180,
      cell: drift => <span title={drift.name}>{drift.name}</span>
    },
    {
      id: 'level',
      title: trans.__('Difference'),
      width: 110,
      cell: drift => <LevelMark level={drift.level} />
    },
    {
      id: 'effect',
      title: trans.__('Effect'),
      width: 120,
      numeric: true,
      cell: drift => (
        <ShareBar share={drift.effect} text={drift.effect.toFixed(3)} />
      )
    },
    {
      id: 'spread',
      title: trans.__('Distributions'),
      width: 140,
      cell: drift =>
        drift.overlay && (
          <SparkBars
            counts={drift.overlay.shares}
            over={drift.overlay.other_shares}
            label={drift.words}
          />
        )
    },
    {
      id: 'psi',
      title: trans.__('PSI'),
      width: 70,
      numeric: true,
      cell: drift => (drift.psi === null ? '–' : drift.psi.toFixed(3))
    },
    {
      id: 'p',
      title: trans.__('Adj. p'),
      width: 96,
      numeric: true,
      cell: drift =>
        drift.test && (
          <span title={drift.test.name}>
            {probability(drift.test.adjusted ?? drift.test.p)}
          </span>
        )
    },
    {
      id: 'missing',
      title: trans.__('Missing'),
      width: 130,
      numeric: true,
      cell: drift =>
        `${percent(drift.missing_share)} → ${percent(drift.other_missing_share)}`
    }
  ];
}

function useComparison(other: Source): {
  part: ComparePart | null;
  progress: Progress | null;
  error: unknown;
  retry: () => void;
} {
  const { client } = useStudio();
  const { source } = usePage();
  const [part, setPart] = React.useState<ComparePart | null>(null);
  const [progress, setProgress] = React.useState<Progress | null>(null);
  const [error, setError] = React.useState<unknown>(null);
  const [attempt, retry] = React.useReducer((count: number) => count + 1, 0);
  const key = JSON.stringify(other);
  React.useEffect(() => {
    const abort = new AbortController();
    setError(null);
    setPart(null);
    setProgress(null);
    const load = async () => {
      try {
        const args = { source, other: JSON.parse(key) as Source };
        for await (const each of ask(client, 'compare', args, abort.signal)) {
          setProgress(each);
          if (!isProgress(each)) {
            setPart(each);
          }
        }
      } catch (problem) {
        if (!abort.signal.aborted) {
          setError(problem);
        }
      }
    };
    void load();
    return () => abort.abort();
  }, [client, source, key, attempt]);
  return { part, progress, error, retry };
}
