import { plain } from '../../components/chart/theme';
import type { IFigure } from './figures';
import { type IComponents, valueAt } from '../rows';

/** A chart of one's own: traces and a layout of Plotly, in which "=field" stands for its values. */
export interface ISpec {
  data: Record<string, unknown>[];
  layout: Record<string, unknown>;
}

/** The traces that charts may have. */
export const TRACES = [
  'scatter',
  'bar',
  'box',
  'violin',
  'histogram',
  'heatmap',
  'contour'
];

/** Parts of Plotly that fetch from elsewhere or run something. */
const BARRED =
  /^(images|source|.*src|updatemenus|sliders|transforms|frames|template|mapbox|map|geo|__proto__|constructor|prototype)$/;

const MOST_CHARACTERS = 20_000;
const DEEPEST = 8;

/** What is wrong with a specification, in words; and the specification where nothing is. */
export function specOf(text: string): { spec?: ISpec; problem?: string } {
  if (text.length > MOST_CHARACTERS) {
    return { problem: `It has more than ${MOST_CHARACTERS} characters.` };
  }
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (error) {
    return { problem: `This is no JSON: ${(error as Error).message}` };
  }
  const { data, layout = {} } = (found ?? {}) as Partial<ISpec>;
  if (!Array.isArray(data) || !data.length) {
    return { problem: '"data" must be a list of traces.' };
  }
  for (const [at, trace] of data.entries()) {
    const type = trace?.type ?? 'scatter';
    if (typeof type !== 'string' || !TRACES.includes(type)) {
      return {
        problem: `data[${at}].type must be one of ${TRACES.join(', ')}.`
      };
    }
  }
  const problem =
    fault(data, 'data', 0) ??
    (isPlain(layout)
      ? fault(layout, 'layout', 0)
      : '"layout" must be an object.');
  return problem ? { problem } : { spec: { data, layout } };
}

function fault(
  value: unknown,
  path: string,
  depth: number
): string | undefined {
  if (depth > DEEPEST) {
    return `${path} is nested too deeply.`;
  }
  if (typeof value !== 'object' || value === null) {
    return undefined;
  }
  for (const [key, each] of Object.entries(value)) {
    const inner = Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`;
    if (!Array.isArray(value) && BARRED.test(key)) {
      return `${inner} is not allowed here.`;
    }
    const problem = fault(each, inner, depth + 1);
    if (problem) {
      return problem;
    }
  }
  return undefined;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The fields that a specification takes its data from. */
export function boundFields(spec: ISpec): string[] {
  const found = new Set<string>();
  const look = (value: unknown): void => {
    if (typeof value === 'string' && value.startsWith('=')) {
      found.add(value.slice(1));
    } else if (typeof value === 'object' && value !== null) {
      Object.values(value).forEach(look);
    }
  };
  look(spec.data);
  return [...found];
}

/** The specification with the values of components in it; all its texts are plain ones. */
export function bound(spec: ISpec, components: IComponents): IFigure {
  const column = (field: string) =>
    components.names.map((_, at) => {
      const value = valueAt(components, field, at);
      return typeof value === 'string' ? plain(value) : (value ?? null);
    });
  const filled = (value: unknown): unknown =>
    typeof value === 'string'
      ? value.startsWith('=')
        ? column(value.slice(1))
        : plain(value)
      : Array.isArray(value)
        ? value.map(filled)
        : isPlain(value)
          ? Object.fromEntries(
              Object.entries(value).map(([key, each]) => [key, filled(each)])
            )
          : value;
  const data = spec.data.map((trace, at) => ({
    meta: { color: at },
    ...(filled(trace) as object)
  }));
  return {
    data,
    layout: filled(spec.layout) as Record<string, unknown>,
    drawn: components.names.length,
    missing: 0
  };
}

/** What a new chart of one's own begins with. */
export function exampleSpec(x: string, y: string): string {
  return JSON.stringify(
    {
      data: [{ type: 'scatter', mode: 'markers', x: `=${x}`, y: `=${y}` }],
      layout: {
        xaxis: { title: { text: x } },
        yaxis: { title: { text: y } }
      }
    },
    null,
    2
  );
}
