import React from 'react';

import { duration, number } from '../format';
import { useStudio } from '../hooks';
import type { IDrawing, IFrame, ILine } from './drawing';
import { type IScale, placer } from './scale';
import { Swatch } from './swatch';

/** What lines are where a chart is pointed at. */
export interface IHovered {
  /** The place of the crosshair: that of a value. */
  x: number;
  pixel: number;
  xText: string;
  points: IHoveredPoint[];
}

export interface IHoveredPoint {
  line: ILine;
  value: number;
  low?: number;
  high?: number;
  pixel: number;
}

/** The values of all lines nearest to a place of the x axis; null where there is none. */
export function pointedAt(
  drawing: IDrawing,
  frame: IFrame,
  x: number
): IHovered | null {
  const place = placer(drawing.x);
  const at = nearestX(drawing.lines, x);
  if (at === null) {
    return null;
  }
  const pixel = place(at);
  if (!(pixel >= frame.left - 1 && pixel <= frame.right + 1)) {
    return null;
  }
  const height = placer(drawing.y);
  const points = drawing.lines.flatMap(line => {
    const i = nearest(line.x, at);
    const near =
      i >= 0 && Math.abs(place(line.x[i]) - pixel) <= reach(line, place);
    const value = line.y[i];
    return near && !(line.spread === 'area' && Number.isNaN(value))
      ? [
          {
            line,
            value,
            low: line.low?.[i],
            high: line.high?.[i],
            pixel: height(value)
          }
        ]
      : [];
  });
  points.sort((one, other) => rank(other.value) - rank(one.value));
  return { x: at, pixel, xText: placeText(drawing.x, at), points };
}

/** The highest first, and what is no number last. */
function rank(value: number): number {
  return Number.isNaN(value)
    ? -Infinity
    : Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value));
}

/** How far from the crosshair a point still counts: half of the way to the next. */
function reach(line: ILine, place: (value: number) => number): number {
  const { x } = line;
  const width = place(x[x.length - 1]) - place(x[0]);
  return 3 + (x.length > 1 ? width / (x.length - 1) : 0);
}

function nearestX(lines: readonly ILine[], x: number): number | null {
  let found: number | null = null;
  for (const line of lines) {
    const at = nearest(line.x, x);
    const value = line.x[at];
    if (
      at >= 0 &&
      (found === null || Math.abs(value - x) < Math.abs(found - x))
    ) {
      found = value;
    }
  }
  return found;
}

/** The index of the number that is next to `x`, of ascending ones; -1 of none. */
export function nearest(numbers: Float64Array, x: number): number {
  let [low, high] = [0, numbers.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] < x) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low > 0 && x - numbers[low - 1] <= numbers[low] - x ? low - 1 : high;
}

/** A place of an axis as people read it. */
export function placeText(scale: Pick<IScale, 'kind'>, value: number): string {
  switch (scale.kind) {
    case 'time':
      return new Date(value).toLocaleString();
    case 'duration':
      return duration(Math.abs(value));
    default:
      return number(value);
  }
}

const MOST_FULL = 14;
const MOST_BRIEF = 4;
const WIDTH = 280;

/** The crosshair, and the values at it. */
export function Hover(props: {
  hovered: IHovered;
  frame: IFrame;
  /** This chart is pointed at, not one beside it. */
  full: boolean;
  /** Said by screen readers: the keys moved the crosshair. */
  spoken: boolean;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { hovered, frame, full } = props;
  const { points, pixel } = hovered;
  const most = full ? MOST_FULL : MOST_BRIEF;
  const shown = points.slice(0, most);
  const room = Math.max(pixel, frame.width - pixel) - 14;
  const side =
    pixel > frame.width / 2
      ? { right: frame.width - pixel + 10 }
      : { left: pixel + 10 };
  return (
    <>
      <div
        className="jp-StudioPlot-cross"
        style={{
          left: pixel,
          top: frame.top,
          height: frame.bottom - frame.top
        }}
      />
      {shown
        .filter(({ pixel: y }) => y >= frame.top && y <= frame.bottom)
        .map(({ line, pixel: y }) => (
          <div
            key={line.key}
            className="jp-StudioPlot-dot"
            style={{ left: pixel, top: y, background: line.color }}
          />
        ))}
      <div
        className="jp-StudioPlot-values"
        style={{ ...side, maxWidth: Math.min(WIDTH, room) }}
        aria-live={props.spoken ? 'polite' : 'off'}
      >
        <div className="jp-StudioPlot-place">{hovered.xText}</div>
        {shown.map(({ line, value, low, high }) => (
          <div key={line.key} className="jp-StudioPlot-value">
            <Swatch color={line.color} dash={line.dash} />
            <span className="jp-StudioPlot-name">
              {line.failed ? trans.__('%1 (failed)', line.label) : line.label}
            </span>
            <span className="jp-StudioPlot-number">
              {number(value)}
              {full && low !== undefined && high !== undefined && low < high
                ? ` [${number(low)}, ${number(high)}]`
                : ''}
            </span>
          </div>
        ))}
        {shown.length < points.length && (
          <div className="jp-StudioPlot-more">
            {trans.__(
              '%1 of %2 lines, the highest',
              shown.length,
              points.length
            )}
          </div>
        )}
      </div>
    </>
  );
}
