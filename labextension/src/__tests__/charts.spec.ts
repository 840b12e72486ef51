import { draw, framed, type ILine } from '../components/chart/drawing';
import { csv } from '../components/chart/frame';
import { nearest } from '../components/chart/hover';
import { Palette } from '../components/chart/palette';
import { SvgPen } from '../components/chart/pen';
import {
  placer,
  rescaled,
  roomy,
  ticks,
  valueAt
} from '../components/chart/scale';
import { along, band, halfWidth } from '../compare/charts/bands';
import { domainY, linesOf, styles } from '../compare/charts/lines';
import {
  ordered,
  prefixOf,
  reordered,
  sections
} from '../compare/charts/panels';
import { smoothed } from '../compare/charts/smooth';
import { components } from './components';

const floats = (...numbers: number[]) => Float64Array.from(numbers);

describe('scales', () => {
  it('place values and find them again', () => {
    for (const kind of ['linear', 'log'] as const) {
      const scale = { kind, domain: [0.1, 1000], pixels: [400, 0] } as const;
      for (const value of [0.1, 7, 999]) {
        expect(valueAt(scale, placer(scale)(value))).toBeCloseTo(value, 6);
      }
    }
  });

  it('have no place for what has no logarithm, and bounds for what is far', () => {
    const log = placer({ kind: 'log', domain: [1, 10], pixels: [0, 100] });
    expect(log(-1)).toBeNaN();
    const far = placer({ kind: 'linear', domain: [0, 1], pixels: [0, 100] });
    expect(far(1e308)).toBe(1e6);
    expect(far(NaN)).toBeNaN();
  });

  it('write round numbers that differ', () => {
    const written = (low: number, high: number, kind = 'linear') =>
      ticks(
        { kind: kind as 'log', domain: [low, high], pixels: [0, 1] },
        5
      ).map(({ label }) => label);
    expect(written(0, 1)).toEqual(['0.0', '0.2', '0.4', '0.6', '0.8', '1.0']);
    expect(written(1e-9, 3e-9)).toEqual([
      '1.0e-9',
      '1.5e-9',
      '2.0e-9',
      '2.5e-9',
      '3.0e-9'
    ]);
    expect(written(1, 1e6, 'log')).toEqual(['1', '100', '10,000', '1,000,000']);
    expect(written(0, 7200, 'duration')).toContain('30 min');
    for (const [low, high] of [
      [0, 1e308],
      [-1e-300, 1e-300],
      [5, 5]
    ]) {
      expect(new Set(written(low, high)).size).toBe(written(low, high).length);
    }
  });

  it('zoom about a place and keep it there', () => {
    expect(rescaled('linear', [0, 8], 2, 0.5)).toEqual([1, 5]);
    const [low, high] = rescaled('log', [1, 100], 10, 0.5);
    expect([low, high].map(Math.log10)).toEqual([0.5, 1.5]);
    expect(roomy('linear', Infinity, -Infinity)).toEqual([0, 1]);
    expect(roomy('log', 10, 10)).toEqual([5, 20]);
  });
});

describe('smoothing', () => {
  const x = floats(0, 1, 2, 3, 4);

  it('leaves a constant and what is no number', () => {
    for (const kind of ['ema', 'gaussian'] as const) {
      expect(smoothed(kind, x, floats(3, 3, 3, 3, 3), 0.9)[4]).toBeCloseTo(3);
      const holes = smoothed(kind, x, floats(1, NaN, 1, 1, Infinity), 0.5);
      expect(holes[1]).toBeNaN();
      expect(holes[2]).toBeCloseTo(1);
      expect(holes[4]).toBe(Infinity);
    }
    const same = floats(1, 2);
    expect(smoothed('ema', floats(0, 1), same, 0)).toBe(same);
  });

  it('forgets with the distance, not with the number of points', () => {
    const dense = Float64Array.from({ length: 1001 }, (_, at) => at);
    const step = dense.map(at => (at < 500 ? 0 : 1));
    const sparse = dense.filter((_, at) => at % 10 === 0);
    const weight = 0.96;
    const one = smoothed('ema', dense, step, weight)[700];
    const other = smoothed(
      'ema',
      sparse,
      sparse.map(at => (at < 500 ? 0 : 1)),
      weight
    )[70];
    expect(Math.abs(one - other)).toBeLessThan(0.02);
  });
});

