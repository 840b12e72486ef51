import type { ISort } from '../components/grid';
import type { Zoom } from '../components/chart/chart';
import type {
  ChartSpec,
  Condition,
  PrepareRequest,
  Source
} from '../core/protocol';

export type TabId =
  | 'overview'
  | 'columns'
  | 'rows'
  | 'relations'
  | 'charts'
  | 'compare'
  | 'train';

/** One chart of the strip. */
export interface IChart {
  spec: ChartSpec;
  zoom?: Zoom;
}

/** Everything that brings a page back as it was, and that its link says. */
export interface IDataArgs {
  uri?: string;
  path?: string;
  /** How the file is read, where the guess was wrong. */
  read?: Omit<Source, 'uri' | 'path'>;
  tab?: TabId;
  target?: string;
  columns?: { find?: string; sort?: ISort; selected?: string };
  rows?: {
    filters?: Condition[];
    sort?: ISort;
    find?: string;
    widths?: Record<string, number>;
    selected?: string;
  };
  relations?: {
    columns?: string[];
    method?: ChartSpec['method'];
    color?: string;
    x?: string;
    y?: string;
  };
  charts?: IChart[];
  /** The chart of the strip that is shown. */
  chart?: number;
  other?: { uri?: string; path?: string };
  /** How training channels are made of the data. */
  train?: {
    to?: string;
    validation?: number;
    missing?: PrepareRequest['missing'];
    without?: string[];
  };
  /** The column of the comparison that is shown. */
  drift?: string;
}

/** The data that a page is about; null when it was opened without any. */
export function sourceOf(
  args: Pick<IDataArgs, 'uri' | 'path' | 'read'>
): Source | null {
  const { uri, path, read } = args;
  return uri ? { ...read, uri } : path ? { ...read, path } : null;
}

/** "sales.csv" of "s3://bucket/2026/sales.csv"; of a folder, its name. */
export function nameOf(args: { uri?: string; path?: string }): string {
  const whole = (args.uri ?? args.path ?? '').replace(/\/+$/, '');
  return whole.slice(whole.lastIndexOf('/') + 1);
}
