import React from 'react';

import type { Pen } from '../../components/chart/pen';
import { picturedBy, useCanvas, useWidth } from '../../components/chart/canvas';
import { lookOf } from '../../components/chart/theme';
import type { PictureFormat } from '../../components/chart/frame';
import { useStudio } from '../../components/hooks';
import { type IComponents, valueAt } from '../rows';
import { number } from '../../components/format';
import { type Brush, type IAxis, nearestLine } from './axes';
import { draw, heightIn, type IPlaces, placesOf } from './draw';

export interface IParallelPlotProps {
  components: IComponents;
  axes: readonly IAxis[];
  /** One a component. */
  colors: readonly string[];
  front: ReadonlySet<number> | null;
  brushes: Readonly<Record<string, Brush>>;
  height: number;
  onBrush: (field: string, brush: Brush | null) => void;
  head: (axis: IAxis, at: number) => React.ReactNode;
  pictures: React.MutableRefObject<
    (format: PictureFormat, title: string) => Promise<string | null>
  >;
}

/** Lines over parallel axes, on which ranges are brushed. */
export function ParallelPlot(props: IParallelPlotProps): React.JSX.Element {
  const { components, axes, colors, front, brushes, height } = props;
  const host = React.useRef<HTMLDivElement>(null);
  const canvas = React.useRef<HTMLCanvasElement>(null);
  const width = useWidth(host);
  const places = React.useMemo(
    () => placesOf(axes.length, width, height),
    [axes.length, width, height]
  );
  const paint = React.useCallback(
    (pen: Pen, ratio: number) =>
      draw(pen, axes, colors, front, places, {
        ...lookOf(host.current!),
        ratio
      }),
    [axes, colors, front, places]
  );
  useCanvas(canvas, width, height, paint, String(colors.length));
  props.pictures.current = (format, title) =>
    picturedBy(
      host.current!,
      format,
      title,
      [width, height + HEADS],
      (pen, ratio) => {
        heads(pen, axes, places, lookOf(host.current!).text);
        pen.save();
        pen.translate(0, HEADS);
        paint(pen, ratio);
        pen.restore();
      }
    );
  const [pointed, setPointed] = React.useState<[number, number, number]>();
  return (
    <div className="jp-StudioParallel-plot" ref={host}>
      <div className="jp-StudioParallel-heads">
        {axes.map((axis, at) => (
          <div key={axis.field} style={{ left: places.xs[at] }}>
            {props.head(axis, at)}
          </div>
        ))}
      </div>
      <div
        className="jp-StudioParallel-lines"
        style={{ height }}
        onPointerMove={event => {
          const box = event.currentTarget.getBoundingClientRect();
          const [x, y] = [event.clientX - box.left, event.clientY - box.top];
          const at = nearestLine(axes, places.xs, heightIn(places), [x, y], 6);
          setPointed(at >= 0 ? [at, x, y] : undefined);
        }}
        onPointerLeave={() => setPointed(undefined)}
      >
        <canvas ref={canvas} aria-hidden="true" />
        {axes.map((axis, at) => (
          <Strip
            key={axis.field}
            axis={axis}
            x={places.xs[at]}
            places={places}
            brush={brushes[axis.field]}
            onBrush={brush => props.onBrush(axis.field, brush)}
          />
        ))}
        {pointed && (
          <Pointed
            components={components}
            axes={axes}
            at={pointed[0]}
            place={[pointed[1], pointed[2]]}
            places={places}
          />
        )}
      </div>
    </div>
  );
}

const HEADS = 24;

/** The names of the axes, for pictures. */
function heads(
  pen: Pen,
  axes: readonly IAxis[],
  places: IPlaces,
  color: string
): void {
  pen.fillStyle = color;
  pen.textAlign = 'center';
  axes.forEach(({ field }, at) =>
    pen.fillText(field, places.xs[at], HEADS - 6)
  );
  pen.textAlign = 'left';
}

const HALF = 9;
const STEP = 0.05;
const SLIP = 0.01;

