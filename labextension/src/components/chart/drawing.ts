import type { Pen } from './pen';
import { type IScale, type ITick, placer, ticks } from './scale';

/** A line of a chart. */
export interface ILine {
  /** What it is, for whoever made it. */
  key: string;
  label: string;
  /** A CSS colour. */
  color: string;
  /** Pixels on and off; empty for a whole line. */
  dash: number[];
  /** In ascending order. */
  x: Float64Array;
  /** NaN where there is none, in an area; in a line a value of that kind. */
  y: Float64Array;
  /** The least and the greatest around each value. */
  low?: Float64Array;
  high?: Float64Array;
  /** How low and high are drawn: from one to the other at each value, or as an area. */
  spread?: 'strokes' | 'area';
  /** The same before it was smoothed. */
  raw?: Float64Array;
  /** What it is of has failed: a cross stands at its end. */
  failed?: boolean;
}

/** The place of a drawing: all of it, and the part in which the lines are. */
export interface IFrame {
  width: number;
  height: number;
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** Colours and letters of the theme. */
export interface ILook {
  text: string;
  faint: string;
  grid: string;
  font: string;
  ground: string;
  /** Pixels of the device in one of CSS. */
  ratio: number;
}

/** All that a drawing shows. */
export interface IDrawing {
  lines: readonly ILine[];
  x: IScale;
  y: IScale;
  xTitle: string;
  yTitle: string;
}

/** Above so many lines each is as thin as the screen can: all else takes ten times as long. */
export const THIN_FROM = 20;
const MARKED = 40;
const TICK = 4;
const LABEL_EM = 12;
const HALF_LETTER = 3.1;
/** Half the height of what marks a place. */
const MARK = 3.5;

/** The part of `width` x `height` that lines may have, beside their axes. */
export function framed(
  width: number,
  height: number,
  y: Omit<IScale, 'pixels'>,
  titled: boolean
): IFrame {
  const longest = ticks({ ...y, pixels: [0, 1] }, height / 40).reduce(
    (most, { label }) => Math.max(most, label.length),
    1
  );
  return {
    width,
    height,
    left: Math.min(90, 14 + longest * 6.6) + (titled ? 14 : 0),
    top: 8,
    right: width - 12,
    bottom: height - 36
  };
}

/** Draw axes and lines. */
export function draw(
  pen: Pen,
  drawing: IDrawing,
  frame: IFrame,
  look: ILook
): void {
  axes(pen, drawing, frame, look);
  pen.save();
  pen.beginPath();
  pen.rect(
    frame.left,
    frame.top,
    frame.right - frame.left,
    frame.bottom - frame.top
  );
  pen.clip();
  const x = placer(drawing.x);
  const y = placer(drawing.y);
  const thin = drawing.lines.length > THIN_FROM;
  const width = thin ? 1 / look.ratio : 1.75;
  for (const line of drawing.lines) {
    drawLine(pen, line, x, finite(y), width, thin);
    marks(pen, line, x, y, frame);
  }
  pen.restore();
}

function drawLine(
  pen: Pen,
  line: ILine,
  x: (value: number) => number,
  y: (value: number) => number,
  width: number,
  thin: boolean
): void {
  const xs = line.x.map(x);
  pen.strokeStyle = line.color;
  pen.fillStyle = line.color;
  pen.setLineDash([]);
  // Of many smoothed lines what they were is enough.
  if (line.low && line.high && !(thin && line.raw)) {
    const low = line.low.map(y);
    const high = line.high.map(y);
    if (line.spread === 'area') {
      pen.globalAlpha = 0.18;
      area(pen, xs, low, high);
    } else {
      pen.globalAlpha = 0.4;
      pen.lineWidth = thin ? width : 1;
      strokes(pen, xs, low, high);
    }
  }
  pen.lineWidth = thin ? width : 1;
  if (line.raw) {
    pen.globalAlpha = 0.3;
    path(pen, xs, line.raw.map(y));
  }
  pen.globalAlpha = 1;
  pen.lineWidth = width;
  pen.setLineDash(line.dash);
  const ys = line.y.map(y);
  path(pen, xs, ys);
  if (ys.length <= MARKED && !thin) {
    dots(pen, xs, ys);
  } else {
    alone(pen, xs, ys);
  }
}

/** What is infinite has no place: a line has a gap there. */
function finite(place: (value: number) => number): (value: number) => number {
  return value => (Number.isFinite(value) ? place(value) : NaN);
}

/** Where values are not finite, and where a run failed. */
function marks(
  pen: Pen,
  line: ILine,
  x: (value: number) => number,
  y: (value: number) => number,
  { top, bottom }: IFrame
): void {
  pen.setLineDash([]);
  pen.lineWidth = 1.5;
  if (line.spread !== 'area') {
    odd(line.y).forEach(at => {
      const value = line.y[at];
      if (value === Infinity) {
        triangle(pen, x(line.x[at]), top, 2 * MARK);
      } else if (value === -Infinity) {
        triangle(pen, x(line.x[at]), bottom, -2 * MARK);
      } else {
        cross(pen, x(line.x[at]), bottom - MARK);
      }
    });
  }
  let last = line.y.length - 1;
  while (last >= 0 && !Number.isFinite(line.y[last])) {
    last--;
  }
  if (line.failed && last >= 0) {
    cross(pen, x(line.x[last]), y(line.y[last]));
  }
}

/** Where values that are not finite begin, and become others of the kind. */
function odd(values: Float64Array): number[] {
  const found: number[] = [];
  values.forEach((value, at) => {
    if (!Number.isFinite(value) && !Object.is(value, values[at - 1])) {
      found.push(at);
    }
  });
  return found;
}

/** From the edge that it points to, into the chart. */
function triangle(pen: Pen, x: number, edge: number, height: number): void {
  pen.beginPath();
  pen.moveTo(x, edge);
  pen.lineTo(x - MARK, edge + height);
  pen.lineTo(x + MARK, edge + height);
  pen.closePath();
  pen.fill();
}

function cross(pen: Pen, x: number, y: number): void {
  pen.beginPath();
  pen.moveTo(x - MARK, y - MARK);
  pen.lineTo(x + MARK, y + MARK);
  pen.moveTo(x - MARK, y + MARK);
  pen.lineTo(x + MARK, y - MARK);
  pen.stroke();
}

/** A line through the points, with gaps where there are none. */
function path(pen: Pen, xs: Float64Array, ys: Float64Array): void {
  pen.beginPath();
  let on = false;
  for (let at = 0; at < xs.length; at++) {
    if (xs[at] !== xs[at] || ys[at] !== ys[at]) {
      on = false;
    } else if (on) {
      pen.lineTo(xs[at], ys[at]);
    } else {
      pen.moveTo(xs[at], ys[at]);
      on = true;
    }
  }
  pen.stroke();
}

function strokes(
  pen: Pen,
  xs: Float64Array,
  low: Float64Array,
  high: Float64Array
): void {
  pen.beginPath();
  for (let at = 0; at < xs.length; at++) {
    // What is less than a pixel high, the line itself shows.
    if (Math.abs(low[at] - high[at]) >= 1 && xs[at] === xs[at]) {
      pen.moveTo(xs[at], low[at]);
      pen.lineTo(xs[at], high[at]);
    }
  }
  pen.stroke();
}

function area(
  pen: Pen,
  xs: Float64Array,
  low: Float64Array,
  high: Float64Array
): void {
  const there = (at: number) => low[at] === low[at] && high[at] === high[at];
  for (let first = 0; first < xs.length; first++) {
    if (!there(first)) {
      continue;
    }
    let last = first;
    while (last + 1 < xs.length && there(last + 1)) {
      last++;
    }
    pen.beginPath();
    for (let at = first; at <= last; at++) {
      pen.lineTo(xs[at], low[at]);
    }
    for (let at = last; at >= first; at--) {
      pen.lineTo(xs[at], high[at]);
    }
    pen.closePath();
    pen.fill();
    first = last;
  }
}

function dots(pen: Pen, xs: Float64Array, ys: Float64Array): void {
  for (let at = 0; at < xs.length; at++) {
    if (xs[at] === xs[at] && ys[at] === ys[at]) {
      pen.beginPath();
      pen.arc(xs[at], ys[at], 2.5, 0, 2 * Math.PI);
      pen.fill();
    }
  }
}

/** Whether there is a point; beyond the ends there is none. */
function isPoint(xs: Float64Array, ys: Float64Array, at: number): boolean {
  return at in ys && xs[at] === xs[at] && ys[at] === ys[at];
}

/** Points without neighbours, which no line would show. */
function alone(pen: Pen, xs: Float64Array, ys: Float64Array): void {
  for (let at = 0; at < ys.length; at++) {
    const gaps = [at - 1, at + 1].every(i => !isPoint(xs, ys, i));
    if (gaps && isPoint(xs, ys, at)) {
      pen.fillRect(xs[at] - 1.5, ys[at] - 1.5, 3, 3);
    }
  }
}

function axes(
  pen: Pen,
  { x, y, xTitle, yTitle }: IDrawing,
  frame: IFrame,
  look: ILook
): void {
  const { left, right, top, bottom } = frame;
  pen.save();
  pen.lineWidth = 1;
  pen.font = `11px ${look.font}`;
  const xTicks = spaced(ticks(x, (right - left) / 90), placer(x));
  const yTicks = ticks(y, (bottom - top) / 40);
  pen.strokeStyle = look.grid;
  pen.beginPath();
  for (const { value } of xTicks) {
    const at = crisp(placer(x)(value));
    pen.moveTo(at, top);
    pen.lineTo(at, bottom + TICK);
  }
  for (const { value } of yTicks) {
    const at = crisp(placer(y)(value));
    pen.moveTo(left - TICK, at);
    pen.lineTo(right, at);
  }
  pen.stroke();
  pen.fillStyle = look.faint;
  pen.textAlign = 'center';
  pen.textBaseline = 'top';
  for (const { value, label } of xTicks) {
    const half = label.length * HALF_LETTER;
    const at = Math.min(placer(x)(value), frame.width - half);
    pen.fillText(label, at, bottom + TICK + 2);
  }
  pen.textAlign = 'right';
  pen.textBaseline = 'middle';
  for (const { value, label } of yTicks) {
    pen.fillText(label, left - TICK - 2, placer(y)(value));
  }
  pen.fillStyle = look.text;
  pen.textAlign = 'right';
  pen.textBaseline = 'alphabetic';
  pen.fillText(xTitle, right, frame.height - TICK);
  if (yTitle) {
    pen.translate(LABEL_EM, (top + bottom) / 2);
    pen.rotate(-Math.PI / 2);
    pen.textAlign = 'center';
    pen.fillText(yTitle, 0, 0);
  }
  pen.restore();
}

/** Ticks whose labels do not run into each other. */
function spaced(all: ITick[], place: (value: number) => number): ITick[] {
  let end = -Infinity;
  return all.filter(({ value, label }) => {
    const half = label.length * HALF_LETTER;
    const fits = place(value) - half > end + 6;
    end = fits ? place(value) + half : end;
    return fits;
  });
}

function crisp(pixel: number): number {
  return Math.round(pixel) + 0.5;
}
