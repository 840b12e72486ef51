import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { CommandButton } from '../../components/actions';
import { Empty, Problem, Skeleton } from '../../components/empty';
import {
  downloaded,
  type PictureFormat,
  saveTable
} from '../../components/chart/frame';
import { useLive, useStudio } from '../../components/hooks';
import { CommandIDs } from '../../tokens';
import type { studio } from '../../wire';
import { COMPONENT } from '../rows';
import { graphOf } from './classes';
import { Drawing } from './drawing';
import { placed } from './layout';
import { type IDrawn, linkTable, picture } from './picture';
import { TableTwin } from './table';
import { typeOf } from './things';

const PACE_MS = 1000;
const MOST = 1000;
const KINDS = [
  COMPONENT,
  'endpoint',
  'model',
  'processing-job',
  'training-job',
  'transform-job'
];
const ZOOMS = [0.4, 0.55, 0.75, 1, 1.3];

/** How a graph of lineage is shown; part of a view. */
export interface ILineageSettings {
  direction?: 'Ascendants' | 'Descendants';
  table?: boolean;
  /** Types that are left out. */
  without?: string[];
  /** Classes of things that are alike that are drawn one by one. */
  opened?: string[];
  zoom?: number;
}

/** What the things came from, and what they led to: a graph, and its table twin. */
export function LineageGraph(props: {
  arns: readonly string[];
  settings?: ILineageSettings;
  onSettings?: (changes: ILineageSettings) => void;
  /** Said above the graph. */
  note?: string;
}): React.JSX.Element {
  const { trans } = useStudio();
  const [own, setOwn] = React.useState<ILineageSettings>({});
  const settings = props.settings ?? own;
  const onSettings =
    props.onSettings ??
    ((changes: ILineageSettings) => setOwn({ ...own, ...changes }));
  const { value, error, refresh } = useLineage(props.arns, settings.direction);
  if (!value) {
    return error ? <Problem error={error} retry={refresh} /> : <Skeleton />;
  }
  if (value.Edges.length === 0) {
    return (
      <Empty
        title={trans.__('Nothing is known of where this came from.')}
        hint={trans.__(
          'Training jobs leave their data, image and model here, endpoints what they deployed. In a program, sagemaker.lineage or run.log_file add what only you know.'
        )}
      >
        <CommandButton command={CommandIDs.newJob}>
          {trans.__('New training job')}
        </CommandButton>
      </Empty>
    );
  }
  return (
    <Shown
      found={value}
      settings={settings}
      onSettings={onSettings}
      note={props.note}
    />
  );
}

function useLineage(
  arns: readonly string[],
  direction: ILineageSettings['direction']
): {
  value: studio.DescribeLineageResponse | undefined;
  error: unknown;
  refresh: () => void;
} {
  const { client } = useStudio();
  const wanted = arns.slice(0, MOST).join('\n');
  return useLive(
    signal =>
      client.call(
        'studio',
        'DescribeLineage',
        { Arns: wanted.split('\n'), Direction: direction ?? 'Both' },
        signal
      ),
    event => event.type === 'resource' && KINDS.includes(event.Kind),
    [client, wanted, direction],
    PACE_MS
  );
}