describe('bands', () => {
  const curve = (...y: number[]) => ({
    x: Float64Array.from(y.keys()),
    y: Float64Array.from(y)
  });

  it('have a mean with an interval and the number of curves', () => {
    const found = band([curve(1, 2, 3), curve(3, 4)], 'interval', 10);
    expect([...found.mean]).toEqual([2, 3, 3]);
    expect([...found.counts]).toEqual([2, 2, 1]);
    // Of two values 2 apart the standard error is 1.
    expect(found.high[0]).toBeCloseTo(2 + 12.706);
    expect(found.high[2]).toBe(3);
  });

  it('go from the least to the greatest that was there', () => {
    const parts = { ...curve(1, 1), low: floats(-5, 0), high: floats(1, 9) };
    const found = band([parts, curve(2, 2)], 'range', 10);
    expect([...found.low]).toEqual([-5, 0]);
    expect([...found.high]).toEqual([2, 9]);
  });

  it('read curves between their points and not beyond', () => {
    expect([
      ...along(floats(0, 10), floats(0, 1), floats(-1, 5, 10, 11))
    ]).toEqual([NaN, 0.5, 1, NaN]);
    expect(
      halfWidth(
        Array.from({ length: 41 }, (_, at) => at % 2),
        20 / 41
      )
    ).toBeCloseTo(0.1597, 3);
  });
});

describe('panels', () => {
  it('stand in sections by what their metrics begin with', () => {
    expect(
      ['train/loss', 'a/b/c', 'validation:auc', 'loss', '/x'].map(prefixOf)
    ).toEqual(['train', 'a/b', 'validation', '', '']);
    const found = sections(
      ['train/loss', 'loss', 'train/auc'],
      { removed: ['loss'] },
      null
    );
    expect(found.map(({ title, panels }) => [title, panels.length])).toEqual([
      ['train', 2]
    ]);
  });

  it('keep the order they were given, and have a panel a group', () => {
    expect(ordered(['a', 'b', 'c'], ['c'])).toEqual(['c', 'a', 'b']);
    expect(reordered(['a', 'b', 'c'], 'c', 'a')).toEqual(['c', 'a', 'b']);
    const [{ panels }] = sections(['loss'], {}, ['3', '5']);
    expect(panels.map(({ title }) => title)).toEqual(['loss · 3', 'loss · 5']);
  });
});

describe('lines', () => {
  const some = components({ 'param.depth': [3, 5, 3] });
  const part = (component: string, y: number[], complete = true) => ({
    component,
    x: Float64Array.from(y.keys()),
    mean: Float64Array.from(y),
    low: Float64Array.from(y, it => it - 1),
    high: Float64Array.from(y, it => it + 1),
    total: y.length,
    complete
  });
  const parts = new Map(
    [part('a', [1, 2]), part('b', [3, 4], false), part('c', [3, 2])].map(it => [
      it.component,
      it
    ])
  );
  const spec = { axis: 'Step', range: null, points: 10 } as const;
  const panel = { id: 'm', title: 'm', metrics: ['m'] };
  const looks = (settings: object) =>
    styles(
      some,
      settings,
      new Map([
        ['a', 'red'],
        ['b', 'green'],
        ['c', 'blue']
      ]),
      new Palette()
    );

  it('have an envelope only where a point stands for several values', () => {
    const lines = linesOf(panel, looks({}), () => ({ spec, parts }), {});
    expect(lines.map(({ color, low }) => [color, !!low])).toEqual([
      ['red', false],
      ['green', true],
      ['blue', false]
    ]);
  });

  it('tell of what has failed', () => {
    const statuses = ['Completed', 'Failed', 'Completed'];
    const failed = styles({ ...some, statuses }, {}, new Map(), new Palette());
    const lines = linesOf(panel, failed, () => ({ spec, parts }), {});
    expect(lines.map(line => line.failed)).toEqual([false, true, false]);
  });

  it('become one with a band a group', () => {
    const settings = { colorBy: 'param.depth', band: 'range' } as const;
    const lines = linesOf(
      panel,
      looks(settings),
      () => ({ spec, parts }),
      settings
    );
    expect(lines.map(({ label }) => label)).toEqual([
      'param.depth = 3 (2)',
      'param.depth = 5 (1)'
    ]);
    expect([...lines[0].y]).toEqual([2, 2]);
    expect(lines[0].spread).toBe('area');
  });

  it('keep the raw values behind smoothed ones', () => {
    const [line] = linesOf(panel, looks({}), () => ({ spec, parts }), {
      strength: 0.99
    });
    expect([...line.raw!]).toEqual([1, 2]);
    expect(line.y[1]).toBeLessThan(2);
  });

  it('say how many points outliers cut leaves outside', () => {
    const y = [...Array.from({ length: 99 }, (_, at) => at / 100), 1000];
    const line = {
      ...part('a', y),
      y: Float64Array.from(y),
      low: undefined,
      high: undefined
    };
    const found = domainY([line as any], 'linear', 1, null);
    expect(found.domain[1]).toBeLessThan(2);
    expect([found.outside, found.all]).toEqual([1, 100]);
    expect(domainY([line as any], 'linear', 0, null).domain[1]).toBeGreaterThan(
      999
    );
    expect(domainY([line as any], 'linear', 0, [0, 9]).domain[1]).toBeLessThan(
      0.1
    );
  });
});

