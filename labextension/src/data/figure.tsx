import React from 'react';

import { Chart, type IPoint, type Zoom } from '../components/chart/chart';
import { Problem, Skeleton } from '../components/empty';
import { number } from '../components/format';
import { useStudio } from '../components/hooks';
import { Facts } from '../components/parts';
import { answerOf } from '../core/answers';
import { cellText } from './cells';
import { usePage } from './context';
import type { ChartAnswer, ChartSpec, Progress } from '../core/protocol';

const MOST_FIGURES = 24;
const PAUSE_MS = 150;
const FEW_FACTS = 8;

/** The charts of a page that were drawn lately: a change of tabs asks for none again. */
export class FigureCache {
  get(key: string): ChartAnswer | undefined {
    return this._answers.get(key);
  }

  put(key: string, answer: ChartAnswer): void {
    this._answers.delete(key);
    this._answers.set(key, answer);
    const [oldest] = this._answers.keys();
    if (this._answers.size > MOST_FIGURES) {
      this._answers.delete(oldest);
    }
  }

  private _answers = new Map<string, ChartAnswer>();
}

interface IFigure {
  answer: ChartAnswer | undefined;
  /** The spec that `answer` belongs to, as JSON. */
  key: string;
  error: unknown;
  progress: Progress | null;
  loading: boolean;
  retry: () => void;
}

/** A chart of the page's data by its spec, with all that a chart needs. */
export function Figure(props: {
  spec: ChartSpec;
  height?: number;
  zoom?: Zoom;
  onZoom?: (zoom: Zoom) => void;
  onPick?: (point: IPoint) => void;
  actions?: React.ReactNode;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { insert } = usePage();
  const { answer, key, error, progress, loading, retry } = useFigure(
    props.spec
  );
  const layout = React.useMemo(
    () => answer && layoutOf(answer, key),
    [answer, key]
  );
  const table = React.useMemo(() => answer && tableOf(answer), [answer]);
  if (error !== null) {
    return (
      <Problem
        error={error}
        retry={retry}
        what={trans.__('This chart could not be made.')}
      />
    );
  }
  if (!answer) {
    return (
      <div>
        <Skeleton lines={6} />
        {progress && <Doing progress={progress} />}
      </div>
    );
  }
  return (
    <div
      className={`jp-StudioData-figure ${loading ? 'jp-mod-loading' : ''}`}
      aria-busy={loading}
    >
      <Chart
        title={answer.title}
        summary={answer.summary}
        data={(answer.figure['data'] as object[]) ?? []}
        layout={layout}
        table={table!}
        note={noteOf(answer, trans)}
        code={answer.code}
        onInsert={insert}
        height={Math.max(props.height ?? HEIGHT, heightOf(answer))}
        zoom={props.zoom}
        onZoom={props.onZoom}
        onPick={props.onPick}
        actions={props.actions}
      />
      {answer.facts.length > 0 && (
        <details
          className="jp-StudioData-facts"
          open={answer.facts.length <= FEW_FACTS}
        >
          <summary>{trans.__('Figures of this chart')}</summary>
          <Facts
            facts={answer.facts.map(({ name, value, words }) => [
              name,
              <span key={name}>
                {value !== null && cellText(value)}{' '}
                <span className="jp-StudioData-words">{words}</span>
              </span>
            ])}
          />
        </details>
      )}
    </div>
  );
}

/** What the worker does meanwhile, in words. */
export function Doing(props: { progress: Progress }): React.JSX.Element {
  const { progress, doing } = props.progress;
  return (
    <p className="jp-StudioData-doing" role="status">
      <progress value={progress} max={1} aria-label={doing} /> {doing}
    </p>
  );
}

function useFigure(spec: ChartSpec): IFigure {
  const { client } = useStudio();
  const { source, figures } = usePage();
  const key = JSON.stringify(spec);
  const [shown, setShown] = React.useState<{
    answer: ChartAnswer | undefined;
    key: string;
  }>({ answer: figures.get(key), key });
  const [error, setError] = React.useState<unknown>(null);
  const [progress, setProgress] = React.useState<Progress | null>(null);
  const [attempt, retry] = React.useReducer((count: number) => count + 1, 0);
  React.useEffect(() => {
    setError(null);
    const known = figures.get(key);
    if (known) {
      setShown({ answer: known, key });
      return;
    }
    const abort = new AbortController();
    const load = async () => {
      try {
        const answer = await answerOf(
          client,
          'chart',
          { source, spec: JSON.parse(key) as ChartSpec },
          abort.signal,
          setProgress
        );
        figures.put(key, answer);
        setShown({ answer, key });
      } catch (problem) {
        if (!abort.signal.aborted) {
          setError(problem);
        }
      }
    };
    // Several choices in quick succession ask for one chart only.
    const timer = setTimeout(() => void load(), PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [client, source, figures, key, attempt]);
  return { ...shown, error, progress, loading: shown.key !== key, retry };
}

function layoutOf(answer: ChartAnswer, key: string): Record<string, unknown> {
  const layout = {
    ...(answer.figure['layout'] as Record<string, unknown> | undefined)
  };
  // The title stands above the chart; its size is that of its place.
  delete layout['title'];
  delete layout['width'];
  delete layout['height'];
  return { ...layout, uirevision: key };
}

const HEIGHT = 380;
const ROW_HEIGHT = 200;

/** Small multiples need room for each of their rows. */
function heightOf(answer: ChartAnswer): number {
  const layout = (answer.figure['layout'] ?? {}) as Record<string, unknown>;
  const starts = Object.entries(layout)
    .filter(([name]) => name.startsWith('yaxis'))
    .map(([, axis]) => (axis as { domain?: number[] }).domain?.[0]);
  const rows = new Set(starts).size;
  return rows > 1 ? ROW_HEIGHT * rows : 0;
}

function tableOf(
  answer: ChartAnswer
): React.ComponentProps<typeof Chart>['table'] {
  return {
    columns: answer.table.columns,
    rows: answer.table.rows.map(row =>
      row.map(cell => (typeof cell === 'boolean' ? String(cell) : cell))
    ),
    total: answer.table.total
  };
}

function noteOf(
  { shown, rows, notes }: ChartAnswer,
  trans: ReturnType<typeof useStudio>['trans']
): string {
  const all = shown === rows ? [trans.__('All %1 rows.', number(rows))] : [];
  return [...all, ...notes].join(' ');
}