/** The part of an axis that the pointer and the keys brush. */
function Strip(props: {
  axis: IAxis;
  x: number;
  places: IPlaces;
  brush: Brush | undefined;
  onBrush: (brush: Brush | null) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { axis, x, places, brush, onBrush } = props;
  const node = React.useRef<HTMLDivElement>(null);
  const [from, setFrom] = React.useState<number | null>(null);
  const shareAt = (event: React.PointerEvent) => {
    const box = node.current!.getBoundingClientRect();
    return within(1 - (event.clientY - box.top) / box.height);
  };
  const range = brush
    ? trans.__('%1 to %2', axis.at(brush[0]), axis.at(brush[1]))
    : trans.__('nothing is brushed');
  return (
    <div
      ref={node}
      className="jp-StudioParallel-strip"
      style={{
        left: x - HALF,
        width: 2 * HALF,
        top: places.top,
        height: places.bottom - places.top
      }}
      tabIndex={0}
      role="slider"
      aria-orientation="vertical"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(100 * (brush?.[0] ?? 0))}
      aria-valuetext={range}
      aria-label={trans.__('Brush %1', axis.field)}
      title={trans.__('Drag to select; a click selects nothing')}
      onPointerDown={event => {
        node.current!.setPointerCapture?.(event.pointerId);
        setFrom(shareAt(event));
      }}
      onPointerMove={event => {
        if (from !== null) {
          const to = shareAt(event);
          if (Math.abs(to - from) > SLIP) {
            onBrush([Math.min(from, to), Math.max(from, to)]);
          }
        }
      }}
      onPointerUp={event => {
        if (from !== null && Math.abs(shareAt(event) - from) <= SLIP) {
          onBrush(null);
        }
        setFrom(null);
      }}
      onKeyDown={event => {
        const next = keyed(event, brush);
        if (next !== undefined) {
          event.preventDefault();
          event.stopPropagation();
          onBrush(next);
        }
      }}
    >
      {brush && (
        <div
          className="jp-StudioParallel-brush"
          style={{
            top: `${100 * (1 - brush[1])}%`,
            height: `${100 * (brush[1] - brush[0])}%`
          }}
        />
      )}
    </div>
  );
}

/** What a key makes of a brush: arrows move it, with Shift they make it longer or shorter. */
function keyed(
  event: React.KeyboardEvent,
  brush: Brush | undefined
): Brush | null | undefined {
  const [low, high] = brush ?? [0.25, 0.75];
  const way = event.key === 'ArrowUp' ? 1 : event.key === 'ArrowDown' ? -1 : 0;
  if (way && event.shiftKey) {
    return [low, within(Math.max(low + STEP, high + way * STEP))];
  }
  if (way) {
    const by = Math.min(1 - high, Math.max(-low, way * STEP));
    return brush ? [low + by, high + by] : [low, high];
  }
  return ['Delete', 'Backspace', 'Escape'].includes(event.key) && brush
    ? null
    : undefined;
}

function within(share: number): number {
  return Math.min(1, Math.max(0, share));
}

/** What the line is that is pointed at. */
function Pointed(props: {
  components: IComponents;
  axes: readonly IAxis[];
  at: number;
  place: [number, number];
  places: IPlaces;
}): React.JSX.Element {
  const { components, axes, at, place, places } = props;
  const [x, y] = place;
  const side =
    x > places.width / 2 ? { right: places.width - x + 12 } : { left: x + 12 };
  return (
    <div
      className="jp-StudioPlot-values"
      style={{ ...side, top: Math.min(y, places.bottom - 80) }}
    >
      <strong>{components.titles[at]}</strong>
      {axes.map(({ field }) => {
        const value = valueAt(components, field, at);
        return (
          <div key={field} className="jp-StudioPlot-value">
            <span className="jp-StudioPlot-name">{field}</span>
            <span className="jp-StudioPlot-number">
              {typeof value === 'number' ? number(value) : (value ?? '–')}
            </span>
          </div>
        );
      })}
    </div>
  );
}
