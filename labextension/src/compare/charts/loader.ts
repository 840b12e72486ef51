import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import { float64s } from '../../components/chart/series';
import type { Client } from '../../core/client';
import type { Feed, FeedEvent } from '../../core/feed';
import type { studio } from '../../wire';
import { COMPONENT } from '../rows';

/** What charts are drawn against, and which part of it. */
export interface ISpec {
  axis: 'Step' | 'Time' | 'RelativeTime' | 'Metric';
  /** The metric on the x axis. */
  metric?: string;
  /** On the axis, of relative time in seconds; null for all of it. */
  range: readonly [number, number] | null;
  /** Points of a line at most. */
  points: number;
}

/** A metric of a component, as much of it as was asked for. */
export interface ISeriesPart {
  component: string;
  /** Ascending. */
  x: Float64Array;
  low: Float64Array;
  mean: Float64Array;
  high: Float64Array;
  /** How many values there are in the range. */
  total: number;
  /** Each point is one value. */
  complete: boolean;
}

/** What is known of a metric: the parts by component, and what they were asked for with. */
export interface IMetricSeries {
  spec: ISpec;
  parts: ReadonlyMap<string, ISeriesPart>;
}

/** Metrics of one request: a page of charts paints its first while the next come. */
const TOGETHER = 4;
const PACE_MS = 150;

/**
 * The series that the charts of a pane draw.
 *
 * What is drawn stays until what is to come in its place is there. Of a component that has new
 * values all that is drawn of it is asked for again, several components at once.
 */
export class SeriesLoader implements IDisposable {
  constructor(
    private _client: Client,
    feed: Feed
  ) {
    feed.events.connect(this._onEvent, this);
  }

  /** Emitted with the metrics of which there is something new. */
  get changed(): ISignal<this, ReadonlySet<string>> {
    return this._changed;
  }

  /** Why the last request failed. */
  get error(): unknown {
    return this._error;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  series(metric: string): IMetricSeries | undefined {
    return this._series.get(metric);
  }

  /** Ask for these components, of each metric that is wanted. */
  ask(spec: ISpec, components: readonly string[]): void {
    const same =
      JSON.stringify([spec, components]) ===
      JSON.stringify([this._spec, this._components]);
    if (!same) {
      this._spec = spec;
      this._components = components;
      this._age++;
      this._stale = new Set(this._wanted.keys());
      this._dirty.clear();
      this._soon();
    }
  }

  /** Some chart shows the metric, until what is answered is called. */
  want(metric: string): () => void {
    const count = this._wanted.get(metric) ?? 0;
    this._wanted.set(metric, count + 1);
    if (!count) {
      this._stale.add(metric);
      this._soon();
    }
    return () => {
      const left = (this._wanted.get(metric) ?? 1) - 1;
      this._wanted.set(metric, left);
      if (!left) {
        this._wanted.delete(metric);
        this._stale.delete(metric);
      }
    };
  }

  /** Ask for all of it anew. */
  refresh(): void {
    this._stale = new Set(this._wanted.keys());
    this._soon();
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      clearTimeout(this._timer);
      this._abort.abort();
      Signal.disconnectReceiver(this);
      Signal.clearData(this);
    }
  }

  private _onEvent(_: Feed, event: FeedEvent): void {
    if (event.type === 'reset') {
      this._stale = new Set(this._wanted.keys());
    } else if (
      event.type === 'metrics' &&
      event.Kind === COMPONENT &&
      this._components.includes(event.Name)
    ) {
      this._dirty.add(event.Name);
    } else {
      return;
    }
    this._soon();
  }

  private _soon(): void {
    if (this._awaited || this._running || this._isDisposed) {
      return;
    }
    this._awaited = true;
    const run = () => {
      this._awaited = false;
      void this._run();
    };
    const pause = this._begun + PACE_MS - Date.now();
    if (pause > 0) {
      this._timer = setTimeout(run, pause);
    } else {
      queueMicrotask(run); // a timer would let the browser paint first
    }
  }

