import { colorway, isDark } from './theme';

/** What a trace says of its look. */
interface IMeta {
  /** The place of its group in the theme's colorway, from 0; it goes round. */
  color?: number;
  /** Plotly's names of what tells groups apart without colour. */
  dash?: string;
  symbol?: string;
  /** `fit`: a line through points; `band`: how sure it is. */
  role?: 'fit' | 'band';
}

type Part = Record<string, unknown>;
type Trace = Part & { type?: string; meta?: IMeta };
type Scale = [number, string][];

/** Bars differ by their hatching too. */
const PATTERNS = ['', '/', '.', 'x', '-', '\\', '|', '+'];

type ScaleName = 'sequential' | 'diverging' | 'points';

/** Points stand on the page's ground, from which the least one must differ too. */
const SCALES: Record<'light' | 'dark', Record<ScaleName, Scale>> = {
  light: {
    sequential: scale('#f3f7fb', '#a9cce3', '#4a93c4', '#0a5a94', '#06304f'),
    diverging: scale('#c75000', '#f0b27a', '#f7f7f7', '#7fb3d5', '#0072b2'),
    points: scale('#8cc5e8', '#3f8fc2', '#0a5a94', '#04263f')
  },
  dark: {
    sequential: scale('#1f2a33', '#1f5275', '#3183b5', '#73bfe8', '#e6f5ff'),
    diverging: scale('#ffb347', '#9c6415', '#303030', '#2b6d96', '#7cc8f5'),
    points: scale('#2f6d99', '#56a4d6', '#a5d5f2', '#f2faff')
  }
};

/** Traces in the theme's colours: those whose `meta` names a place; others are left alone. */
export function painted(node: HTMLElement, traces: object[]): object[] {
  const colors = colorway(node);
  return (traces as Trace[]).map(trace => {
    const place = trace.meta?.color;
    return place === undefined
      ? trace
      : colored(trace, colors[place % colors.length], place, isDark(node));
  });
}

/** The colour axis of a layout whose `meta.scale` is "sequential" or "diverging". */
export function scaled(
  node: HTMLElement,
  traces: object[],
  layout: Part
): Part {
  const meta = layout['meta'] as { scale?: ScaleName } | undefined;
  if (!meta?.scale) {
    return {};
  }
  const points = (traces as Trace[]).every(({ type }) => type === 'scatter');
  const scales = SCALES[isDark(node) ? 'dark' : 'light'];
  return {
    coloraxis: {
      colorscale: scales[points ? 'points' : meta.scale],
      ...(layout['coloraxis'] as Part | undefined)
    }
  };
}

/** The colours of points by a share from 0 to 1, in the theme that `node` is in. */
export function shades(node: HTMLElement): (share: number) => string {
  const stops = SCALES[isDark(node) ? 'dark' : 'light'].points;
  return share => {
    const at = Math.min(1, Math.max(0, share)) * (stops.length - 1);
    const from = Math.min(stops.length - 2, Math.floor(at));
    const mix = (one: number, other: number) =>
      Math.round(one + (at - from) * (other - one));
    const [one, other] = [
      channels(stops[from][1]),
      channels(stops[from + 1][1])
    ];
    return `rgb(${one.map((value, i) => mix(value, other[i])).join()})`;
  };
}

/** "#0072b2" -> [0, 114, 178]. */
function channels(color: string): number[] {
  return [1, 3, 5].map(at => parseInt(color.slice(at, at + 2), 16));
}

function colored(
  trace: Trace,
  color: string,
  place: number,
  dark: boolean
): Trace {
  const { dash, symbol, role } = trace.meta!;
  const line = trace['line'] as Part | undefined;
  const marker = trace['marker'] as Part | undefined;
  switch (trace.type) {
    case 'bar': {
      const shape = PATTERNS[place % PATTERNS.length];
      return {
        ...trace,
        ...(trace['error_y'] !== undefined && {
          error_y: {
            color: dark ? '#ffffff' : '#222222',
            ...(trace['error_y'] as Part)
          }
        }),
        marker: {
          color,
          pattern: {
            shape,
            solidity: 0.2,
            fillmode: 'overlay',
            fgopacity: 0.6
          },
          ...marker
        }
      };
    }
    case 'box':
    case 'violin':
      return {
        ...trace,
        line: { width: 1.5, ...line, color },
        marker: { symbol, size: 4, ...marker, color },
        fillcolor: pale(color, 0.25)
      };
    default:
      return {
        ...trace,
        line: { dash, width: role === 'fit' ? 3 : 2, ...line, color },
        marker: { symbol, color, size: 6, opacity: 0.7, ...marker },
        ...(role === 'band' ? { fillcolor: pale(color, 0.25) } : {})
      };
  }
}

/** "#0072b2" -> "rgba(0,114,178,0.2)". */
function pale(color: string, alpha: number): string {
  return `rgba(${channels(color).join()},${alpha})`;
}

function scale(...colors: string[]): Scale {
  return colors.map((color, at) => [at / (colors.length - 1), color]);
}