describe('the palette', () => {
  it('gives eight names eight colours, and the same ones tomorrow', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const places = new Palette().places(names);
    expect(new Set(places.map(place => place % 8)).size).toBe(8);
    expect(new Palette().places([...names].reverse()).reverse()).toEqual(
      places
    );
    const palette = new Palette();
    palette.places(['c']);
    const [kept] = palette.places(['c']);
    palette.places(['x', 'y']);
    expect(palette.places(['c'])).toEqual([kept]);
  });
});

describe('pictures and tables', () => {
  it('hold names as text', () => {
    const pen = new SvgPen();
    pen.save();
    pen.rect(0, 0, 5, 5);
    pen.clip();
    pen.fillText('</text><script>alert(1)</script>\u0000', 1, 2);
    pen.restore();
    const svg = pen.svg(10, 10, '#fff');
    const parsed = new DOMParser().parseFromString(svg, 'image/svg+xml');
    expect(parsed.querySelector('parsererror')).toBeNull();
    expect(parsed.querySelector('script')).toBeNull();
    expect(parsed.querySelector('text')!.textContent).toContain('<script>');
  });

  /** Lines as an SVG, 100 x 100 pixels, x and y from -1 to 2. */
  const drawnOf = (lines: readonly ILine[]) => {
    const pen = new SvgPen();
    const scale = {
      kind: 'linear' as const,
      domain: [-1, 2] as [number, number]
    };
    const frame = framed(100, 100, scale, false);
    const { left, right, top, bottom } = frame;
    const x = { ...scale, pixels: [left, right] as const };
    const y = { ...scale, pixels: [bottom, top] as const };
    const look = {
      text: '',
      faint: '',
      grid: '',
      font: '',
      ground: '',
      ratio: 1
    };
    draw(pen, { lines, x, y, xTitle: '', yTitle: '' }, frame, look);
    return pen.svg(100, 100, '#fff');
  };
  const plain = { key: '', label: '', color: 'red', dash: [] };

  it('show a point that is alone, also in the midst of many lines', () => {
    const line = { ...plain, x: floats(0), y: floats(1) };
    const drawn = drawnOf(Array.from({ length: 50 }, () => line));
    expect(drawn.match(/fill="red"/g)).toHaveLength(50);
  });

  it('leave gaps for what is not finite, with a mark each, and a cross where a run failed', () => {
    const x = Float64Array.from({ length: 60 }, (_, at) => at / 60);
    const marks = (y: Float64Array, more = {}) => {
      const drawn = drawnOf([{ ...plain, x, y, ...more }]);
      expect(drawn).not.toMatch(/NaN|1000000/);
      const count = (pattern: RegExp) => drawn.match(pattern)?.length ?? 0;
      return [count(/fill="red"/g), count(/stroke="red"/g)];
    };
    const whole = x.map(() => 1);
    const [fills, strokes] = marks(whole);
    const odd = whole.slice();
    odd.fill(NaN, 5, 9);
    odd[20] = Infinity;
    odd[30] = -Infinity;
    expect(marks(odd)).toEqual([fills + 2, strokes + 1]);
    expect(marks(odd, { spread: 'area' })).toEqual([fills, strokes]);
    expect(marks(whole, { failed: true })).toEqual([fills, strokes + 1]);
    expect(
      marks(
        x.map(() => NaN),
        { failed: true }
      )
    ).toEqual([0, strokes + 1]);
  });

  it('are quoted as RFC 4180 has it', () => {
    const columns = ['a,b', 'c'];
    expect(
      csv({
        columns,
        rows: [
          ['say "x"', 0.1],
          [null, 1e-300]
        ]
      })
    ).toBe('"a,b",c\r\n"say ""x""",0.1\r\n,1e-300\r\n');
  });

  it('find what is pointed at', () => {
    expect([-5, 0.4, 0.6, 9].map(x => nearest(floats(0, 1, 2), x))).toEqual([
      0, 0, 1, 2
    ]);
    expect(nearest(floats(), 1)).toBe(-1);
  });
});
