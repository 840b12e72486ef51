import React from 'react';

import { told } from '../../core/errors';
import { ChartFrame, type IFrameProps, type PictureFormat } from './frame';
import { painted, scaled } from './paint';
import { loadPlotly, type IPlotly, type IPlotNode } from './plotly';
import { plain, themed, useTheme } from './theme';

export type { ITable } from './frame';

export interface IChartProps extends Omit<IFrameProps, 'picture' | 'onUnzoom'> {
  /** What the chart shows, in a sentence, for those who don't see it. */
  summary: string;
  data: object[];
  layout?: Record<string, unknown>;
  /** Pixels. */
  height?: number;
  /** Ranges of axes to begin with: `{ xaxis: [0, 10] }`. */
  zoom?: Zoom;
  /** The user zoomed, or went back: `{}`. */
  onZoom?: (zoom: Zoom) => void;
  /** A point was clicked. */
  onPick?: (point: IPoint) => void;
  /** Points were caught with the lasso or the box; null: none is any more. */
  onCatch?: (points: IPoint[] | null) => void;
}

/** Ranges of axes by the axes' names in the layout. */
export type Zoom = Record<string, [number | string, number | string]>;

/** A point of a trace. */
export interface IPoint {
  x?: string | number;
  y?: string | number;
  z?: number;
  curveNumber: number;
  /** What the trace has for it in `customdata`. */
  customdata?: unknown;
}

/** A chart of plotly.js in JupyterLab's colours, with its table twin and its exports. */
export function Chart(props: IChartProps): React.JSX.Element {
  const [zoomed, setZoomed] = React.useState(!!props.zoom);
  const node = React.useRef<HTMLDivElement>(null);
  const { onZoom } = props;
  const noteZoom = React.useCallback(
    (zoom: Zoom) => {
      setZoomed(Object.keys(zoom).length > 0);
      onZoom?.(zoom);
    },
    [onZoom]
  );
  return (
    <ChartFrame
      title={props.title}
      table={props.table}
      note={props.note}
      code={props.code}
      onInsert={props.onInsert}
      actions={props.actions}
      onUnzoom={
        zoomed ? () => void unzoomed(node.current, props.layout) : undefined
      }
      picture={(format, title) => pictured(node.current, format, title)}
    >
      <Plot {...props} nodeRef={node} onZoom={noteZoom} />
    </ChartFrame>
  );
}

function Plot(
  props: IChartProps & { nodeRef: React.RefObject<HTMLDivElement> }
): React.JSX.Element {
  const { nodeRef, data, layout, height } = props;
  const latest = React.useRef(props);
  latest.current = props;
  const [problem, setProblem] = React.useState('');
  const theme = useTheme();
  React.useEffect(() => {
    let over = false;
    loadPlotly()
      .then(plotly => {
        if (!over && nodeRef.current) {
          setProblem('');
          return drawn(plotly, nodeRef.current, latest.current).then(() =>
            listen(nodeRef.current as IPlotNode | null, latest)
          );
        }
      })
      .catch((error: unknown) => setProblem(told(error)));
    return () => {
      over = true;
    };
  }, [data, layout, nodeRef, theme]);
  useFitted(nodeRef);
  return (
    <>
      {problem && <p role="alert">{problem}</p>}
      <div
        ref={nodeRef}
        className="jp-StudioChart-plot"
        style={{ height: height ?? 280 }}
        role="img"
        aria-label={props.summary}
      />
    </>
  );
}

function drawn(
  plotly: IPlotly,
  node: HTMLElement,
  { data, layout, zoom }: IChartProps
): Promise<unknown> {
  // Without uirevision every live update would undo the user's zoom.
  const shown = themed(node, {
    uirevision: 'same',
    ...layout,
    ...scaled(node, data, layout ?? {})
  });
  for (const [axis, range] of Object.entries(zoom ?? {})) {
    shown[axis] = { ...(shown[axis] as object), range, autorange: false };
  }
  return plotly.react(node, painted(node, data), shown, {
    displaylogo: false,
    displayModeBar: false
  });
}

