import { Clipboard } from '@jupyterlab/apputils';
import React from 'react';

import { told } from '../../core/errors';
import { number } from '../format';
import { useStudio } from '../hooks';
import { loadPlotly, type IPlotly } from './plotly';
import { themed } from './theme';

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
  actions?: React.ReactNode;
}

/** A chart of plotly.js in JupyterLab's colours, with its table twin and its exports. */
export function Chart(props: IChartProps): React.JSX.Element {
  const { trans } = useStudio();
  const [asTable, setAsTable] = React.useState(false);
  const node = React.useRef<HTMLDivElement>(null);
  return (
    <figure className="jp-StudioChart" aria-label={props.title}>
      <figcaption>
        <span>{props.title}</span>
        <span className="jp-StudioChart-actions">
          {props.actions}
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
        <Plot {...props} nodeRef={node} />
      )}
      {props.note && <p className="jp-StudioChart-note">{props.note}</p>}
    </figure>
  );
}

function Plot(
  props: IChartProps & { nodeRef: React.RefObject<HTMLDivElement> }
): React.JSX.Element {
  const { nodeRef, data, layout, height } = props;
  const [problem, setProblem] = React.useState('');
  const theme = useTheme();
  React.useEffect(() => {
    let over = false;
    loadPlotly()
      .then(plotly => {
        if (!over && nodeRef.current) {
          setProblem('');
          // Without uirevision every live update would undo the user's zoom.
          const shown = themed(nodeRef.current, {
            uirevision: 'same',
            ...layout
          });
          return plotly.react(nodeRef.current, data, shown, {
            displaylogo: false,
            displayModeBar: false
          });
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
  const size = { width: node.offsetWidth, height: node.offsetHeight };
  const url = await plotly.toImage(node, {
    format,
    ...size,
    scale: format === 'png' ? 2 : 1
  });
  const link = document.createElement('a');
  link.href = url;
  link.download = `${title.replace(/[^\w.-]+/g, '-').slice(0, 100) || 'chart'}.${format}`;
  link.click();
}
