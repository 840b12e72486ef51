/** Where nodes and links are drawn, in pixels; links as points on their way. */
export interface IPlaces {
  at: Map<string, { x: number; y: number; layer: number }>;
  links: { from: string; to: string; points: [number, number][] }[];
  width: number;
  height: number;
}

export const NODE = { width: 196, height: 44 };
const GAP = { x: 48, y: 14 };
const SWEEPS = 8;
const SETTLINGS = 30;

interface ISlot {
  id: string;
  /** A place that a long link passes. */
  passed: boolean;
  y: number;
}

/** From left to right: each node behind all that it came from, with few crossings. */
export function placed(
  ids: readonly string[],
  links: readonly [string, string][]
): IPlaces {
  const forward = acyclic(ids, links);
  const layer = layers(ids, forward);
  const { slots, chains } = threaded(ids, forward, layer);
  const near = neighboursOf(chains);
  ordered(slots, near);
  const height = spread(slots, near);
  const at: IPlaces['at'] = new Map();
  const middle = new Map<string, [number, number]>();
  slots.forEach((column, number) => {
    const x = number * (NODE.width + GAP.x);
    for (const slot of column) {
      middle.set(slot.id, [x + NODE.width / 2, slot.y + NODE.height / 2]);
      if (!slot.passed) {
        at.set(slot.id, { x, y: slot.y, layer: number });
      }
    }
  });
  return {
    at,
    links: chains.map(chain => ({
      from: chain[0],
      to: chain[chain.length - 1],
      points: waypoints(chain.map(id => middle.get(id)!))
    })),
    width: slots.length * (NODE.width + GAP.x) - GAP.x,
    height
  };
}

/** The links without those that would close a circle. */
function acyclic(
  ids: readonly string[],
  links: readonly [string, string][]
): [string, string][] {
  const next = new Map<string, string[]>(ids.map(id => [id, []]));
  links.forEach(([from, to]) => next.get(from)?.push(to));
  const done = new Set<string>();
  const open = new Set<string>();
  const back = new Set<string>();
  const visit = (start: string) => {
    const stack: [string, number][] = [[start, 0]];
    open.add(start);
    while (stack.length) {
      const top = stack[stack.length - 1];
      const to = next.get(top[0])![top[1]++];
      if (to === undefined) {
        open.delete(top[0]);
        done.add(top[0]);
        stack.pop();
      } else if (open.has(to)) {
        back.add(`${top[0]}\n${to}`);
      } else if (!done.has(to)) {
        open.add(to);
        stack.push([to, 0]);
      }
    }
  };
  ids.forEach(id => done.has(id) || visit(id));
  return links.filter(([from, to]) => !back.has(`${from}\n${to}`));
}

/** The column of each node: behind the last of those before it, and near those behind it. */
function layers(
  ids: readonly string[],
  links: readonly [string, string][]
): Map<string, number> {
  const before = new Map<string, string[]>(ids.map(id => [id, []]));
  const after = new Map<string, string[]>(ids.map(id => [id, []]));
  for (const [from, to] of links) {
    before.get(to)!.push(from);
    after.get(from)!.push(to);
  }
  const found = new Map<string, number>();
  const left = new Map(ids.map(id => [id, before.get(id)!.length]));
  const ready = ids.filter(id => left.get(id) === 0);
  while (ready.length) {
    const id = ready.shift()!;
    found.set(
      id,
      Math.max(0, ...before.get(id)!.map(it => found.get(it)! + 1))
    );
    for (const to of after.get(id)!) {
      left.set(to, left.get(to)! - 1);
      if (left.get(to) === 0) {
        ready.push(to);
      }
    }
  }
  // What nothing came before stands beside what it is for, not at the far left.
  for (const id of ids) {
    const behind = after.get(id)!.map(it => found.get(it)!);
    if (before.get(id)!.length === 0 && behind.length) {
      found.set(id, Math.min(...behind) - 1);
    }
  }
  return found;
}

/** Columns of slots; a link over several columns has a slot in each. */
function threaded(
  ids: readonly string[],
  links: readonly [string, string][],
  layer: Map<string, number>
): { slots: ISlot[][]; chains: string[][] } {
  const count = Math.max(0, ...layer.values()) + 1;
  const slots: ISlot[][] = Array.from({ length: count }, () => []);
  ids.forEach(id => slots[layer.get(id)!].push({ id, passed: false, y: 0 }));
  const chains = links.map(([from, to]) => {
    const chain = [from];
    for (let at = layer.get(from)! + 1; at < layer.get(to)!; at++) {
      const id = `${from}\n${to}\n${at}`;
      slots[at].push({ id, passed: true, y: 0 });
      chain.push(id);
    }
    return [...chain, to];
  });
  return { slots, chains };
}

