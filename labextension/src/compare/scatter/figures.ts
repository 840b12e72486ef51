import type { Palette } from '../../components/chart/palette';
import { DASHES, plain, SYMBOLS } from '../../components/chart/theme';
import { halfWidth } from '../charts/bands';
import { type IComponents, valueAt } from '../rows';
import type { IChartState } from './settings';
import { byName } from '../../components/names';

/** What Plotly draws of some components. */
export interface IFigure {
  data: object[];
  layout: Record<string, unknown>;
  /** How many components are drawn. */
  drawn: number;
  /** How many lack a value that it takes. */
  missing: number;
}

/** Most points of a chart: each is an element of the page. */
export const MOST_POINTS = 5000;

type Value = number | string | undefined;
type Values = (field: string | undefined) => Value[];

/** The figure of a chart; points carry the component's place in `customdata`. */
export function figure(
  chart: IChartState,
  components: IComponents,
  palette: Palette,
  selection: ReadonlySet<string>
): IFigure {
  const values: Values = field =>
    components.names.map((_, at) =>
      field === undefined ? undefined : valueAt(components, field, at)
    );
  switch (chart.kind) {
    case 'box':
    case 'bar':
      return byGroup(chart, values, palette);
    case 'heatmap':
    case 'contour':
      return map(chart, values);
    default:
      return points(chart, components, values, palette, selection);
  }
}

function points(
  chart: IChartState,
  components: IComponents,
  values: Values,
  palette: Palette,
  selection: ReadonlySet<string>
): IFigure {
  const [x, y, color] = [values(chart.x), values(chart.y), values(chart.color)];
  const sizes = diameters(values(chart.size), chart.size !== undefined);
  const complete = places(x, y, chart);
  const there = complete.slice(0, MOST_POINTS);
  const named = color.some(value => typeof value === 'string');
  const groups = named
    ? grouped(there, at => text(color[at]))
    : new Map([['', there]]);
  const keys = [...groups.keys()];
  const ranks = palette.places(keys.map(key => `${chart.color}=${key}`));
  const data = [...groups].map(([key, members], at) => ({
    type: 'scatter',
    mode: 'markers',
    name: plain(key),
    showlegend: named,
    x: members.map(i => shown(x[i])),
    y: members.map(i => shown(y[i])),
    customdata: members,
    text: members.map(i => plain(components.titles[i])),
    ...(selection.size && {
      selectedpoints: members.flatMap((i, place) =>
        selection.has(components.names[i]) ? [place] : []
      )
    }),
    unselected: { marker: { opacity: 0.3 } },
    marker: {
      size: members.map(i => sizes[i]),
      ...(!named &&
        chart.color && {
          color: members.map(i => color[i] ?? null),
          coloraxis: 'coloraxis'
        })
    },
    // Without a field to tell by colour all have the first of the palette.
    ...(named || !chart.color ? { meta: look(named ? ranks[at] : 0) } : {})
  }));
  return {
    data,
    layout: {
      ...axes(chart),
      hovermode: 'closest',
      dragmode: chart.drag ?? 'zoom',
      showlegend: named,
      ...(!named &&
        chart.color && {
          meta: { scale: 'sequential' },
          coloraxis: { colorbar: { title: { text: plain(chart.color) } } }
        })
    },
    drawn: there.length,
    missing: components.names.length - complete.length
  };
}

function look(place: number): object {
  return {
    color: place,
    symbol: SYMBOLS[place % SYMBOLS.length],
    dash: DASHES[place % DASHES.length]
  };
}

const SMALL = 5;
const LARGE = 26;

/** Pixels by the square root of the value: its area is what one sees. */
function diameters(values: Value[], wanted: boolean): number[] {
  const numbers = values.map(value =>
    typeof value === 'number' ? value : NaN
  );
  const finite = numbers.filter(Number.isFinite);
  const low = finite.reduce((a, b) => Math.min(a, b), Infinity);
  const high = finite.reduce((a, b) => Math.max(a, b), -Infinity);
  return numbers.map(value =>
    wanted && high > low && Number.isFinite(value)
      ? SMALL + (LARGE - SMALL) * Math.sqrt((value - low) / (high - low))
      : wanted
        ? SMALL
        : 8
  );
}

/** Components that have both values, and where an axis is logarithmic, one above 0. */
function places(x: Value[], y: Value[], chart: IChartState): number[] {
  const fits = (value: Value, log: boolean | undefined) =>
    value !== undefined && !(log && !(Number(value) > 0));
  return [...x.keys()].filter(
    at => fits(x[at], chart.logX) && fits(y[at], chart.logY)
  );
}

function byGroup(
  chart: IChartState,
  values: Values,
  palette: Palette
): IFigure {
  const [x, y] = [values(chart.x), values(chart.y)];
  const there = [...y.keys()].filter(at => typeof y[at] === 'number');
  const groups = [...grouped(there, at => text(x[at]))].sort(([one], [other]) =>
    byName(one, other)
  );
  const ranks = palette.places(groups.map(([key]) => `${chart.x}=${key}`));
  const data = groups.map(([key, members], at) => {
    const numbers = members.map(i => y[i] as number);
    return chart.kind === 'box'
      ? box(key, numbers, members, look(ranks[at]))
      : bar(key, numbers, look(ranks[at]));
  });
  return {
    data,
    layout: {
      ...axes(chart),
      xaxis: { title: { text: plain(chart.x ?? '') }, type: 'category' },
      showlegend: false
    },
    drawn: there.length,
    missing: y.length - there.length
  };
}