function Shown(props: {
  found: studio.DescribeLineageResponse;
  settings: ILineageSettings;
  onSettings: (changes: ILineageSettings) => void;
  note?: string;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { found, settings, onSettings } = props;
  const without = React.useMemo(
    () => new Set(settings.without),
    [settings.without]
  );
  const vertices = React.useMemo(
    () => found.Vertices.filter(it => !without.has(typeOf(it, trans))),
    [found, without, trans]
  );
  const drawn = React.useMemo(() => {
    const graph = graphOf(vertices, found.Edges, new Set(settings.opened));
    const ids = graph.nodes.map(node => node.id);
    return { ...graph, places: placed(ids, graph.links) };
  }, [vertices, found, settings.opened]);
  const { node, width } = useWidth();
  const zoom = settings.zoom ?? fitting(drawn.places.width, width);
  const shown = vertices.length;
  const onKeyDown = (event: React.KeyboardEvent) => {
    const sign = { '+': 1, '=': 1, '-': -1 }[event.key];
    const typing = event.target instanceof HTMLInputElement;
    if (typing || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    if (sign !== undefined) {
      onSettings({ zoom: ZOOMS[ZOOMS.indexOf(zoom) + sign] ?? zoom });
    } else if (event.key === '0') {
      onSettings({ zoom: undefined });
    }
  };
  return (
    <div className="jp-StudioLineage" ref={node} onKeyDown={onKeyDown}>
      <div className="jp-StudioLineage-bar">
        <Choices {...props} without={without} />
        {!settings.table && (
          <Zoom zoom={zoom} onZoom={next => onSettings({ zoom: next })} />
        )}
        {!!settings.opened?.length && (
          <button
            className="jp-StudioButton"
            onClick={() => onSettings({ opened: [] })}
          >
            {trans.__('Alike together')}
          </button>
        )}
        <button
          className="jp-StudioButton"
          aria-pressed={!!settings.table}
          onClick={() => onSettings({ table: !settings.table })}
        >
          {trans.__('Table')}
        </button>
        <Exports vertices={vertices} edges={found.Edges} drawn={drawn} />
        <span className="jp-StudioJob-none" role="status">
          {counted(shown, found.Total, trans)}
          {props.note && ` · ${props.note}`}
        </span>
      </div>
      {settings.table ? (
        <TableTwin vertices={vertices} edges={found.Edges} />
      ) : (
        <Drawing
          {...drawn}
          zoom={zoom}
          onOpen={name =>
            onSettings({ opened: flipped(settings.opened ?? [], name) })
          }
        />
      )}
    </div>
  );
}

const FORMATS = ['png', 'svg'] as const;

/** The whole graph as a picture, and its links as a table. */
function Exports(props: {
  vertices: readonly studio.LineageVertex[];
  edges: readonly studio.LineageEdge[];
  drawn: IDrawn;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { vertices, edges, drawn } = props;
  const title = trans.__('Lineage');
  const save = async (format: PictureFormat) => {
    const url = await picture(document.body, format, title, drawn, trans);
    downloaded(url, title, format);
  };
  return (
    <span role="group" aria-label={trans.__('Export')}>
      {FORMATS.map(format => (
        <button
          key={format}
          className="jp-StudioButton jp-mod-minimal"
          onClick={() => void save(format)}
        >
          {format.toUpperCase()}
        </button>
      ))}
      <button
        className="jp-StudioButton jp-mod-minimal"
        onClick={() => saveTable(linkTable(vertices, edges, trans), title)}
      >
        {trans.__('CSV')}
      </button>
    </span>
  );
}

/** Which way to look, and which types to leave out. */
function Choices(props: {
  found: studio.DescribeLineageResponse;
  settings: ILineageSettings;
  onSettings: (changes: ILineageSettings) => void;
  without: ReadonlySet<string>;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { found, settings, onSettings, without } = props;
  const counts = new Map<string, number>();
  for (const vertex of found.Vertices) {
    const type = typeOf(vertex, trans);
    counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return (
    <>
      <label>
        {trans.__('Show')}
        <select
          value={settings.direction ?? ''}
          onChange={event =>
            onSettings({
              direction: (event.target.value ||
                undefined) as ILineageSettings['direction']
            })
          }
        >
          <option value="">{trans.__('what came before and after')}</option>
          <option value="Ascendants">{trans.__('what came before')}</option>
          <option value="Descendants">{trans.__('what came of it')}</option>
        </select>
      </label>
      <span
        role="group"
        aria-label={trans.__('Types')}
        className="jp-StudioLineage-types"
      >
        {[...counts].map(([type, count]) => (
          <label key={type}>
            <input
              type="checkbox"
              checked={!without.has(type)}
              onChange={() =>
                onSettings({ without: flipped([...without], type) })
              }
            />
            {trans.__('%1 (%2)', type, count)}
          </label>
        ))}
      </span>
    </>
  );
}

function Zoom(props: {
  zoom: number;
  onZoom: (zoom: number) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const at = ZOOMS.indexOf(props.zoom);
  return (
    <span className="jp-StudioJob-row">
      <button
        className="jp-StudioButton"
        aria-label={trans.__('Smaller')}
        disabled={at <= 0}
        onClick={() => props.onZoom(ZOOMS[at - 1])}
      >
        −
      </button>
      <button
        className="jp-StudioButton"
        aria-label={trans.__('Larger')}
        disabled={at === ZOOMS.length - 1}
        onClick={() => props.onZoom(ZOOMS[at + 1])}
      >
        +
      </button>
    </span>
  );
}

/** The greatest zoom at which all columns are in view, if that can still be read. */
function fitting(needed: number, width: number): number {
  const fit = ZOOMS.filter(zoom => zoom <= 1 && zoom * (needed + 32) <= width);
  return Math.max(0.75, ...fit);
}

function useWidth(): {
  node: React.RefObject<HTMLDivElement>;
  width: number;
} {
  const node = React.useRef<HTMLDivElement>(null);
  const [width, setWidth] = React.useState(0);
  React.useLayoutEffect(() => {
    const observer = new ResizeObserver(() =>
      setWidth(node.current?.clientWidth ?? 0)
    );
    setWidth(node.current!.clientWidth);
    observer.observe(node.current!);
    return () => observer.disconnect();
  }, []);
  return { node, width };
}

function counted(
  shown: number,
  total: number,
  trans: TranslationBundle
): string {
  return shown < total
    ? trans.__(
        '%1 of %2 things',
        shown.toLocaleString(),
        total.toLocaleString()
      )
    : trans._n('%1 thing', '%1 things', total);
}

function flipped(list: string[], item: string): string[] {
  return list.includes(item)
    ? list.filter(each => each !== item)
    : [...list, item];
}
