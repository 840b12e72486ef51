import type { Smoothing } from './smooth';
import type { BandKind } from './bands';

/** What the pane "Charts" keeps in a view. */
export interface IChartsSettings {
  axis: 'step' | 'time' | 'relative' | 'metric';
  /** The metric on the x axis, by its name. */
  xMetric: string;
  smoothing: Smoothing;
  /** 0 to 1. */
  strength: number;
  logX: boolean;
  logY: boolean;
  /** Percent of the values at either end that may lie outside; 0 for none. */
  clip: number;
  /** Fields by which lines have a colour, dashes, a panel. */
  colorBy: string;
  dashBy: string;
  panelBy: string;
  /** Lines of a colour are drawn as their mean with a band. */
  band: BandKind | 'none';
  /** Shown of the x axis in all panels. */
  zoom: [number, number];
  /** Shown of the y axis, by panel. */
  heights: Record<string, [number, number]>;
  /** Metrics whose name holds this. */
  search: string;
  /** Metrics in the order that was given to them; the others come after. */
  order: string[];
  removed: string[];
  /** Panels of several metrics. */
  added: IAddedPanel[];
  /** Columns and pixels that were given to a panel. */
  sizes: Record<string, IPanelSize>;
  /** Sections that were opened or closed. */
  turned: string[];
  /** Components drawn at most. */
  most: number;
  /** Groups that are left out; components are left out of the whole view. */
  hiddenGroups: string[];
  /** Only this line or group. */
  solo: string;
  legend: boolean;
}

export interface IAddedPanel {
  id: string;
  title: string;
  metrics: string[];
}

export interface IPanelSize {
  columns?: number;
  height?: number;
}

/** Lines of a chart, if nothing else was said. */
export const MOST_LINES = 100;
