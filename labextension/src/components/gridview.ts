import React from 'react';
import { flushSync } from 'react-dom';

const REST_MS = 150;

/** What is seen of a scroller, in pixels; its place in whole steps, so that most scrolling draws nothing. */
export interface IViewport {
  x: number;
  y: number;
  width: number;
  height: number;
  /** It was scrolled a moment ago. */
  moving: boolean;
  /** Since it moves, other rows came into view. */
  down: boolean;
  /** Nothing of this is known yet. */
  unknown?: boolean;
}

/** The viewport of a scroller; drawn anew within the frame that shows another step. */
export function useViewport(
  scroller: React.RefObject<HTMLElement>,
  stepX: number,
  stepY: number
): IViewport {
  const [view, setView] = React.useState<IViewport>({
    x: 0,
    y: 0,
    width: 0,
    height: 0,
    moving: false,
    down: false,
    unknown: true
  });
  React.useLayoutEffect(() => {
    const node = scroller.current!;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = (moving: boolean) =>
      setView(before => {
        const y = Math.floor(node.scrollTop / stepY) * stepY;
        const now = {
          x: Math.floor(node.scrollLeft / stepX) * stepX,
          y,
          down: moving && (before.down || y !== before.y),
          width: node.clientWidth,
          height: node.clientHeight,
          moving
        };
        return same(before, now) ? before : now;
      });
    const rest = () => read(false);
    const onScroll = () => {
      clearTimeout(timer);
      timer = setTimeout(rest, REST_MS);
      // Drawn later, the rows that came into view would be missing from this frame.
      flushSync(() => read(true));
    };
    rest();
    const observer = new ResizeObserver(rest);
    observer.observe(node);
    node.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      clearTimeout(timer);
      observer.disconnect();
      node.removeEventListener('scroll', onScroll);
    };
  }, [scroller, stepX, stepY]);
  return view;
}

/** Whether they show the same rows and columns; that only the scrolling began changes nothing. */
function same(one: IViewport, other: IViewport): boolean {
  return (
    !one.unknown &&
    one.x === other.x &&
    one.y === other.y &&
    one.width === other.width &&
    one.height === other.height &&
    (one.moving === other.moving || other.moving)
  );
}

/** The rows of a range, each in a slot: a row that comes takes over the elements of one that goes. */
export interface ISlot {
  slot: number;
  index: number;
}

/**
 * The rows first..last over `size` slots, in the order of `origin`.
 *
 * With the origin `first` the elements stand in the order of the rows; with that of before, none
 * has to move.
 */
export function slotted(
  first: number,
  last: number,
  size: number,
  origin: number
): ISlot[] {
  const found: ISlot[] = [];
  for (let k = 0; k < size; k++) {
    const slot = (origin + k) % size;
    const index = first + ((slot - (first % size) + size) % size);
    if (index <= last) {
      found.push({ slot, index });
    }
  }
  return found;
}
