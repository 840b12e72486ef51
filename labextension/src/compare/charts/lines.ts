import {
  colorAt,
  dashAt,
  type Palette,
  strokeAt
} from '../../components/chart/palette';
import { type ILine, THIN_FROM } from '../../components/chart/drawing';
import { type ScaleKind, roomy } from '../../components/chart/scale';
import { type IComponents, valueAt } from '../rows';
import { band } from './bands';
import type { IMetricSeries, ISeriesPart } from './loader';
import type { IPanel } from './panels';
import type { IChartsSettings } from './settings';
import { smoothed } from './smooth';

/** How the lines of a component look, and where they are. */
export interface IStyle {
  name: string;
  /** What it is called on screen. */
  title: string;
  /** The group by which it has its colour: its own name, unless grouped. */
  group: string;
  groupTitle: string;
  panel: string | null;
  color: string;
  dash: number[];
  failed: boolean;
}

type Settings = Partial<IChartsSettings>;

/** The looks of components, by the fields of the settings. */
export function styles(
  components: IComponents,
  settings: Settings,
  colors: ReadonlyMap<string, string>,
  palette: Palette
): IStyle[] {
  const { colorBy, dashBy, panelBy } = settings;
  const text = (field: string | undefined, at: number) =>
    field ? textOf(valueAt(components, field, at)) : null;
  const groups = components.names.map((name, at) => text(colorBy, at) ?? name);
  const places = palette.places(
    colorBy ? groups.map(group => `${colorBy}=${group}`) : groups
  );
  const dashes = new Map<string, number>();
  const few = new Set(groups).size <= THIN_FROM;
  return components.names.map((name, at) => {
    const dashed = text(dashBy, at);
    if (dashed !== null && !dashes.has(dashed)) {
      dashes.set(dashed, dashes.size);
    }
    return {
      name,
      title: components.titles[at],
      group: groups[at],
      groupTitle: colorBy
        ? `${colorBy} = ${groups[at]}`
        : components.titles[at],
      panel: text(panelBy, at),
      color: colorBy ? colorAt(document.body, places[at]) : colors.get(name)!,
      dash:
        dashed !== null
          ? strokeAt(dashes.get(dashed)!)
          : few
            ? dashAt(places[at])
            : [],
      failed: components.statuses[at] === 'Failed'
    };
  });
}

/** The value of a field as a name of a group. */
export function textOf(value: number | string | undefined): string {
  return value === undefined ? '–' : String(value);
}

/** The lines of a panel, in order of the components. */
export function linesOf(
  panel: IPanel,
  looks: readonly IStyle[],
  series: (metric: string) => IMetricSeries | undefined,
  settings: Settings
): ILine[] {
  const shown = looks.filter(
    ({ panel: group }) => panel.only === undefined || group === panel.only
  );
  const several = panel.metrics.length > 1;
  return panel.metrics.flatMap((metric, at) => {
    const parts = series(metric)?.parts;
    const found = shown.flatMap(look => {
      const part = parts?.get(look.name);
      return part?.x.length ? [{ look, part }] : [];
    });
    const dash = several ? strokeAt(at) : undefined;
    const named = (title: string) => (several ? `${title} · ${metric}` : title);
    return (settings.band ?? 'none') === 'none'
      ? found.map(({ look, part }) =>
          single(look, part, named(look.title), dash, settings, metric)
        )
      : banded(found, named, dash, settings, metric);
  });
}

interface IFound {
  look: IStyle;
  part: ISeriesPart;
}

function single(
  look: IStyle,
  part: ISeriesPart,
  label: string,
  dash: number[] | undefined,
  settings: Settings,
  metric: string
): ILine {
  const y = smooth(part.x, part.mean, settings);
  const raw = y === part.mean ? undefined : part.mean;
  return {
    key: `${look.name}\u0000${metric}`,
    label,
    color: look.color,
    dash: dash ?? look.dash,
    x: part.x,
    y,
    raw,
    failed: look.failed,
    ...(!part.complete && { low: part.low, high: part.high, spread: 'strokes' })
  };
}

const PLACES = 500;

/** The groups of lines as their means with bands. */
function banded(
  found: readonly IFound[],
  named: (title: string) => string,
  dash: number[] | undefined,
  settings: Settings,
  metric: string
): ILine[] {
  const groups = new Map<string, IFound[]>();
  for (const each of found) {
    const group = groups.get(each.look.group) ?? [];
    group.push(each);
    groups.set(each.look.group, group);
  }
  return [...groups].map(([group, members]) => {
    const curves = members.map(({ part }) => ({
      x: part.x,
      y: smooth(part.x, part.mean, settings),
      ...(!part.complete && { low: part.low, high: part.high })
    }));
    const kind = settings.band === 'interval' ? 'interval' : 'range';
    const { x, mean, low, high } = band(curves, kind, PLACES);
    const { look } = members[0];
    return {
      key: `${group}\u0000${metric}`,
      label: named(`${look.groupTitle} (${members.length})`),
      color: look.color,
      dash: dash ?? look.dash,
      x,
      y: mean,
      low,
      high,
      spread: 'area' as const
    };
  });
}

function smooth(
  x: Float64Array,
  y: Float64Array,
  { smoothing, strength }: Settings
): Float64Array {
  return smoothed(smoothing ?? 'ema', x, y, strength ?? 0);
}

/** What of the x axis the lines cover. */
export function domainX(
  lines: readonly ILine[],
  kind: ScaleKind
): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const { x } of lines) {
    const first = kind === 'log' ? x.find(value => value > 0) : x[0];
    low = Math.min(low, first ?? Infinity);
    high = Math.max(high, x[x.length - 1] ?? -Infinity);
  }
  return roomy(kind, low, high, 0.01);
}

/** Where the values of lines are; `clip` percent of them at either end may lie outside. */
export function domainY(
  lines: readonly ILine[],
  kind: ScaleKind,
  clip: number,
  range: readonly [number, number] | null
): { domain: [number, number]; outside: number; all: number } {
  const values = seen(lines, kind, range);
  let [low, high] = [Infinity, -Infinity];
  if (clip > 0 && values.length) {
    values.sort();
    const at = (share: number) =>
      values[Math.round(share * (values.length - 1))];
    [low, high] = [at(clip / 100), at(1 - clip / 100)];
  } else {
    for (const value of values) {
      low = value < low ? value : low;
      high = value > high ? value : high;
    }
  }
  const domain = roomy(kind, low, high);
  const outside = clip
    ? values.filter(value => value < domain[0] || value > domain[1]).length
    : 0;
  return { domain, outside, all: values.length };
}

/** The finite values of lines that are in a range of the x axis, with what is around them. */
function seen(
  lines: readonly ILine[],
  kind: ScaleKind,
  range: readonly [number, number] | null
): Float64Array {
  const columns = lines.map(({ x, y, low, high, raw }) => ({
    x,
    ys: low && high ? [low, high, y] : raw ? [raw, y] : [y]
  }));
  const most = columns.reduce(
    (sum, { x, ys }) => sum + x.length * ys.length,
    0
  );
  const values = new Float64Array(most);
  const least = kind === 'log' ? Number.MIN_VALUE : -Infinity;
  let count = 0;
  for (const { x, ys } of columns) {
    for (let at = 0; at < x.length; at++) {
      if (range && (x[at] < range[0] || x[at] > range[1])) {
        continue;
      }
      for (const y of ys) {
        if (Number.isFinite(y[at]) && y[at] >= least) {
          values[count++] = y[at];
        }
      }
    }
  }
  return values.subarray(0, count);
}