const ALL_POINTS = 200;

function box(
  key: string,
  numbers: number[],
  members: number[],
  meta: object
): object {
  return {
    type: 'box',
    name: plain(key),
    x: numbers.map(() => plain(key)),
    y: numbers,
    customdata: members,
    boxpoints: numbers.length <= ALL_POINTS ? 'all' : 'outliers',
    boxmean: true,
    meta
  };
}

function bar(key: string, numbers: number[], meta: object): object {
  const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
  return {
    type: 'bar',
    name: plain(key),
    x: [plain(key)],
    y: [mean],
    error_y: { type: 'data', array: [halfWidth(numbers, mean)] },
    hovertext: [`n = ${numbers.length}`],
    meta
  };
}

const CELLS = 24;

/** The mean of z in the cells of a grid over x and y; empty cells stay empty. */
function map(chart: IChartState, values: Values): IFigure {
  const [x, y, z] = [values(chart.x), values(chart.y), values(chart.z)];
  const there = places(x, y, chart).filter(at => typeof z[at] === 'number');
  const across = cells(
    there.map(at => x[at]!),
    chart.logX
  );
  const up = cells(
    there.map(at => y[at]!),
    chart.logY
  );
  const sums = up.centers.map(() => across.centers.map(() => 0));
  const counts = up.centers.map(() => across.centers.map(() => 0));
  there.forEach((at, i) => {
    sums[up.cells[i]][across.cells[i]] += z[at] as number;
    counts[up.cells[i]][across.cells[i]]++;
  });
  const means = sums.map((row, j) =>
    row.map((sum, i) => (counts[j][i] ? sum / counts[j][i] : null))
  );
  return {
    data: [
      {
        type: chart.kind,
        x: across.centers,
        y: up.centers,
        z: means,
        coloraxis: 'coloraxis',
        hovertext: counts.map(row => row.map(count => `n = ${count}`)),
        ...(chart.kind === 'contour' && { connectgaps: true })
      },
      {
        type: 'scatter',
        mode: 'markers',
        x: there.slice(0, MOST_POINTS).map(at => shown(x[at])),
        y: there.slice(0, MOST_POINTS).map(at => shown(y[at])),
        customdata: there.slice(0, MOST_POINTS),
        hoverinfo: 'skip',
        showlegend: false,
        marker: { size: 4, color: 'rgba(127,127,127,0.7)' }
      }
    ],
    layout: {
      ...axes(chart),
      meta: { scale: 'sequential' },
      coloraxis: { colorbar: { title: { text: plain(chart.z ?? '') } } }
    },
    drawn: there.length,
    missing: z.length - there.length
  };
}

/** Cells of an axis: one a value where there are few or texts, else of even width. */
function cells(
  values: (number | string)[],
  log: boolean | undefined
): { centers: (number | string)[]; cells: number[] } {
  const distinct = [...new Set(values)];
  if (distinct.length <= CELLS || distinct.some(it => typeof it === 'string')) {
    const centers = distinct.sort((a, b) => byName(String(a), String(b)));
    const place = new Map(centers.map((value, at) => [value, at]));
    return {
      centers: centers.map(shown) as (number | string)[],
      cells: values.map(value => place.get(value)!)
    };
  }
  const bent = (values as number[]).map(value =>
    log ? Math.log(value) : value
  );
  const low = bent.reduce((a, b) => Math.min(a, b));
  const width = (bent.reduce((a, b) => Math.max(a, b)) - low) / CELLS;
  const center = (at: number) => low + (at + 0.5) * width;
  return {
    centers: Array.from({ length: CELLS }, (_, at) =>
      log ? Math.exp(center(at)) : center(at)
    ),
    cells: bent.map(value =>
      Math.min(CELLS - 1, Math.floor((value - low) / width))
    )
  };
}

function axes(chart: IChartState): Record<string, unknown> {
  const axis = (field: string | undefined, log: boolean | undefined) => ({
    title: { text: plain(field ?? '') },
    ...(log && { type: 'log' })
  });
  return {
    xaxis: axis(chart.x, chart.logX),
    yaxis: axis(chart.y, chart.logY)
  };
}

function grouped(
  places: readonly number[],
  keyOf: (at: number) => string
): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const at of places) {
    const key = keyOf(at);
    const members = found.get(key);
    if (members) {
      members.push(at);
    } else {
      found.set(key, [at]);
    }
  }
  return found;
}

function text(value: Value): string {
  return value === undefined ? '–' : String(value);
}

/** Texts on axes are read as labels. */
function shown(value: Value): number | string | undefined {
  return typeof value === 'string' ? plain(value) : value;
}
