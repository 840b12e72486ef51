import { Clipboard } from '@jupyterlab/apputils';
import React from 'react';

import { told } from '../../core/errors';
import { number } from '../format';
import { useStudio } from '../hooks';
import { painted, scaled } from './paint';
import { loadPlotly, type IPlotly, type IPlotNode } from './plotly';
import { plain, themed } from './theme';

/** The values of a chart as a table. */
export interface ITable {
  columns: string[];
  rows: (string | number | null)[][];
  /** Rows in all, where the table is cut. */
  total?: number;
}

export interface IChartProps {
  title: string;
  /** What the chart shows, in a sentence, for those who don't see it. */
  summary: string;
  data: object[];
  layout?: Record<string, unknown>;
  table: ITable;
  /** Said below the chart: "1,000 of 20,000 points". */
  note?: string;
  /** Code that makes the same chart; offered to copy and, with `onInsert`, to insert. */
  code?: string;
  onInsert?: (code: string) => void;
  /** Pixels. */
  height?: number;
  /** Ranges of axes to begin with: `{ xaxis: [0, 10] }`. */
  zoom?: Zoom;
  /** The user zoomed, or went back: `{}`. */
  onZoom?: (zoom: Zoom) => void;
  /** A point was clicked. */
  onPick?: (point: IPoint) => void;
  actions?: React.ReactNode;
}

/** Ranges of axes by the axes' names in the layout. */
export type Zoom = Record<string, [number | string, number | string]>;

/** A point of a trace. */
export interface IPoint {
  x?: string | number;
  y?: string | number;
  z?: number;
  curveNumber: number;
}

/** A chart of plotly.js in JupyterLab's colours, with its table twin and its exports. */
export function Chart(props: IChartProps): React.JSX.Element {
  const { trans } = useStudio();
  const [asTable, setAsTable] = React.useState(false);
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
    <figure className="jp-StudioChart" aria-label={props.title}>
      <figcaption>
        <span>{props.title}</span>
        <span className="jp-StudioChart-actions">
          {props.actions}
          {zoomed && !asTable && (
            <button
              className="jp-StudioButton jp-mod-minimal"
              onClick={() => void unzoomed(node.current, props.layout)}
            >
              {trans.__('Reset zoom')}
            </button>
          )}
          <button
            className="jp-StudioButton jp-mod-minimal"
            aria-pressed={asTable}
            onClick={() => setAsTable(!asTable)}
          >
            {trans.__('Table')}
          </button>
          {!asTable && (
            <>
              <button
                className="jp-StudioButton jp-mod-minimal"
                onClick={() => void exported(node.current, 'png', props.title)}
              >
                {trans.__('PNG')}
              </button>
              <button
                className="jp-StudioButton jp-mod-minimal"
                onClick={() => void exported(node.current, 'svg', props.title)}
              >
                {trans.__('SVG')}
              </button>
            </>
          )}
          {props.code !== undefined && (
            <button
              className="jp-StudioButton jp-mod-minimal"
              onClick={() => Clipboard.copyToSystem(props.code!)}
            >
              {trans.__('Copy code')}
            </button>
          )}
          {props.code !== undefined && props.onInsert && (
            <button
              className="jp-StudioButton jp-mod-minimal"
              onClick={() => props.onInsert!(props.code!)}
            >
              {trans.__('Insert as notebook cell')}
            </button>
          )}
        </span>
      </figcaption>
      {asTable ? (
        <TableTwin table={props.table} label={props.title} />
      ) : (
        <Plot {...props} nodeRef={node} onZoom={noteZoom} />
      )}
      {props.note && <p className="jp-StudioChart-note">{props.note}</p>}
    </figure>
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

/** Changes whenever JupyterLab's theme does. */
function useTheme(): string {
  const [theme, setTheme] = React.useState(
    document.body.dataset['jpThemeName'] ?? ''
  );
  React.useEffect(() => {
    const observer = new MutationObserver(() =>
      setTheme(document.body.dataset['jpThemeName'] ?? '')
    );
    observer.observe(document.body, {
      attributes: true,
      attributeFilter: ['data-jp-theme-name']
    });
    return () => observer.disconnect();
  }, []);
  return theme;
}

const MOST_ROWS = 500;

function TableTwin(props: { table: ITable; label: string }): React.JSX.Element {
  const { trans } = useStudio();
  const { columns, rows, total } = props.table;
  const shown = rows.slice(0, MOST_ROWS);
  const all = total ?? rows.length;
  return (
    <div
      className="jp-StudioChart-table"
      tabIndex={0}
      role="region"
      aria-label={props.label}
    >
      <table>
        <thead>
          <tr>
            {columns.map(column => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row, index) => (
            <tr key={index}>
              {row.map((value, at) => (
                <td key={at}>
                  {typeof value === 'number' ? number(value) : (value ?? '–')}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length < all && (
        <p>{trans.__('%1 of %2 rows', shown.length, all.toLocaleString())}</p>
      )}
    </div>
  );
}

async function exported(
  node: HTMLElement | null,
  format: 'png' | 'svg',
  title: string
): Promise<void> {
  if (!node?.classList.contains('js-plotly-plot')) {
    return;
  }
  const plotly = await loadPlotly();
  const { data, layout, offsetWidth, offsetHeight } = node as IPlotNode;
  // Outside of the page a chart needs its title, and the ground that its colours are made for.
  const background =
    getComputedStyle(node).getPropertyValue('--jp-layout-color1');
  const url = await plotly.toImage(
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
  const link = document.createElement('a');
  link.href = url;
  link.download = `${title.replace(/[^\w.-]+/g, '-').slice(0, 100) || 'chart'}.${format}`;
  link.click();
}
