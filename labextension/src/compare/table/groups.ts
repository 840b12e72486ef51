import { type ISignal, Signal } from '@lumino/signaling';

import { float64s } from '../../components/chart/series';
import type { Client } from '../../core/client';
import type { studio } from '../../wire';
import {
  type IDifference,
  type ILine,
  type ILines,
  type IQuestion,
  Pages
} from './pages';

/** Of the numbers that a group has of a field; NaN where there are too few. */
export interface IStatistic {
  count: number;
  mean: number;
  deviation: number;
  minimum: number;
  maximum: number;
  /** The mean is so near the true one with 95 % confidence. */
  half: number;
}

/** Components of one value of a field; what is in it is fetched when it is opened. */
export interface IGroup {
  field: string;
  /** Undefined where there is no value. */
  key: string | number | undefined;
  count: number;
  /** Selects exactly the components of the group, of those to whose names the view is narrowed. */
  query: string;
  statistics: Map<string, IStatistic>;
  inside: Level | Pages | null;
}

/** Groups within a group. */
interface Level {
  groups: IGroup[];
  /** How many there are, of which the first are here. */
  total: number;
}

interface ISegment {
  start: number;
  count: number;
  line?: ILine;
  pages?: Pages;
}

const MOST_GROUPS = 1000;
/** As the server has it: more columns than any screen shows at once. */
const MOST_STATISTICS = 200;

/** Components in nested groups: a level is fetched when the group around it is opened. */
export class GroupTree implements ILines {
  constructor(
    private _client: Client,
    private _question: IQuestion,
    private _by: readonly string[],
    private _measurable: (field: string) => boolean
  ) {}

  get count(): number | undefined {
    const last = this._segments[this._segments.length - 1];
    return this._root && (last ? last.start + last.count : 0);
  }

