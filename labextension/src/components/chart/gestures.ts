import React from 'react';

import type { Cursor } from './cursor';
import type { IDrawing, IFrame } from './drawing';
import { nearest } from './hover';
import { rescaled, valueAt } from './scale';

interface IGestureOptions {
  host: React.RefObject<HTMLElement>;
  drawing: IDrawing;
  frame: IFrame;
  cursor: Cursor;
  onZoom: (x: [number, number] | null, y: [number, number] | null) => void;
}

type Point = [number, number];

/** Less is a click. */
const SLIP = 5;
/** A drag that is no higher zooms the x axis alone. */
const FLAT = 24;

/**
 * Pointing, dragging a part to zoom into it, the wheel with Ctrl, a double click for all, and the
 * keys: arrows move the crosshair, with Shift the axis, + and - zoom, 0 shows all, Esc lets go.
 */
export function useGestures(options: IGestureOptions): {
  handlers: React.HTMLAttributes<HTMLElement>;
  /** The place of what is dragged. */
  box: React.CSSProperties | null;
  /** The keys moved the crosshair last. */
  spoken: boolean;
} {
  const { host, drawing, frame, cursor, onZoom } = options;
  const [drag, setDrag] = React.useState<[Point, Point] | null>(null);
  const [spoken, setSpoken] = React.useState(false);
  const latest = React.useRef(options);
  latest.current = options;
  useWheel(host, latest);
  const place = (event: React.PointerEvent): Point => {
    const box = host.current!.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const release = () => {
    const zoom = drag && zoomOf(drag, drawing, frame);
    setDrag(null);
    if (zoom) {
      onZoom(...zoom);
    }
  };
  const handlers: React.HTMLAttributes<HTMLElement> = {
    onPointerDown: event => {
      if (event.button === 0) {
        host.current!.setPointerCapture?.(event.pointerId);
        setDrag([place(event), place(event)]);
      }
    },
    onPointerMove: event => {
      const at = place(event);
      setSpoken(false);
      setDrag(drag && [drag[0], at]);
      cursor.point(valueAt(drawing.x, at[0]), host.current);
    },
    onPointerUp: release,
    onPointerCancel: () => setDrag(null),
    onPointerLeave: () => cursor.point(null, null),
    onBlur: () => cursor.point(null, null),
    onDoubleClick: () => onZoom(null, null),
    onKeyDown: event => {
      if (event.key === 'Escape' && drag) {
        setDrag(null);
      } else if (!pressed(event, latest.current)) {
        return;
      }
      setSpoken(true);
      event.preventDefault();
      event.stopPropagation();
    }
  };
  return { handlers, box: drag && boxOf(drag, frame), spoken };
}

/** React's wheel listeners cannot keep the page from zooming. */
function useWheel(
  host: React.RefObject<HTMLElement>,
  latest: React.RefObject<IGestureOptions>
): void {
  React.useEffect(() => {
    const node = host.current!;
    const turned = (event: WheelEvent) => {
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        const { drawing, onZoom } = latest.current!;
        const { kind, domain } = drawing.x;
        const box = node.getBoundingClientRect();
        const center = valueAt(drawing.x, event.clientX - box.left);
        const factor = Math.exp(Math.sign(event.deltaY) * 0.2);
        onZoom(rescaled(kind, domain, center, factor), null);
      }
    };
    node.addEventListener('wheel', turned, { passive: false });
    return () => node.removeEventListener('wheel', turned);
  }, [host, latest]);
}

/** Obey a key; false for one that means nothing here. */
function pressed(
  event: React.KeyboardEvent,
  options: IGestureOptions
): boolean {
  const { drawing, cursor, host, onZoom } = options;
  const { kind, domain } = drawing.x;
  const center = cursor.x ?? valueAt({ kind, domain, pixels: [0, 1] }, 0.5);
  const zoomed = (factor: number, shift = 0) =>
    onZoom(rescaled(kind, domain, center, factor, shift), null);
  switch (event.key) {
    case 'ArrowLeft':
    case 'ArrowRight': {
      const way = event.key === 'ArrowLeft' ? -1 : 1;
      if (event.shiftKey) {
        zoomed(1, way * 0.2);
      } else {
        cursor.point(stepped(options, way), host.current);
      }
      return true;
    }
    case 'Home':
      cursor.point(domain[0], host.current);
      return true;
    case 'End':
      cursor.point(domain[1], host.current);
      return true;
    case '+':
    case '=':
      zoomed(0.5);
      return true;
    case '-':
      zoomed(2);
      return true;
    case '0':
      onZoom(null, null);
      return true;
    case 'Escape':
      if (cursor.x === null) {
        return false;
      }
      cursor.point(null, null);
      return true;
    default:
      return false;
  }
}

/** The next place at which the longest line has a value. */
function stepped({ drawing, cursor }: IGestureOptions, way: number): number {
  const [low, high] = drawing.x.domain;
  const longest = drawing.lines.reduce<Float64Array>(
    (most, { x }) => (x.length > most.length ? x : most),
    new Float64Array(0)
  );
  if (cursor.x === null || !longest.length) {
    return way > 0 ? low : high;
  }
  const at = nearest(longest, cursor.x) + way;
  const next = longest[Math.min(longest.length - 1, Math.max(0, at))];
  return Math.min(high, Math.max(low, next));
}

/** The parts of the axes that a drag from corner to corner wants; null for a click. */
function zoomOf(
  [from, to]: [Point, Point],
  { x, y }: IDrawing,
  frame: IFrame
): [[number, number] | null, [number, number] | null] | null {
  const [left, right] = ascending(from[0], to[0], frame.left, frame.right);
  const [top, bottom] = ascending(from[1], to[1], frame.top, frame.bottom);
  const wide = right - left > SLIP;
  const high = bottom - top > FLAT;
  return wide || high
    ? [
        wide ? [valueAt(x, left), valueAt(x, right)] : null,
        high ? [valueAt(y, bottom), valueAt(y, top)] : null
      ]
    : null;
}

function boxOf(
  [from, to]: [Point, Point],
  frame: IFrame
): React.CSSProperties | null {
  const [left, right] = ascending(from[0], to[0], frame.left, frame.right);
  const [top, bottom] = ascending(from[1], to[1], frame.top, frame.bottom);
  const flat = bottom - top <= FLAT;
  return right - left > SLIP || !flat
    ? {
        left,
        width: right - left,
        top: flat ? frame.top : top,
        height: flat ? frame.bottom - frame.top : bottom - top
      }
    : null;
}

function ascending(
  one: number,
  other: number,
  low: number,
  high: number
): [number, number] {
  const within = (value: number) => Math.min(high, Math.max(low, value));
  return one < other
    ? [within(one), within(other)]
    : [within(other), within(one)];
}
