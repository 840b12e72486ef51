import React from 'react';

import type { studio } from '../../wire';
import { useSignal } from '../hooks';
import { type ISpan, level, spans } from './ansi';
import type { LogModel } from './model';

const ROW = 18;
const MORE = 4;
// Browsers draw nothing below some 17 million pixels: longer logs scroll faster than the mouse.
const MOST_PIXELS = 8_000_000;

/** A line to show. */
export interface ITarget {
  line: number;
  /** As the first on the screen; else where the eye looks. */
  atTop?: boolean;
}

export interface ILinesProps {
  model: LogModel;
  label: string;
  wrap: boolean;
  times: boolean;
  /** Stay at the end while the log grows. */
  follow: boolean;
  onFollow: (follow: boolean) => void;
  /** The line to show, each time that this object is another. */
  target: ITarget | null;
  /** The first line on the screen. */
  onTop: (line: number) => void;
  /** What to mark in the lines. */
  marked: RegExp | null;
  /** The line that is looked at. */
  current?: number;
  /** The first and the last line of the selection. */
  chosen: [number, number] | null;
  onChoose: (chosen: [number, number] | null) => void;
}

/**
 * The lines of a log, of which only those in view exist.
 *
 * The place that is scrolled to is a share of the log: what lies at that share of the lines is shown
 * at that share of the height. So it does not matter how high the lines are that are not there.
 */
export function LogLines(props: ILinesProps): React.JSX.Element {
  const { model, follow, target, wrap } = props;
  useSignal(model.changed);
  const total = model.lines ?? 0;
  const scroller = React.useRef<HTMLDivElement>(null);
  const body = React.useRef<HTMLDivElement>(null);
  const height = useHeight(scroller);
  const [share, setShare] = React.useState(0);
  // How high lines are that are wrapped, at most so far: a guess at those that are not there.
  const [tall, setTall] = React.useState(1);
  const full = Math.min(total * ROW * (wrap ? tall : 1), MOST_PIXELS);
  const rows = height / ROW;
  const room = wrap ? total : Math.max(0, total - rows);

  const scroll = React.useCallback(
    (to: number) => {
      const next = Math.max(0, Math.min(1, Number.isFinite(to) ? to : 0));
      setShare(next);
      if (scroller.current) {
        scroller.current.scrollTop = next * Math.max(0, full - height);
      }
    },
    [full, height]
  );
  // What is looked at stays where it is when lines are added, unless the end is followed. Nothing
  // else may scroll here: that would cut off a movement of the browser's.
  const top = React.useRef(0);
  const was = React.useRef<unknown>(null);
  React.useLayoutEffect(() => {
    if (follow || was.current !== scroll) {
      scroll(follow ? 1 : top.current / room);
    }
    was.current = scroll;
  }, [follow, room, scroll]);
  React.useLayoutEffect(() => {
    if (target) {
      const line = Math.min(target.line, total - 1);
      const above = target.atTop ? 0 : wrap ? -0.5 : rows / 3;
      scroll((line - above) / room);
    }
    // Lines that come must not scroll back to the target.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [target, total > 0, height > 0]);

  const at = share * total;
  top.current = share * room;
  const first = Math.max(0, Math.floor(at - share * rows) - MORE);
  const last = Math.min(total - 1, Math.ceil(at + (1 - share) * rows) + MORE);
  React.useEffect(() => model.ensure(first, last));
  const { onTop } = props;
  const shown = Math.round(top.current);
  React.useEffect(() => onTop(shown), [onTop, shown]);
  // After every render: lines may have come. What it sets only grows, by a tenth at least.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  React.useLayoutEffect(() => {
    const node = body.current!;
    const anchor = Math.min(Math.floor(at), total - 1);
    const line = node.children[anchor - first] as HTMLElement | undefined;
    if (!line) {
      return;
    }
    const place = line.offsetTop + (at - anchor) * line.offsetHeight;
    let y = share * height - place;
    y = first === 0 ? Math.min(y, 0) : y;
    const bottom = Math.min(0, height - node.offsetHeight);
    y = last === total - 1 ? Math.max(y, bottom) : y;
    node.style.transform = `translateY(${y}px)`;
    const higher = node.offsetHeight / ROW / node.children.length;
    if (wrap && higher > 1.1 * tall) {
      setTall(higher);
    }
  });
  useWheel(scroller, full === MOST_PIXELS, rows, moved =>
    scroll((top.current + moved) / room)
  );
  const onScroll = () => {
    const node = scroller.current!;
    const most = full - height;
    if (Math.abs(node.scrollTop - share * most) < 1) {
      return; // our own doing
    }
    setShare(most > 0 ? Math.min(1, node.scrollTop / most) : 0);
    const atEnd = node.scrollTop >= most - 1;
    if (atEnd !== follow) {
      props.onFollow(atEnd);
    }
  };
  const numbers = Array.from(
    { length: Math.max(0, last - first + 1) },
    (_, index) => first + index
  );
  const digits = String(total).length;
  return (
    <div
      ref={scroller}
      className={`jp-StudioLog-scroller ${wrap ? 'jp-mod-wrap' : ''}`}
      role="log"
      aria-live="off"
      aria-label={props.label}
      tabIndex={0}
      onScroll={onScroll}
    >
      <div className="jp-StudioLog-space" style={{ height: full }}>
        <div className="jp-StudioLog-window" style={{ height }}>
          <div
            ref={body}
            className="jp-StudioLog-body"
            style={{ '--jp-studio-digits': digits } as React.CSSProperties}
          >
            {numbers.map(number => (
              <Line
                key={number}
                number={number}
                line={model.line(number)}
                times={props.times}
                marked={props.marked}
                current={number === props.current}
                chosen={
                  props.chosen !== null &&
                  number >= props.chosen[0] &&
                  number <= props.chosen[1]
                }
                onChoose={extend =>
                  props.onChoose(choice(props.chosen, number, extend))
                }
              />
            ))}
          </div>
        </div>
      </div>
    </div>
  );
}