  get error(): unknown {
    return this._error;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** How many of the outermost groups there are, and how many of them are here. */
  get outermost(): { here: number; total: number } {
    const { groups = [], total = 0 } = this._root ?? {};
    return { here: groups.length, total };
  }

  line(index: number): ILine | undefined {
    const segment = this._segmentAt(index);
    return segment?.line ?? segment?.pages?.line(index - segment.start);
  }

  ensure(first: number, last: number, fields: readonly string[]): void {
    this._fields = fields;
    if (this._wanted() !== this._loaded) {
      this._loaded = this._wanted();
      void this._renew();
    }
    for (const { start, count, pages } of this._segments) {
      if (pages && start <= last && start + count > first) {
        const most = Math.min(count - 1, last - start);
        pages.ensure(Math.max(0, first - start), Math.max(0, most), fields);
      }
    }
  }

  async names(first: number, last: number): Promise<string[]> {
    const found: string[] = [];
    for (const { start, count, pages } of this._segments) {
      const from = Math.max(first, start);
      const to = Math.min(last, start + count - 1);
      if (pages && from <= to) {
        found.push(...(await pages.names(from - start, to - start)));
      }
    }
    return [...new Set(found)];
  }

  /** Open or close a group. */
  async toggle(group: IGroup): Promise<void> {
    if (group.inside) {
      close(group);
    } else {
      await this._open(group);
    }
    this._arrange();
  }

  async refresh(): Promise<IDifference> {
    await this._renew();
    const found = await Promise.all(this._inner.map(pages => pages.refresh()));
    return {
      fresh: found.reduce((sum, each) => sum + each.fresh, 0),
      moved: found.some(each => each.moved)
    };
  }

  async reload(): Promise<void> {
    await this._renew();
    await Promise.all(this._inner.map(pages => pages.reload()));
  }

  dispose(): void {
    this._isDisposed = true;
    this._root?.groups.forEach(close);
    Signal.clearData(this);
  }

  /** The pages of the groups that are open. */
  private get _inner(): Pages[] {
    return this._segments.flatMap(({ pages }) => pages ?? []);
  }

  private async _open(group: IGroup): Promise<void> {
    const depth = this._by.indexOf(group.field) + 1;
    if (depth < this._by.length) {
      group.inside = await this._level(depth, group.query);
      return;
    }
    const question = { ...this._question, Query: group.query };
    const pages = new Pages(this._client, question, depth + 1);
    pages.changed.connect(() => this._arrange());
    pages.ensure(0, 0, this._fields);
    group.inside = pages;
  }

  /** Fetch the levels that are open once more; what is open stays open. */
  private async _renew(): Promise<void> {
    try {
      const root = await this._level(0, this._question.Query);
      await this._reopen(this._root?.groups ?? [], root.groups);
      this._root = root;
      this._error = null;
    } catch (error) {
      this._error = error;
    }
    this._arrange();
  }

  private async _reopen(before: IGroup[], now: IGroup[]): Promise<void> {
    const known = new Map(before.map(group => [group.query, group]));
    for (const group of now) {
      const inside = known.get(group.query)?.inside;
      known.delete(group.query);
      if (inside instanceof Pages) {
        group.inside = inside;
      } else if (inside) {
        await this._open(group);
        await this._reopen(inside.groups, (group.inside as Level).groups);
      }
    }
    known.forEach(close);
  }

  private async _level(depth: number, Query?: string): Promise<Level> {
    const { Names, SortBy = [] } = this._question;
    const Fields = this._statistics();
    const known = [this._by[depth], ...Fields];
    const answer = await this._client.call('studio', 'GroupTrialComponents', {
      ...(Query && { Query }),
      ...(Names && { Names }),
      GroupBy: [this._by[depth]],
      Fields,
      SortBy: SortBy.filter(({ Field }) => known.includes(Field)),
      Limit: MOST_GROUPS
    });
    return {
      total: answer.Total,
      groups: groupsOf(this._by[depth], answer)
    };
  }

  private _statistics(): string[] {
    const sorts = (this._question.SortBy ?? []).map(({ Field }) => Field);
    return [...new Set([...sorts, ...this._fields])]
      .filter(this._measurable)
      .slice(0, MOST_STATISTICS);
  }

  private _wanted(): string {
    return JSON.stringify(this._statistics());
  }

  private _arrange(): void {
    const segments: ISegment[] = [];
    let start = 0;
    const add = (segment: Omit<ISegment, 'start'>) => {
      segments.push({ ...segment, start });
      start += segment.count;
    };
    const walk = (groups: IGroup[], level: number) => {
      for (const group of groups) {
        add({ count: 1, line: { group, level } });
        if (group.inside instanceof Pages) {
          const pages = group.inside;
          add({ count: pages.count ?? group.count, pages });
        } else if (group.inside) {
          walk(group.inside.groups, level + 1);
        }
      }
    };
    walk(this._root?.groups ?? [], 1);
    this._segments = segments;
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private _segmentAt(index: number): ISegment | undefined {
    let [low, high] = [0, this._segments.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this._segments[middle].start <= index) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return this._segments[low];
  }

  private _root: Level | undefined;
  private _segments: ISegment[] = [];
  private _fields: readonly string[] = [];
  private _loaded: string | undefined;
  private _error: unknown = null;
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
}

function groupsOf(
  field: string,
  answer: studio.GroupTrialComponentsResponse
): IGroup[] {
  const columns = answer.Statistics.map(each => ({
    field: each.Field,
    counts: float64s(each.Counts),
    means: float64s(each.Means),
    deviations: float64s(each.StdDevs),
    minima: float64s(each.Minima),
    maxima: float64s(each.Maxima),
    halves: float64s(each.HalfWidths)
  }));
  return answer.Groups.map((group, at) => ({
    field,
    key: group.Keys[0].Text ?? group.Keys[0].Number,
    count: group.Count,
    query: group.Query,
    inside: null,
    statistics: new Map(
      columns.map(each => [
        each.field,
        {
          count: each.counts[at],
          mean: each.means[at],
          deviation: each.deviations[at],
          minimum: each.minima[at],
          maximum: each.maxima[at],
          half: each.halves[at]
        }
      ])
    )
  }));
}

function close(group: IGroup): void {
  if (group.inside instanceof Pages) {
    group.inside.dispose();
  } else {
    group.inside?.groups.forEach(close);
  }
  group.inside = null;
}
