import React from 'react';

import { useStudio } from '../hooks';
import { type Paint, picturedBy, useCanvas, useWidth } from './canvas';
import type { Cursor } from './cursor';
import { draw, framed, type IDrawing, type IFrame } from './drawing';
import { Hover, type IHovered, pointedAt } from './hover';
import { useGestures } from './gestures';
import { type IScale, type ScaleKind } from './scale';
import type { PictureFormat } from './frame';
import { lookOf } from './theme';

/** What an axis shows. */
export interface IAxis {
  title: string;
  kind: ScaleKind;
  domain: readonly [number, number];
}

export interface ILinePlotProps {
  lines: IDrawing['lines'];
  x: IAxis;
  y: IAxis;
  /** What the chart shows, in a sentence, for those who don't see it. */
  summary: string;
  /** Pixels. */
  height: number;
  cursor: Cursor;
  /** The user zoomed; null of an axis: all of it. */
  onZoom: (x: [number, number] | null, y: [number, number] | null) => void;
}

/** What a plot can do for the frame around it. */
export interface IPlotHandle {
  picture(format: PictureFormat, title: string): Promise<string | null>;
}

/**
 * Lines on a canvas.
 *
 * Data, zoom and size change what is on the canvas and never the canvas itself; what is pointed at
 * is drawn above it. The keys do all that the mouse does.
 */
export const LinePlot = React.forwardRef<IPlotHandle, ILinePlotProps>(
  function LinePlot(props, handle): React.JSX.Element {
    const { trans } = useStudio();
    const { cursor, height } = props;
    const host = React.useRef<HTMLDivElement>(null);
    const canvas = React.useRef<HTMLCanvasElement>(null);
    const width = useWidth(host);
    const frame = framed(width, height, props.y, props.y.title !== '');
    const drawing = drawingOf(props, frame);
    const paint = usePaint(drawing, frame);
    useCanvas(canvas, width, height, paint, toldOf(props.lines));
    const hovered = useHovered(cursor, drawing, frame);
    const gestures = useGestures({ host, drawing, frame, ...props });
    React.useImperativeHandle(handle, () => ({
      picture: (format, title) =>
        picturedBy(host.current!, format, title, [width, height], paint)
    }));
    return (
      <div
        ref={host}
        className="jp-StudioPlot"
        style={{ height }}
        tabIndex={0}
        role="application"
        aria-roledescription={trans.__('chart')}
        aria-label={props.summary}
        aria-keyshortcuts="ArrowLeft ArrowRight + - 0"
        {...gestures.handlers}
      >
        <canvas ref={canvas} aria-hidden="true" />
        {gestures.box && (
          <div className="jp-StudioPlot-box" style={gestures.box} />
        )}
        {hovered && (
          <Hover
            hovered={hovered}
            frame={frame}
            full={cursor.source === host.current}
            spoken={gestures.spoken}
          />
        )}
      </div>
    );
  }
);

function drawingOf(props: ILinePlotProps, frame: IFrame): IDrawing {
  const { x, y, lines } = props;
  const scale = (axis: IAxis, pixels: [number, number]): IScale => ({
    kind: axis.kind,
    domain: axis.domain,
    pixels
  });
  return {
    lines,
    x: scale(x, [frame.left, frame.right]),
    y: scale(y, [frame.bottom, frame.top]),
    xTitle: x.title,
    yTitle: y.title
  };
}

/** How many lines there are, and how far they go. */
function toldOf(lines: IDrawing['lines']): string {
  const end = lines.reduce(
    (most, { x }) => Math.max(most, x[x.length - 1] ?? -Infinity),
    -Infinity
  );
  return `${lines.length} ${end}`;
}

/** How to draw; the same function while the drawing is the same. */
function usePaint(drawing: IDrawing, frame: IFrame): Paint {
  const { lines, ...rest } = drawing;
  const key = JSON.stringify([rest, frame]);
  return React.useCallback(
    (pen, ratio) => {
      const [axes, place] = JSON.parse(key) as [
        Omit<IDrawing, 'lines'>,
        IFrame
      ];
      draw(pen, { ...axes, lines }, place, { ...lookOf(document.body), ratio });
    },
    [key, lines]
  );
}

function useHovered(
  cursor: Cursor,
  drawing: IDrawing,
  frame: IFrame
): IHovered | null {
  const [x, setX] = React.useState<number | null>(cursor.x);
  React.useEffect(() => {
    const slot = () => setX(cursor.x);
    cursor.changed.connect(slot);
    return () => {
      cursor.changed.disconnect(slot);
    };
  }, [cursor]);
  return x === null ? null : pointedAt(drawing, frame, x);
}
