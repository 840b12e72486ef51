import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { useStudio } from '../../components/hooks';
import { tone } from '../../components/parts';
import type { IGraph, INode } from './classes';
import { type IPlaces, NODE, pathOf } from './layout';
import { iconOf, nameOf, pageOf, typeOf } from './things';

/** Pixels around the graph. */
export const MARGIN = 16;

/** The graph: links as lines, nodes as buttons among which the arrows move. */
export function Drawing(
  props: IGraph & {
    places: IPlaces;
    zoom: number;
    /** Draw the things of a class one by one, or together again. */
    onOpen: (name: string) => void;
  }
): React.JSX.Element {
  const { commands, trans } = useStudio();
  const { nodes, places, zoom } = props;
  const [current, setCurrent] = React.useState('');
  const [over, setOver] = React.useState('');
  const board = React.useRef<HTMLDivElement>(null);
  const chosen = nodes.some(node => node.id === current)
    ? current
    : (nodes.find(isStart) ?? nodes[0])?.id;
  const lit = React.useMemo(
    () => (over ? kin(over, places.links) : null),
    [over, places]
  );
  const open = (node: INode) => {
    if (node.things.length > 1) {
      props.onOpen(node.class!);
      return;
    }
    const page = pageOf(node.things[0]);
    if (page) {
      void commands.execute(...page);
    }
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const next = neighbour(event.key, chosen, places);
    if (next) {
      event.preventDefault();
      setCurrent(next);
      focus(board.current, next);
    }
  };
  const size = {
    width: places.width + 2 * MARGIN,
    height: places.height + 2 * MARGIN
  };
  return (
    <div className="jp-StudioLineage-scroll">
      <div
        ref={board}
        role="group"
        aria-label={trans.__(
          'Lineage, from left to right. Arrows go from thing to thing, Enter opens; + and - zoom, 0 fits.'
        )}
        className="jp-StudioLineage-board"
        style={{ width: size.width * zoom, height: size.height * zoom }}
        onKeyDown={onKeyDown}
      >
        <div
          className="jp-StudioLineage-drawn"
          style={{ ...size, transform: `scale(${zoom})` }}
        >
          <svg {...size} aria-hidden="true">
            <g transform={`translate(${MARGIN} ${MARGIN})`}>
              {places.links.map(({ from, to, points }) => (
                <path
                  key={`${from}\n${to}`}
                  d={pathOf(points)}
                  className={
                    lit && !(lit.has(from) && lit.has(to)) ? 'jp-mod-dim' : ''
                  }
                />
              ))}
            </g>
          </svg>
          {nodes.map(node => {
            const { x, y } = places.at.get(node.id)!;
            return (
              <Node
                key={node.id}
                node={node}
                x={x + MARGIN}
                y={y + MARGIN}
                current={node.id === chosen}
                dim={lit !== null && !lit.has(node.id)}
                onFocus={setCurrent}
                onOver={setOver}
                onOpen={open}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}

const Node = React.memo(function Node(props: {
  node: INode;
  x: number;
  y: number;
  current: boolean;
  dim: boolean;
  onFocus: (id: string) => void;
  onOver: (id: string) => void;
  onOpen: (node: INode) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { node } = props;
  const [thing] = node.things;
  const several = node.things.length > 1;
  const type = typeOf(thing, trans);
  const name = titleOf(node, trans);
  const start = isStart(node);
  const page = several || pageOf(thing) !== null;
  const Icon = iconOf(thing).react;
  const what = [
    `${type}: ${name}`,
    ...(several
      ? [trans.__('Enter shows them one by one, or together again.')]
      : [
          thing.Status,
          thing.SourceUri ?? thing.Arn,
          new Date(1000 * thing.CreationTime).toLocaleString()
        ])
  ].filter(Boolean);
  const classes = [
    'jp-StudioLineage-node',
    start && 'jp-mod-start',
    several && 'jp-mod-several',
    !page && 'jp-mod-closed',
    props.dim && 'jp-mod-dim'
  ];
  return (
    <button
      data-id={node.id}
      className={classes.filter(Boolean).join(' ')}
      style={{ left: props.x, top: props.y, ...NODE }}
      tabIndex={props.current ? 0 : -1}
      title={what.join('\n')}
      aria-label={
        start
          ? trans.__('%1, chosen', what.slice(0, 2).join(', '))
          : what.slice(0, 2).join(', ')
      }
      onFocus={() => {
        props.onFocus(node.id);
        props.onOver(node.id);
      }}
      onBlur={() => props.onOver('')}
      onMouseEnter={() => props.onOver(node.id)}
      onMouseLeave={() => props.onOver('')}
      onClick={() => props.onOpen(node)}
    >
      <Icon tag="span" className="jp-StudioLineage-icon" />
      <span className="jp-StudioLineage-text">
        <span className="jp-StudioLineage-type">
          {start && '◆ '}
          {type}
          {!several && thing.Status && (
            <span
              className={`jp-StudioStatus-dot jp-mod-${tone(thing.Status)}`}
            />
          )}
        </span>
        <span className="jp-StudioLineage-name">{name}</span>
      </span>
    </button>
  );
});

/** What a node is called. */
export function titleOf({ things }: INode, trans: TranslationBundle): string {
  return things.length > 1
    ? trans.__('%1 alike', things.length.toLocaleString())
    : nameOf(things[0]);
}

/** Whether it is one of those that were asked about. */
export function isStart(node: INode): boolean {
  return node.things.some(thing => thing.Depth === 0);
}

/** What a node came from and led to, and itself. */
function kin(id: string, links: IPlaces['links']): Set<string> {
  const found = new Set([id]);
  for (const [here, there] of [
    ['from', 'to'],
    ['to', 'from']
  ] as const) {
    const left = [id];
    while (left.length) {
      const at = left.pop()!;
      for (const link of links) {
        if (link[here] === at && !found.has(link[there])) {
          found.add(link[there]);
          left.push(link[there]);
        }
      }
    }
  }
  return found;
}

/** The node that a key leads to: up and down in a column, to the sides along links. */
function neighbour(
  key: string,
  id: string,
  { at, links }: IPlaces
): string | undefined {
  const here = at.get(id);
  if (!here) {
    return undefined;
  }
  const y = (other: string) => at.get(other)!.y;
  const near = (ids: string[]): string | undefined =>
    ids.sort(
      (one, other) => Math.abs(y(one) - here.y) - Math.abs(y(other) - here.y)
    )[0];
  const column = (sign: number) =>
    [...at.keys()].filter(
      other =>
        at.get(other)!.layer === here.layer && sign * (y(other) - here.y) > 0
    );
  const all = [...at.keys()];
  switch (key) {
    case 'ArrowLeft':
      return near(links.filter(it => it.to === id).map(it => it.from));
    case 'ArrowRight':
      return near(links.filter(it => it.from === id).map(it => it.to));
    case 'ArrowUp':
      return near(column(-1));
    case 'ArrowDown':
      return near(column(1));
    case 'Home':
      return all[0];
    case 'End':
      return all[all.length - 1];
    default:
      return undefined;
  }
}

function focus(board: HTMLElement | null, id: string): void {
  board
    ?.querySelectorAll<HTMLElement>('.jp-StudioLineage-node')
    .forEach(node => {
      if (node.dataset['id'] === id) {
        node.focus();
      }
    });
}
