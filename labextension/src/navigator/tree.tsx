import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import React from 'react';

import { carry } from '../components/actions';
import { Problem } from '../components/empty';
import { relative } from '../components/format';
import { openMenu } from '../components/gridpointer';
import { useNow, useSignal, useStudio } from '../components/hooks';
import { Status } from '../components/parts';
import type { NavigatorModel } from './model';
import { type INode, nodes } from './nodes';

const TYPED_MS = 700;

/**
 * The tree, with the keys of WAI-ARIA's tree pattern: arrows move and open, Home and End, letters
 * find, Enter opens the page, the menu key the context menu.
 */
export function Tree(props: { model: NavigatorModel }): React.JSX.Element {
  const { model } = props;
  const { trans, commands } = useStudio();
  useSignal(model.changed);
  const now = useNow(model.active, 20_000);
  const base = React.useId();
  const scroller = React.useRef<HTMLDivElement>(null);
  const [current, setCurrent] = React.useState('');
  const typed = React.useRef({ text: '', at: 0 });
  const lines = nodes(model, trans);
  const active = Math.max(
    0,
    lines.findIndex(each => each.id === current)
  );
  const places = placesOf(lines);
  const elementOf = (index: number) =>
    document.getElementById(`${base}-${index}`);
  const go = (index: number) => {
    const to = Math.max(0, Math.min(lines.length - 1, index));
    setCurrent(lines[to].id);
    elementOf(to)?.scrollIntoView?.({ block: 'nearest' });
  };
  const open = (node: INode) => {
    if (node.open) {
      void commands.execute(...node.open);
    }
  };
  const find = (letter: string) => {
    const at = Date.now();
    const before = at - typed.current.at < TYPED_MS ? typed.current.text : '';
    const text = before + letter.toLowerCase();
    typed.current = { text, at };
    // One letter goes on to the next; more letters stay where they fit.
    const from = active + (text.length === 1 ? 1 : 0);
    const order = [...lines.slice(from), ...lines.slice(0, from)];
    const found = order.find(each => each.label.toLowerCase().startsWith(text));
    if (found) {
      go(lines.indexOf(found));
    }
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const node = lines[active];
    const keys: Record<string, () => void> = {
      ArrowDown: () => go(active + 1),
      ArrowUp: () => go(active - 1),
      Home: () => go(0),
      End: () => go(lines.length - 1),
      ArrowRight: () =>
        node.expanded === false
          ? model.toggle(node.id, true)
          : node.expanded && go(active + 1),
      ArrowLeft: () =>
        node.expanded
          ? model.toggle(node.id, false)
          : go(parentOf(lines, active)),
      Enter: () => open(node),
      ' ': () => node.expanded !== undefined && model.toggle(node.id),
      ContextMenu: () => openMenu(elementOf(active)!),
      F10: () => event.shiftKey && openMenu(elementOf(active)!)
    };
    if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    if (event.key in keys) {
      event.preventDefault();
      keys[event.key]();
    } else if (event.key.length === 1) {
      find(event.key);
    }
  };
  if (model.error && !model.count('training-job')) {
    return <Problem error={model.error} retry={() => model.refresh()} />;
  }
  return (
    <div
      ref={scroller}
      role="tree"
      className="jp-StudioTree"
      tabIndex={0}
      aria-label={trans.__('Studio')}
      aria-activedescendant={`${base}-${active}`}
      onKeyDown={onKeyDown}
    >
      {lines.map((node, index) => (
        <Line
          key={node.id}
          id={`${base}-${index}`}
          node={node}
          place={places[index]}
          active={index === active}
          now={now}
          onToggle={() => {
            setCurrent(node.id);
            model.toggle(node.id);
          }}
          onChoose={() => setCurrent(node.id)}
          onOpen={() => open(node)}
        />
      ))}
    </div>
  );
}

function Line(props: {
  id: string;
  node: INode;
  place: [number, number];
  active: boolean;
  now: number;
  onToggle: () => void;
  onChoose: () => void;
  onOpen: () => void;
}): React.JSX.Element {
  const { node } = props;
  const { trans } = useStudio();
  const branch = node.expanded !== undefined;
  const Caret = node.expanded ? caretDownIcon : caretRightIcon;
  return (
    <div
      id={props.id}
      role="treeitem"
      aria-level={node.level}
      aria-posinset={props.place[0]}
      aria-setsize={props.place[1]}
      aria-expanded={node.expanded}
      aria-selected={props.active}
      className={`jp-StudioTree-line ${node.remark ? 'jp-mod-remark' : ''}`}
      style={{ paddingInlineStart: 4 + 14 * (node.level - 1) }}
      title={node.detail && `${node.label}\n${node.detail}`}
      draggable={!!node.dragged}
      onDragStart={event => node.dragged && carry(event, node.dragged)}
      {...(node.kind && {
        'data-studio-kind': node.kind,
        'data-studio-name': node.name,
        'data-studio-status': node.status
      })}
      onClick={() => {
        props.onChoose();
        if (branch) {
          props.onToggle();
        } else {
          props.onOpen();
        }
      }}
      onDoubleClick={() => branch && props.onOpen()}
      onContextMenu={props.onChoose}
    >
      <span className="jp-StudioTree-caret">
        {branch && <Caret.react tag="span" />}
      </span>
      {node.icon && (
        <node.icon.react tag="span" className="jp-StudioTree-icon" />
      )}
      {node.level > 1 && node.status && !node.quiet && (
        <Status status={node.status} quiet />
      )}
      <span className="jp-StudioTree-label">{node.label}</span>
      {node.level === 1 && node.status && <Status status={node.status} quiet />}
      {node.at !== undefined && (
        <time
          className="jp-StudioTree-aside"
          dateTime={new Date(node.at).toISOString()}
          title={new Date(node.at).toLocaleString()}
        >
          {relative(node.at, Math.max(props.now, node.at))}
        </time>
      )}
      {node.aside !== undefined && (
        <span className="jp-StudioTree-aside">{node.aside}</span>
      )}
      {branch && node.level === 1 && node.open && (
        <button
          className="jp-StudioTree-open"
          tabIndex={-1}
          aria-hidden="true"
          title={trans.__('Open the table (Enter)')}
          onClick={event => {
            event.stopPropagation();
            props.onOpen();
          }}
        >
          ↗
        </button>
      )}
    </div>
  );
}

/** Of each line its place among its siblings, and how many they are. */
export function placesOf(lines: INode[]): [number, number][] {
  const open: [number, number][][] = [];
  return lines.map(({ level }) => {
    open.length = Math.min(open.length, level);
    const siblings = (open[level - 1] ??= []);
    const place: [number, number] = [siblings.length + 1, 0];
    siblings.push(place);
    siblings.forEach(each => (each[1] = siblings.length));
    return place;
  });
}

function parentOf(lines: INode[], index: number): number {
  for (let at = index - 1; at >= 0; at--) {
    if (lines[at].level < lines[index].level) {
      return at;
    }
  }
  return index;
}
