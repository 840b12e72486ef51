import {
  type IScale,
  type ITick,
  placer,
  roomy,
  ticks,
  valueAt as valueOn
} from '../../components/chart/scale';
import { number } from '../../components/format';
import { type IComponents, valueAt } from '../rows';
import { byName } from '../../components/names';

/** What the pane "Parallel" keeps in a view. */
export interface IParallelSettings {
  /** Null for those it chooses itself. */
  axes: IAxisState[] | null;
  /** The field by which lines are coloured; that of the last axis when not said. */
  colorBy: string;
  /** What is brushed, as shares of the axes' lengths, by field. */
  brushes: Record<string, Brush>;
}

export interface IAxisState {
  field: string;
  flipped?: boolean;
  log?: boolean;
}

/** The lower and the upper end, 0 (bottom) to 1 (top). */
export type Brush = [number, number];

/** An axis and where the components are on it. */
export interface IAxis {
  field: string;
  flipped: boolean;
  log: boolean;
  text: boolean;
  /** Where each component is, 0 (bottom) to 1 (top); NaN for those without a value. */
  shares: Float64Array;
  /** What is written at it; `value` is the share. */
  ticks: ITick[];
  /** The value at a share, as people read it. */
  at: (share: number) => string;
  /** The condition of a query that selects what is brushed. */
  condition: (brush: Brush) => string;
  missing: number;
}

const MOST_LABELS = 24;

/** The axis of a field. Texts stand at even distances; numbers and texts mixed count as texts. */
export function axisOf(
  components: IComponents,
  state: IAxisState,
  count: number
): IAxis {
  const values = components.names.map((_, at) =>
    valueAt(components, state.field, at)
  );
  const text = values.some(value => typeof value === 'string');
  const made = text ? texts(values, state) : numbers(values, state, count);
  const turn = (share: number) => (state.flipped ? 1 - share : share);
  return {
    field: state.field,
    flipped: !!state.flipped,
    log: !!state.log && !text,
    text,
    shares: made.shares.map(turn),
    ticks: made.ticks.map(tick => ({ ...tick, value: turn(tick.value) })),
    at: share => made.at(turn(share)),
    condition: brush => {
      const [low, high] = brush.map(turn);
      return made.condition(Math.min(low, high), Math.max(low, high));
    },
    missing: values.filter(value => value === undefined).length
  };
}

interface IMade {
  shares: Float64Array;
  ticks: ITick[];
  at: (share: number) => string;
  condition: (low: number, high: number) => string;
}

type Value = number | string | undefined;

function numbers(values: Value[], state: IAxisState, count: number): IMade {
  const kind = state.log ? 'log' : 'linear';
  const found = values as (number | undefined)[];
  let [low, high] = [Infinity, -Infinity];
  for (const value of found) {
    if (
      value !== undefined &&
      Number.isFinite(value) &&
      !(state.log && value <= 0)
    ) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  const scale: IScale = {
    kind,
    domain:
      low === high ? roomy(kind, low, high) : low < high ? [low, high] : [0, 1],
    pixels: [0, 1]
  };
  const place = placer(scale);
  const whole = found.every(
    value => value === undefined || Number.isInteger(value)
  );
  const most = whole ? Math.min(count, high - low) : count;
  const share = (value: number | undefined) => {
    const at = value === undefined ? NaN : place(value);
    return at >= 0 && at <= 1 ? at : NaN;
  };
  return {
    shares: Float64Array.from(found, share),
    ticks: (low <= high ? ticks(scale, most) : []).map(({ value, label }) => ({
      value: place(value),
      label
    })),
    at: at => number(valueOn(scale, at)),
    condition: (first, last) =>
      [first, last]
        .map(at => Number(valueOn(scale, at).toPrecision(6)))
        .map((value, at) => `${state.field} ${at ? '<=' : '>='} ${value}`)
        .join(' and ')
  };
}

function texts(values: Value[], state: IAxisState): IMade {
  const names = [
    ...new Set(values.filter(value => value !== undefined).map(String))
  ].sort(byName);
  const places = new Map(
    names.map((name, at) => [name, (at + 0.5) / names.length])
  );
  const every = Math.ceil(names.length / MOST_LABELS);
  const between = (low: number, high: number) =>
    names.filter(name => places.get(name)! >= low && places.get(name)! <= high);
  return {
    shares: Float64Array.from(values, value =>
      value === undefined ? NaN : places.get(String(value))!
    ),
    ticks: names
      .filter((_, at) => at % every === 0)
      .map(label => ({ value: places.get(label)!, label })),
    at: share =>
      names[
        Math.min(
          names.length - 1,
          Math.max(0, Math.floor(share * names.length))
        )
      ] ?? '',
    condition: (low, high) =>
      `${state.field} in [${between(low, high)
        .map(name => JSON.stringify(name))
        .join(', ')}]`
  };
}

/** The components that are within all brushes; null when nothing is brushed. */
export function caught(
  axes: readonly IAxis[],
  brushes: Readonly<Record<string, Brush>>
): number[] | null {
  const brushed = axes.filter(({ field }) => brushes[field]);
  if (!brushed.length) {
    return null;
  }
  const found: number[] = [];
  for (let at = 0; at < brushed[0].shares.length; at++) {
    if (
      brushed.every(({ field, shares }) => {
        const [low, high] = brushes[field];
        return shares[at] >= low && shares[at] <= high;
      })
    ) {
      found.push(at);
    }
  }
  return found;
}

/** The component whose line passes next to a point; -1 when none is within `reach` pixels. */
export function nearestLine(
  axes: readonly IAxis[],
  places: readonly number[],
  height: (share: number) => number,
  [x, y]: readonly [number, number],
  reach: number
): number {
  const right = Math.max(
    1,
    places.findIndex(place => place >= x)
  );
  const [one, other] = [axes[right - 1], axes[right]];
  if (!one || !other || x > places[right]) {
    return -1;
  }
  const share = (x - places[right - 1]) / (places[right] - places[right - 1]);
  let [found, least] = [-1, reach];
  for (let at = 0; at < one.shares.length; at++) {
    const from = height(one.shares[at]);
    const distance = Math.abs(
      from + share * (height(other.shares[at]) - from) - y
    );
    if (distance < least) {
      [found, least] = [at, distance];
    }
  }
  return found;
}
