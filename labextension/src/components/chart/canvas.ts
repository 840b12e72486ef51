import React from 'react';

import type { PictureFormat } from './frame';
import { type Pen, SvgPen } from './pen';
import { lookOf, useTheme } from './theme';

/** Pixels of an element; what is not in view yet counts as usual. */
export function useWidth(host: React.RefObject<HTMLElement>): number {
  const [width, setWidth] = React.useState(480);
  React.useLayoutEffect(() => {
    const node = host.current!;
    const measure = () => node.clientWidth && setWidth(node.clientWidth);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(node);
    return () => observer.disconnect();
  }, [host]);
  return width;
}

/** A drawing: on what, and how many pixels of the device are one of CSS. */
export type Paint = (pen: Pen, ratio: number) => void;

/**
 * Draw when `paint`, the size or the theme is another, once a frame at most.
 *
 * `drawn` tells tests and benchmarks what is on the canvas.
 */
export function useCanvas(
  canvas: React.RefObject<HTMLCanvasElement>,
  width: number,
  height: number,
  paint: Paint,
  drawn: string
): void {
  const theme = useTheme();
  React.useEffect(() => {
    const request = requestAnimationFrame(() => {
      const node = canvas.current;
      const pen = node?.getContext('2d');
      if (node && pen) {
        const ratio = window.devicePixelRatio || 1;
        fit(node, width, height, ratio);
        pen.setTransform(ratio, 0, 0, ratio, 0, 0);
        pen.clearRect(0, 0, width, height);
        paint(pen, ratio);
        node.dataset['drawn'] = drawn;
      }
    });
    return () => cancelAnimationFrame(request);
  }, [canvas, width, height, paint, drawn, theme]);
}

function fit(
  node: HTMLCanvasElement,
  width: number,
  height: number,
  ratio: number
): void {
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (node.width !== wide || node.height !== high) {
    node.width = wide;
    node.height = high;
    node.style.width = `${width}px`;
    node.style.height = `${height}px`;
  }
}

const TITLE = 28;
/** Pixels of a side that every browser's canvas has. */
const LARGEST = 16_384;

/** The URL of a picture of a drawing below its title, on the theme's ground. */
export function picturedBy(
  host: HTMLElement,
  format: PictureFormat,
  title: string,
  [width, height]: [number, number],
  paint: Paint
): Promise<string> {
  const look = lookOf(host);
  const whole = (pen: Pen, ratio: number) => {
    pen.fillStyle = look.text;
    pen.font = `600 14px ${look.font}`;
    pen.fillText(title, 12, 20);
    pen.save();
    pen.translate(0, TITLE);
    paint(pen, ratio);
    pen.restore();
  };
  if (format === 'svg') {
    const pen = new SvgPen();
    whole(pen, 1);
    const svg = pen.svg(width, height + TITLE, look.ground);
    return Promise.resolve(
      `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`
    );
  }
  const ratio = Math.min(2, LARGEST / Math.max(width, height + TITLE));
  const canvas = document.createElement('canvas');
  canvas.width = width * ratio;
  canvas.height = (height + TITLE) * ratio;
  const pen = canvas.getContext('2d')!;
  pen.scale(ratio, ratio);
  pen.fillStyle = look.ground;
  pen.fillRect(0, 0, width, height + TITLE);
  whole(pen, ratio);
  return Promise.resolve(canvas.toDataURL('image/png'));
}
