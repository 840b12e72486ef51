import type { ILook } from '../../components/chart/drawing';
import type { Pen } from '../../components/chart/pen';
import type { IAxis } from './axes';

/** Where axes are: pixels. */
export interface IPlaces {
  width: number;
  height: number;
  /** Of each axis. */
  xs: number[];
  top: number;
  bottom: number;
}

const EDGE = 56;
const TOP = 12;
/** Below the axes stand those without a value. */
const BOTTOM = 30;

export function placesOf(
  count: number,
  width: number,
  height: number
): IPlaces {
  const step = (width - 2 * EDGE) / Math.max(1, count - 1);
  return {
    width,
    height,
    xs: Array.from({ length: count }, (_, at) => EDGE + at * step),
    top: TOP,
    bottom: height - BOTTOM
  };
}

/** The height of a share of an axis; that of none is below it. */
export function heightIn({ top, bottom }: IPlaces): (share: number) => number {
  return share =>
    Number.isNaN(share) ? bottom + 18 : bottom - share * (bottom - top);
}

/** Draw the lines, those of `front` above faint others when it is not null, and then the axes. */
export function draw(
  pen: Pen,
  axes: readonly IAxis[],
  colors: readonly string[],
  front: ReadonlySet<number> | null,
  places: IPlaces,
  look: ILook
): void {
  const height = heightIn(places);
  const ys = axes.map(({ shares }) => shares.map(height));
  const line = (at: number) => {
    pen.beginPath();
    for (let axis = 0; axis < ys.length; axis++) {
      pen.lineTo(places.xs[axis], ys[axis][at]);
    }
    pen.stroke();
  };
  pen.lineWidth = 1 / look.ratio;
  // Of thousands each adds to the others: together they stay behind those in front.
  pen.globalAlpha = front
    ? Math.min(0.12, 120 / colors.length)
    : opacity(colors.length);
  for (let at = 0; at < colors.length; at++) {
    if (!front?.has(at)) {
      pen.strokeStyle = front ? look.faint : colors[at];
      line(at);
    }
  }
  if (front) {
    pen.globalAlpha = opacity(front.size);
    pen.lineWidth = front.size > 200 ? 1 / look.ratio : 1.5;
    for (const at of front) {
      pen.strokeStyle = colors[at];
      line(at);
    }
  }
  pen.globalAlpha = 1;
  axes.forEach((axis, at) => drawAxis(pen, axis, places.xs[at], places, look));
}

function opacity(lines: number): number {
  return lines > 2000 ? 0.35 : lines > 300 ? 0.55 : 0.9;
}

function drawAxis(
  pen: Pen,
  axis: IAxis,
  x: number,
  places: IPlaces,
  look: ILook
): void {
  const height = heightIn(places);
  pen.lineWidth = 1;
  pen.strokeStyle = look.text;
  pen.beginPath();
  pen.moveTo(x, places.top);
  pen.lineTo(x, places.bottom);
  pen.stroke();
  pen.font = `11px ${look.font}`;
  pen.textAlign = 'left';
  pen.textBaseline = 'middle';
  for (const { value, label } of axis.ticks) {
    lettered(pen, shortened(label), x + 6, height(value), look);
  }
  if (axis.missing) {
    lettered(pen, '–', x + 6, height(NaN), look);
  }
}

/** Letters on a ground that parts them from the lines behind. */
function lettered(
  pen: Pen,
  text: string,
  x: number,
  y: number,
  look: ILook
): void {
  pen.globalAlpha = 0.75;
  pen.fillStyle = look.ground;
  pen.fillRect(x - 2, y - 7, text.length * 6.4 + 4, 14);
  pen.globalAlpha = 1;
  pen.fillStyle = look.text;
  pen.fillText(text, x, y);
}

const LONGEST = 16;

function shortened(label: string): string {
  return label.length > LONGEST ? `${label.slice(0, LONGEST - 1)}…` : label;
}
