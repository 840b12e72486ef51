import { Palette } from '../../components/chart/palette';
import { components } from '../../__tests__/components';
import { axisOf, caught, nearestLine } from '../parallel/axes';
import { bound, boundFields, specOf } from '../scatter/custom';
import { figure } from '../scatter/figures';

describe('parallel axes', () => {
  const some = components({
    'param.depth': [3, 5, 7, undefined],
    'param.kind': ['b', 'a', 'b', 'c10'],
    'metric.auc': [0.1, 1, 10, -1]
  });

  it('place numbers, texts and logarithms, flipped too', () => {
    const depth = axisOf(some, { field: 'param.depth' }, 8);
    expect([...depth.shares]).toEqual([0, 0.5, 1, NaN]);
    expect(depth.missing).toBe(1);
    expect(depth.ticks.map(({ label }) => label)).toEqual([
      '3',
      '4',
      '5',
      '6',
      '7'
    ]);
    const kind = axisOf(some, { field: 'param.kind' }, 8);
    expect(kind.ticks.map(({ label }) => label)).toEqual(['a', 'b', 'c10']);
    const auc = axisOf(
      some,
      { field: 'metric.auc', log: true, flipped: true },
      8
    );
    expect([...auc.shares].map(it => Math.round(it * 10) / 10)).toEqual([
      1,
      0.5,
      0,
      NaN
    ]);
  });

  it('catch what is within all brushes, and say it as a query', () => {
    const axes = ['param.depth', 'param.kind'].map(field =>
      axisOf(some, { field }, 8)
    );
    expect(caught(axes, {})).toBeNull();
    expect(caught(axes, { 'param.depth': [0.4, 1] })).toEqual([1, 2]);
    expect(
      caught(axes, { 'param.depth': [0.4, 1], 'param.kind': [0.4, 0.6] })
    ).toEqual([2]);
    expect(axes[0].condition([0.5, 1])).toBe(
      'param.depth >= 5 and param.depth <= 7'
    );
    expect(axes[1].condition([0.3, 1])).toBe('param.kind in ["b", "c10"]');
  });

  it('know the line next to the pointer', () => {
    const axes = ['param.depth', 'metric.auc'].map(field =>
      axisOf(some, { field }, 8)
    );
    const height = (share: number) => 100 - 100 * share;
    expect(nearestLine(axes, [0, 100], height, [50, 20], 40)).toBe(2);
    expect(nearestLine(axes, [0, 100], height, [50, 500], 6)).toBe(-1);
  });
});

describe('charts of fields', () => {
  const some = components({
    'param.depth': [3, 5, 7, undefined],
    'param.kind': ['<b>', 'a', '<b>', 'a'],
    'metric.auc': [1, 2, 3, 4]
  });
  const drawn = (chart: object) =>
    figure(
      { id: '', kind: 'scatter', ...chart },
      some,
      new Palette(),
      new Set(['b'])
    );

  it('draw those that have both values, and name them as text', () => {
    const found = drawn({
      x: 'param.depth',
      y: 'metric.auc',
      color: 'param.kind'
    });
    expect([found.drawn, found.missing]).toEqual([3, 1]);
    expect(found.data.map((trace: any) => trace.name).sort()).toEqual([
      '&lt;b>',
      'a'
    ]);
    const [first] = found.data as any[];
    expect(first.text[0]).toBe('Run &lt;a>');
    expect(first.selectedpoints).toEqual([]);
  });

  it('have means of groups with their interval', () => {
    const found = drawn({ kind: 'bar', x: 'param.kind', y: 'metric.auc' });
    const bars = Object.fromEntries(found.data.map((it: any) => [it.name, it]));
    expect(bars['a'].y).toEqual([3]);
    expect(bars['a'].error_y.array[0]).toBeCloseTo(12.706);
  });

  it('have means of cells, of which many are empty', () => {
    const found = drawn({
      kind: 'heatmap',
      x: 'param.depth',
      y: 'param.kind',
      z: 'metric.auc'
    });
    const [map] = found.data as any[];
    expect(map.x).toEqual([3, 5, 7]);
    expect(
      map.z
        .flat()
        .filter((it: number | null) => it !== null)
        .sort()
    ).toEqual([1, 2, 3]);
  });

  it('of one own hold nothing but data', () => {
    const spec = (data: object, layout = {}) =>
      specOf(JSON.stringify({ data: [data], layout }));
    const good = spec({
      type: 'bar',
      x: '=param.kind',
      y: '=metric.auc',
      name: '<a href="x">'
    });
    expect(boundFields(good.spec!)).toEqual(['param.kind', 'metric.auc']);
    const [trace] = bound(good.spec!, some).data as any[];
    expect(trace.x).toEqual(['&lt;b>', 'a', '&lt;b>', 'a']);
    expect(trace.name).toBe('&lt;a href="x">');
    expect(specOf('{').problem).toContain('JSON');
    expect(spec({ type: 'scattergl' }).problem).toContain('data[0].type');
    expect(spec({}, { images: [{ source: 'http://x' }] }).problem).toContain(
      'layout.images'
    );
    expect(specOf('{"data":[]}').problem).toContain('data');
  });
});