  /** One request after the other until nothing is missing. */
  private async _run(): Promise<void> {
    this._running = true;
    this._begun = Date.now();
    try {
      while (this._stale.size && !this._isDisposed) {
        await this._load([...this._stale].slice(0, TOGETHER));
      }
      if (this._dirty.size && !this._isDisposed) {
        await this._follow();
      }
      this._error = null;
    } catch (error) {
      this._error = error;
      this._stale.clear();
      if (!this._isDisposed) {
        this._changed.emit(new Set(this._wanted.keys()));
      }
    }
    this._running = false;
    if (this._stale.size || this._dirty.size) {
      this._soon();
    }
  }

  private async _load(metrics: string[]): Promise<void> {
    const [age, spec, components] = [this._age, this._spec, this._components];
    metrics.forEach(metric => this._stale.delete(metric));
    const found = components.length
      ? await this._fetch(components, metrics)
      : [];
    if (age !== this._age || this._isDisposed) {
      return;
    }
    for (const metric of metrics) {
      const parts = found.filter(({ MetricName }) => MetricName === metric);
      this._series.set(metric, {
        spec,
        parts: new Map(
          parts.map(it => [it.TrialComponentName, partOf(it, spec)])
        )
      });
    }
    this._changed.emit(new Set(metrics));
  }

  private async _follow(): Promise<void> {
    const [age, spec] = [this._age, this._spec];
    const components = [...this._dirty];
    this._dirty.clear();
    const metrics = [...this._wanted.keys()];
    const found = await this._fetch(components, metrics);
    if (age !== this._age || this._isDisposed) {
      return;
    }
    const concerned = new Set<string>();
    for (const each of found) {
      const known = this._series.get(each.MetricName);
      if (known?.spec === spec) {
        const parts = new Map(known.parts);
        parts.set(each.TrialComponentName, partOf(each, spec));
        this._series.set(each.MetricName, { spec, parts });
        concerned.add(each.MetricName);
      }
    }
    this._changed.emit(concerned);
  }

  private async _fetch(
    components: readonly string[],
    metrics: readonly string[]
  ): Promise<studio.TrialComponentSeries[]> {
    const { axis, metric, range, points } = this._spec;
    const unit = axis === 'RelativeTime' ? 1000 : 1;
    const answer = await this._client.call(
      'studio',
      'GetTrialComponentSeries',
      {
        TrialComponentNames: [...components],
        MetricNames: [...metrics],
        XAxis: axis,
        MaxPoints: points,
        ...(metric !== undefined && { XMetricName: metric }),
        ...(range && { Start: unit * range[0], End: unit * range[1] })
      },
      this._abort.signal
    );
    return answer.Series;
  }

  private _series = new Map<string, IMetricSeries>();
  private _wanted = new Map<string, number>();
  private _stale = new Set<string>();
  private _dirty = new Set<string>();
  private _spec: ISpec = { axis: 'Step', range: null, points: 1000 };
  private _components: readonly string[] = [];
  private _age = 0;
  private _begun = 0;
  private _running = false;
  private _awaited = false;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _error: unknown = null;
  private _abort = new AbortController();
  private _isDisposed = false;
  private _changed = new Signal<this, ReadonlySet<string>>(this);
}

function partOf(series: studio.TrialComponentSeries, spec: ISpec): ISeriesPart {
  const x = float64s(series.X);
  const mean = float64s(series.Means);
  const complete = series.Complete;
  const columns = {
    x: spec.axis === 'RelativeTime' ? x.map(each => each / 1000) : x,
    low: complete ? mean : float64s(series.Minima),
    mean,
    high: complete ? mean : float64s(series.Maxima)
  };
  return {
    component: series.TrialComponentName,
    ...(spec.axis === 'Metric' ? inOrder(columns) : columns),
    total: series.Total,
    complete
  };
}

type Columns = Pick<ISeriesPart, 'x' | 'low' | 'mean' | 'high'>;

/** A metric on the x axis goes up and down; what is drawn goes from left to right. */
function inOrder(columns: Columns): Columns {
  const { x } = columns;
  const order = Array.from(x.keys())
    .filter(at => !Number.isNaN(x[at]))
    .sort((one, other) => x[one] - x[other]);
  const along = (numbers: Float64Array) =>
    Float64Array.from(order, at => numbers[at]);
  return {
    x: along(x),
    low: along(columns.low),
    mean: along(columns.mean),
    high: along(columns.high)
  };
}
