/** A run of lines: in both texts, only in the first, or only in the second. */
export interface IRun {
  kind: 'same' | 'removed' | 'added';
  /** Number of its first line in the first and the second text, from 0. */
  left: number;
  right: number;
  lines: string[];
}

/** More edits than this are not looked for one by one: the texts are said to be different there. */
const MOST_EDITS = 1500;

/**
 * What makes the second text of the first, in the fewest lines (Myers' algorithm).
 *
 * Where the texts have hardly anything in common, all that lies between their common beginning and
 * end is one removal and one addition. Lines of which `key` makes the same are the same; they are
 * shown as in the first text.
 */
export function lineDiff(
  before: string[],
  after: string[],
  key: (line: string) => string = line => line
): IRun[] {
  const left = before.map(key);
  const right = after.map(key);
  let head = 0;
  while (
    head < Math.min(left.length, right.length) &&
    left[head] === right[head]
  ) {
    head++;
  }
  let tail = 0;
  while (
    tail < Math.min(left.length, right.length) - head &&
    left[left.length - 1 - tail] === right[right.length - 1 - tail]
  ) {
    tail++;
  }
  const a = left.slice(head, left.length - tail);
  const b = right.slice(head, right.length - tail);
  const runs: IRun[] = [];
  const put = (kind: IRun['kind'], x: number, y: number, lines: string[]) => {
    const last = runs.at(-1);
    if (last?.kind === kind) {
      last.lines.push(...lines);
    } else if (lines.length) {
      runs.push({ kind, left: x, right: y, lines: [...lines] });
    }
  };
  put('same', 0, 0, before.slice(0, head));
  const path = edits(a, b);
  if (path) {
    for (const [kind, x, y] of path) {
      const line = kind === 'added' ? after[head + y] : before[head + x];
      put(kind, head + x, head + y, [line]);
    }
  } else {
    put('removed', head, head, before.slice(head, head + a.length));
    put('added', head + a.length, head, after.slice(head, head + b.length));
  }
  put(
    'same',
    left.length - tail,
    right.length - tail,
    before.slice(left.length - tail)
  );
  return runs;
}

/** Line by line what is kept, removed and added; null when that is too much. */
function edits(
  a: string[],
  b: string[]
): [IRun['kind'], number, number][] | null {
  const size = Math.min(a.length + b.length, MOST_EDITS);
  const reach = new Int32Array(2 * size + 3);
  const trace: Int32Array[] = [];
  for (let d = 0; d <= size; d++) {
    trace.push(reach.slice(size - d, size + d + 3));
    for (let k = -d; k <= d; k += 2) {
      const down =
        k === -d || (k !== d && reach[size + k] < reach[size + k + 2]);
      let x = down ? reach[size + k + 2] : reach[size + k] + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) {
        x++;
      }
      reach[size + k + 1] = x;
      if (x >= a.length && x - k >= b.length) {
        return walked(trace, a.length, b.length);
      }
    }
  }
  return null;
}

/** The way back through what each number of edits reached. */
function walked(
  trace: Int32Array[],
  width: number,
  height: number
): [IRun['kind'], number, number][] {
  const path: [IRun['kind'], number, number][] = [];
  let [x, y] = [width, height];
  for (let d = trace.length - 1; d >= 0; d--) {
    const reach = trace[d];
    const k = x - y;
    // `reach` holds diagonals -d-1 … d+1.
    const at = (diagonal: number) => reach[diagonal + d + 1];
    const down = k === -d || (k !== d && at(k - 1) < at(k + 1));
    const before = down ? k + 1 : k - 1;
    const startX = d ? at(before) : 0;
    const startY = d ? startX - before : 0;
    while (
      x > startX &&
      y > startY &&
      (d === 0 || x > (down ? startX : startX + 1))
    ) {
      path.push(['same', --x, --y]);
    }
    if (d === 0) {
      break;
    }
    if (down) {
      path.push(['added', x, --y]);
    } else {
      path.push(['removed', --x, y]);
    }
  }
  return path.reverse();
}