function neighboursOf(chains: string[][]): {
  before: Map<string, string[]>;
  after: Map<string, string[]>;
} {
  const before = new Map<string, string[]>();
  const after = new Map<string, string[]>();
  for (const chain of chains) {
    for (let at = 1; at < chain.length; at++) {
      const [from, to] = [chain[at - 1], chain[at]];
      after.set(from, [...(after.get(from) ?? []), to]);
      before.set(to, [...(before.get(to) ?? []), from]);
    }
  }
  return { before, after };
}

type Near = ReturnType<typeof neighboursOf>;

/** Sort each column by where its neighbours stand, there and back again. */
function ordered(slots: ISlot[][], near: Near): void {
  const place = new Map<string, number>();
  const note = (column: ISlot[]) =>
    column.forEach((slot, at) => place.set(slot.id, at));
  slots.forEach(note);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const down = sweep % 2 === 0;
    const columns = down ? slots : [...slots].reverse();
    for (const column of columns) {
      const key = new Map(
        column.map(slot => {
          const ids = (down ? near.before : near.after).get(slot.id) ?? [];
          const places = ids.map(id => place.get(id)!);
          return [slot.id, places.length ? mean(places) : place.get(slot.id)!];
        })
      );
      column.sort((one, other) => key.get(one.id)! - key.get(other.id)!);
      note(column);
    }
  }
}

/** Give every slot its height, near those that it is linked with; the height of all. */
function spread(slots: ISlot[][], near: Near): number {
  const step = NODE.height + GAP.y;
  const y = new Map<string, number>();
  for (const column of slots) {
    column.forEach((slot, at) => {
      slot.y = (at - (column.length - 1) / 2) * step;
      y.set(slot.id, slot.y);
    });
  }
  for (let sweep = 0; sweep < SETTLINGS; sweep++) {
    for (const column of sweep % 2 ? [...slots].reverse() : slots) {
      settle(column, near, y, step);
    }
  }
  const all = slots.flat();
  const top = Math.min(...all.map(slot => slot.y));
  all.forEach(slot => (slot.y -= top));
  return Math.max(0, ...all.map(slot => slot.y)) + NODE.height;
}

/** Move the slots of a column to the middle of their neighbours, in their order. */
function settle(
  column: ISlot[],
  near: Near,
  y: Map<string, number>,
  step: number
): void {
  const wanted = column.map(slot => {
    const ids = [
      ...(near.before.get(slot.id) ?? []),
      ...(near.after.get(slot.id) ?? [])
    ];
    return ids.length ? mean(ids.map(id => y.get(id)!)) : slot.y;
  });
  // Blocks that touch move together, to the mean of what their slots want.
  const blocks: { first: number; count: number; top: number }[] = [];
  wanted.forEach((top, first) => {
    blocks.push({ first, count: 1, top });
    for (let at = blocks.length - 1; at > 0; at--) {
      const [above, block] = [blocks[at - 1], blocks[at]];
      if (above.top + above.count * step <= block.top) {
        break;
      }
      const count = above.count + block.count;
      const tops = wanted
        .slice(above.first, above.first + count)
        .map((want, index) => want - index * step);
      blocks.splice(at - 1, 2, { first: above.first, count, top: mean(tops) });
    }
  });
  for (const { first, count, top } of blocks) {
    for (let at = 0; at < count; at++) {
      column[first + at].y = top + at * step;
      y.set(column[first + at].id, column[first + at].y);
    }
  }
}

/** From the right edge of the first to the left edge of the last, level through what lies between. */
function waypoints(middles: [number, number][]): [number, number][] {
  const half = NODE.width / 2;
  return middles.flatMap(([x, y], at): [number, number][] => {
    const into: [number, number] = [x - half, y];
    const out: [number, number] = [x + half, y];
    return at === 0 ? [out] : at === middles.length - 1 ? [into] : [into, out];
  });
}

function mean(values: number[]): number {
  return values.reduce((sum, it) => sum + it, 0) / values.length;
}

/** What leads a Bézier curve to its next point, and that point. */
export type Curve = [number, number, number, number, number, number];

/** A smooth line through the points: level at each of them. */
export function curvesOf(points: [number, number][]): Curve[] {
  return points.slice(1).map(([x, y], at) => {
    const [lastX, lastY] = points[at];
    const half = (lastX + x) / 2;
    return [half, lastY, half, y, x, y];
  });
}

/** The same line as SVG draws it. */
export function pathOf(points: [number, number][]): string {
  const parts = curvesOf(points).map(curve => `C ${curve.join(' ')}`);
  return `M ${points[0].join(' ')} ${parts.join(' ')}`;
}
