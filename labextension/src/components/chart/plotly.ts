/** The few functions of plotly.js that are used. */
export interface IPlotly {
  react(
    node: HTMLElement,
    data: object[],
    layout: object,
    config: object
  ): Promise<unknown>;
  purge(node: HTMLElement): void;
  toImage(
    node: HTMLElement,
    options: {
      format: 'png' | 'svg';
      width: number;
      height: number;
      scale?: number;
    }
  ): Promise<string>;
  Plots: { resize(node: HTMLElement): Promise<unknown> | undefined };
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
