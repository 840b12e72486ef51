import { lineDiff } from '../diff/lines';
import { masked } from '../diff/log';

/** The two texts that runs say. */
function texts(runs: ReturnType<typeof lineDiff>): [string[], string[]] {
  const of = (kinds: string[]) =>
    runs.flatMap(run => (kinds.includes(run.kind) ? run.lines : []));
  return [of(['same', 'removed']), of(['same', 'added'])];
}

/** How many lines are not the same. */
function edits(runs: ReturnType<typeof lineDiff>): number {
  return runs
    .filter(run => run.kind !== 'same')
    .reduce((sum, run) => sum + run.lines.length, 0);
}

it('finds the fewest lines that differ', () => {
  const runs = lineDiff([...'ABCABBA'], [...'CBABAC']);
  expect(texts(runs)).toEqual([[...'ABCABBA'], [...'CBABAC']]);
  expect(edits(runs)).toBe(5);
  expect(lineDiff(['a', 'b', 'c'], ['a', 'x', 'c'])).toEqual([
    { kind: 'same', left: 0, right: 0, lines: ['a'] },
    { kind: 'removed', left: 1, right: 1, lines: ['b'] },
    { kind: 'added', left: 2, right: 1, lines: ['x'] },
    { kind: 'same', left: 2, right: 2, lines: ['c'] }
  ]);
  expect(lineDiff([], [])).toEqual([]);
  expect(edits(lineDiff(['a'], ['a']))).toBe(0);
});

it('says both texts whatever they are, and says where each run begins', () => {
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return Math.floor((seed / 2147483648) * below);
  };
  for (let round = 0; round < 400; round++) {
    const text = () =>
      Array.from({ length: random(12) }, () => 'abc'[random(3)]);
    const [left, right] = [text(), text()];
    const runs = lineDiff(left, right);
    expect(texts(runs)).toEqual([left, right]);
    expect(edits(runs)).toBe(
      left.length + right.length - 2 * common(left, right)
    );
    let [x, y] = [0, 0];
    for (const run of runs) {
      expect([run.left, run.right]).toEqual([x, y]);
      x += run.kind === 'added' ? 0 : run.lines.length;
      y += run.kind === 'removed' ? 0 : run.lines.length;
    }
  }
});

it('takes lines as the same of which a key is', () => {
  expect(lineDiff(['a1', 'x', 'b1'], ['a2', 'b2'], it => it[0])).toEqual([
    { kind: 'same', left: 0, right: 0, lines: ['a1'] },
    { kind: 'removed', left: 1, right: 1, lines: ['x'] },
    { kind: 'same', left: 2, right: 1, lines: ['b1'] }
  ]);
  expect(masked('[11/22/2026 00:21:07 INFO 140156663733120] loss 0.5')).toBe(
    masked('[11/23/2026 01:21:09 INFO 139760293534592] loss 0.5')
  );
  expect(masked('loss 0.5')).not.toBe(masked('loss 0.6'));
});

it('does not look for long in texts that have nothing in common', () => {
  const many = (word: string) =>
    Array.from({ length: 20_000 }, (_, i) => word + i);
  const runs = lineDiff(['x', ...many('a'), 'z'], ['x', ...many('b'), 'z']);
  expect(runs.map(run => run.kind)).toEqual([
    'same',
    'removed',
    'added',
    'same'
  ]);
});

/** Length of the longest common subsequence, the slow way. */
function common(a: string[], b: string[]): number {
  const table = Array.from({ length: a.length + 1 }, () =>
    new Array<number>(b.length + 1).fill(0)
  );
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      table[i][j] =
        a[i] === b[j]
          ? table[i + 1][j + 1] + 1
          : Math.max(table[i + 1][j], table[i][j + 1]);
    }
  }
  return table[0][0];
}
