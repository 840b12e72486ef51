/** What a chart of the pane "Scatter" shows. */
export type ChartKind =
  'scatter' | 'box' | 'bar' | 'heatmap' | 'contour' | 'importance' | 'custom';

/** A chart: its kind and the fields it is about. */
export interface IChartState {
  id: string;
  kind: ChartKind;
  x?: string;
  y?: string;
  /** The value of a map. */
  z?: string;
  color?: string;
  size?: string;
  logX?: boolean;
  logY?: boolean;
  /** The specification of a custom chart, as JSON. */
  spec?: string;
  /** What dragging does. */
  drag?: 'zoom' | 'lasso' | 'select';
}

/** What the pane "Scatter" keeps in a view. */
export interface IScatterSettings {
  charts: IChartState[];
}

/** The fields of a chart that its data come from. */
export function fieldsOf(chart: IChartState): string[] {
  const { x, y, z, color, size } = chart;
  return [x, y, z, color, size].filter(field => field !== undefined);
}