/** Tell of zooms and of clicks on points. */
function listen(
  node: IPlotNode | null,
  latest: React.RefObject<IChartProps>
): void {
  if (!node?.on) {
    return;
  }
  node.removeAllListeners('plotly_relayout');
  node.on('plotly_relayout', () =>
    latest.current?.onZoom?.(zoomOf(node, latest.current.layout))
  );
  node.removeAllListeners('plotly_click');
  node.on('plotly_click', (event: { points: IPoint[] }) => {
    const [point] = event.points;
    if (point) {
      latest.current?.onPick?.(point);
    }
  });
  node.removeAllListeners('plotly_selected');
  node.on('plotly_selected', (event: { points: IPoint[] } | undefined) => {
    // Without points it says only that an outline was drawn anew.
    if (event?.points) {
      latest.current?.onCatch?.(event.points);
    }
  });
  node.removeAllListeners('plotly_deselect');
  node.on('plotly_deselect', () => latest.current?.onCatch?.(null));
}

/** The ranges that the user gave to axes; `layout` has those that the chart came with. */
function zoomOf(node: IPlotNode, layout: IChartProps['layout']): Zoom {
  const zoom: Zoom = {};
  for (const [name, value] of Object.entries(node.layout)) {
    const { autorange, range } = value as {
      autorange?: boolean;
      range?: Zoom[string];
    };
    const given = rangeIn(layout, name);
    if (
      /^[xy]axis\d*$/.test(name) &&
      autorange === false &&
      range &&
      range.some((end, at) => end !== given?.[at])
    ) {
      zoom[name] = [range[0], range[1]];
    }
  }
  return zoom;
}

function rangeIn(
  layout: IChartProps['layout'],
  axis: string
): Zoom[string] | undefined {
  return (layout?.[axis] as { range?: Zoom[string] } | undefined)?.range;
}

async function unzoomed(
  node: HTMLElement | null,
  layout: IChartProps['layout']
): Promise<void> {
  if (node) {
    const changes = Object.keys(zoomOf(node as IPlotNode, layout)).map(axis => {
      const range = rangeIn(layout, axis);
      return range
        ? [`${axis}.range`, [...range]]
        : [`${axis}.autorange`, true];
    });
    const plotly = await loadPlotly();
    await plotly.relayout(
      node,
      Object.fromEntries(changes) as Record<string, unknown>
    );
  }
}

/** Let the chart follow the size of its place, and free it at the end. */
function useFitted(nodeRef: React.RefObject<HTMLDivElement>): void {
  React.useEffect(() => {
    const node = nodeRef.current!;
    let plotly: IPlotly | null = null;
    void loadPlotly().then(
      loaded => (plotly = loaded),
      () => undefined
    );
    const observer = new ResizeObserver(() => {
      if (
        plotly &&
        node.classList.contains('js-plotly-plot') &&
        node.offsetWidth
      ) {
        void plotly.Plots.resize(node);
      }
    });
    observer.observe(node);
    return () => {
      observer.disconnect();
      plotly?.purge(node);
    };
  }, [nodeRef]);
}

async function pictured(
  node: HTMLElement | null,
  format: PictureFormat,
  title: string
): Promise<string | null> {
  if (!node?.classList.contains('js-plotly-plot')) {
    return null;
  }
  const plotly = await loadPlotly();
  const { data, layout, offsetWidth, offsetHeight } = node as IPlotNode;
  // Outside of the page a chart needs its title, and the ground that its colours are made for.
  const background =
    getComputedStyle(node).getPropertyValue('--jp-layout-color1');
  return plotly.toImage(
    {
      data,
      layout: {
        ...layout,
        paper_bgcolor: background.trim(),
        title: { text: plain(title), font: { size: 14 } },
        margin: { ...(layout['margin'] as object), t: 64 }
      }
    },
    {
      format,
      width: offsetWidth,
      height: offsetHeight + 48,
      scale: format === 'png' ? 2 : 1
    }
  );
}
