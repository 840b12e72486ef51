import { colorway, DASHES, isDark, SYMBOLS } from './theme';

/** What a trace says of its look; places are counted from 0 and go round. */
interface IMeta {
  /** The place in the theme's colorway. */
  color?: number;
  /** Places that tell series apart without colour; the colour's own when absent. */
  dash?: number;
  symbol?: number;
  /** How the values of a heatmap, or of coloured points, become colours. */
  scale?: 'sequential' | 'diverging';
}

type Trace = Record<string, unknown> & { type?: string; meta?: IMeta };
type Part = Record<string, unknown>;
type Scale = [number, string][];

/** Bars differ by their hatching too. */
const PATTERNS = ['', '/', '.', 'x', '-', '\\', '|', '+'];

const SCALES: Record<string, { sequential: Scale; diverging: Scale }> = {
  light: {
    sequential: scale('#f3f7fb', '#a9cce3', '#4a93c4', '#0a5a94', '#06304f'),
    diverging: scale('#c75000', '#f0b27a', '#f7f7f7', '#7fb3d5', '#0072b2')
  },
  dark: {
    sequential: scale('#1f2a33', '#1f5275', '#3183b5', '#73bfe8', '#e6f5ff'),
    diverging: scale('#ffb347', '#9c6415', '#303030', '#2b6d96', '#7cc8f5')
  }
};

/** Traces in the theme's colours: those whose `meta` asks for it; others are left alone. */
export function painted(node: HTMLElement, traces: object[]): object[] {
  const colors = colorway(node);
  const scales = SCALES[isDark(node) ? 'dark' : 'light'];
  return (traces as Trace[]).map(trace => {
    const { color, scale } = trace.meta ?? {};
    if (scale !== undefined) {
      return scaled(trace, scales[scale]);
    }
    return color === undefined
      ? trace
      : colored(trace, colors[color % colors.length]);
  });
}

function scaled(trace: Trace, colorscale: Scale): Trace {
  return trace.type === 'scatter' || trace.type === undefined
    ? { ...trace, marker: { ...(trace['marker'] as Part), colorscale } }
    : { ...trace, colorscale };
}

function colored(trace: Trace, color: string): Trace {
  const meta = trace.meta!;
  const dash = DASHES[(meta.dash ?? 0) % DASHES.length];
  const symbol = SYMBOLS[(meta.symbol ?? 0) % SYMBOLS.length];
  const line = trace['line'] as Part | undefined;
  const marker = trace['marker'] as Part | undefined;
  switch (trace.type) {
    case 'bar':
    case 'histogram': {
      const shape = PATTERNS[(meta.dash ?? 0) % PATTERNS.length];
      return {
        ...trace,
        marker: { color, pattern: { shape, solidity: 0.25 }, ...marker }
      };
    }
    case 'box':
    case 'violin':
      return {
        ...trace,
        line: { width: 1.5, ...line, color },
        marker: { symbol, ...marker, color },
        fillcolor: pale(color, 0.25)
      };
    default:
      return {
        ...trace,
        line: { dash, ...line, color },
        marker: { symbol, color, ...marker },
        ...(trace['fill'] ? { fillcolor: pale(color, 0.2) } : {})
      };
  }
}

/** "#0072b2" -> "rgba(0,114,178,0.2)". */
export function pale(color: string, alpha: number): string {
  const [red, green, blue] = [1, 3, 5].map(at =>
    parseInt(color.slice(at, at + 2), 16)
  );
  return `rgba(${red},${green},${blue},${alpha})`;
}

function scale(...colors: string[]): Scale {
  return colors.map((color, at) => [at / (colors.length - 1), color]);
}
