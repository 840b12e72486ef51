/** The few functions of plotly.js that are used. */
export interface IPlotly {
  react(
    node: HTMLElement,
    data: object[],
    layout: object,
    config: object
  ): Promise<unknown>;
  relayout(node: HTMLElement, changes: object): Promise<unknown>;
  purge(node: HTMLElement): void;
  toImage(
    figure: { data: object[]; layout: object },
    options: {
      format: 'png' | 'svg';
      width: number;
      height: number;
      scale?: number;
    }
  ): Promise<string>;
  Plots: { resize(node: HTMLElement): Promise<unknown> | undefined };
}

/** An element with a chart in it. */
export interface IPlotNode extends HTMLElement {
  data: object[];
  layout: Record<string, unknown>;
  on(event: string, listener: (data: never) => void): void;
  removeAllListeners(event: string): void;
}

let loading: Promise<IPlotly> | null = null;

/** Fetch plotly.js, when the first chart is drawn. */
export function loadPlotly(): Promise<IPlotly> {
  loading ??= import(/* webpackChunkName: "plotly" */ './bundle').then(
    module => ((module as { default?: unknown }).default ?? module) as IPlotly,
    (error: unknown) => {
      loading = null; // a lost connection must not be the end of all charts
      throw error;
    }
  );
  return loading;
}