/** The selection after a click on the number of a line. */
function choice(
  chosen: [number, number] | null,
  number: number,
  extend: boolean
): [number, number] | null {
  if (extend && chosen) {
    return [Math.min(chosen[0], number), Math.max(chosen[1], number)];
  }
  return chosen?.[0] === number && chosen[1] === number
    ? null
    : [number, number];
}

interface ILineProps {
  number: number;
  line: studio.LogLine | undefined;
  times: boolean;
  marked: RegExp | null;
  current: boolean;
  chosen: boolean;
  onChoose: (extend: boolean) => void;
}

const Line = React.memo(
  function Line(props: ILineProps): React.JSX.Element {
    const { line, number } = props;
    const parts = line ? spans(line.Text) : [];
    const grave = level(parts.map(part => part.text).join(''));
    const time = line && new Date(line.Time * 1000);
    const modifiers = [
      grave && `jp-mod-${grave}`,
      props.current && 'jp-mod-current',
      props.chosen && 'jp-mod-chosen'
    ].filter(Boolean);
    return (
      <div className={`jp-StudioLog-line ${modifiers.join(' ')}`}>
        <span
          className="jp-StudioLog-number"
          title={time?.toLocaleString(undefined, PRECISE)}
          onMouseDown={event => {
            event.preventDefault();
            props.onChoose(event.shiftKey);
          }}
        >
          {number + 1}
        </span>
        {props.times && (
          <span className="jp-StudioLog-time">
            {time?.toLocaleTimeString(undefined, CLOCK)}
          </span>
        )}
        <span className="jp-StudioLog-text">
          {marked(parts, props.marked)}
          {line?.Bytes !== undefined && (
            <em>{` … (${line.Bytes.toLocaleString()} B)`}</em>
          )}
        </span>
      </div>
    );
  },
  (before, after) =>
    before.number === after.number &&
    before.line === after.line &&
    before.times === after.times &&
    before.marked === after.marked &&
    before.current === after.current &&
    before.chosen === after.chosen
);

const CLOCK: Intl.DateTimeFormatOptions = {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hour12: false
};
const PRECISE: Intl.DateTimeFormatOptions = {
  dateStyle: 'medium',
  timeStyle: 'medium'
};

/** The parts of a line with the matches of the search marked, across parts too. */
function marked(parts: ISpan[], pattern: RegExp | null): React.ReactNode[] {
  const text = parts.map(part => part.text).join('');
  const places = pattern
    ? [...text.matchAll(pattern)].filter(match => match[0])
    : [];
  const nodes: React.ReactNode[] = [];
  let start = 0;
  for (const part of parts) {
    const end = start + part.text.length;
    let at = start;
    const put = (to: number, hit: boolean) => {
      if (to > at) {
        const piece = text.slice(at, to);
        nodes.push(
          React.createElement(
            hit ? 'mark' : 'span',
            { key: at, className: part.className || undefined },
            piece
          )
        );
        at = to;
      }
    };
    for (const match of places) {
      const from = match.index;
      const to = from + match[0].length;
      if (to > start && from < end) {
        put(Math.max(from, start), false);
        put(Math.min(to, end), true);
      }
    }
    put(end, false);
    start = end;
  }
  return nodes;
}

/** The height of a node, in pixels. */
function useHeight(ref: React.RefObject<HTMLElement>): number {
  const [height, setHeight] = React.useState(0);
  React.useLayoutEffect(() => {
    const node = ref.current!;
    const measure = () => setHeight(node.clientHeight);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(node);
    return () => observer.disconnect();
  }, [ref]);
  return height;
}

/** Where a pixel stands for several lines, the wheel still moves by lines. */
function useWheel(
  ref: React.RefObject<HTMLElement>,
  active: boolean,
  page: number,
  move: (rows: number) => void
): void {
  const moved = React.useRef(move);
  React.useEffect(() => {
    moved.current = move;
  });
  React.useEffect(() => {
    const node = ref.current!;
    const onWheel = (event: WheelEvent) => {
      if (active && event.deltaY && !event.ctrlKey && !event.shiftKey) {
        event.preventDefault();
        const unit = [1 / ROW, 1, page][event.deltaMode];
        moved.current(event.deltaY * unit);
      }
    };
    node.addEventListener('wheel', onWheel, { passive: false });
    return () => node.removeEventListener('wheel', onWheel);
  }, [ref, active, page]);
}
