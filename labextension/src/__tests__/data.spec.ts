import { nullTranslator } from '@jupyterlab/translation';

import { painted, scaled } from '../components/chart/paint';
import { percent, probability } from '../components/format';
import { answerOf, ask } from '../core/answers';
import { isWhole, opsOf, shown, told, typed } from '../data/conditions';
import { changed, redone, undone } from '../core/history';
import { chartOfTwo, lacking, placed, trimmed } from '../data/kinds';
import { ProfileModel } from '../data/profile';
import { nameOf, sourceOf } from '../data/state';
import { column, facts, finding, ndjson, part } from './datasets';
import { fakeStudio } from './studio';

const trans = nullTranslator.load('jupyter_ml_studio');
const source = { path: 'flowers.csv' };
const signal = () => new AbortController().signal;

describe('answers of the worker', () => {
  it('come part by part, those of progress apart', async () => {
    const { client, asked } = fakeStudio({
      'data/rows': () =>
        ndjson({ progress: 0.5, doing: 'reading' }, { data: facts, rows: [] })
    });
    const seen: number[] = [];
    const answer = await answerOf(
      client,
      'rows',
      { source },
      signal(),
      ({ progress }) => seen.push(progress)
    );
    expect(answer.data.name).toBe('flowers.csv');
    expect(seen).toEqual([0.5]);
    expect(asked).toEqual([['data/rows', { source }]]);
  });

  it('raise the error of the worker under its code', async () => {
    const { client } = fakeStudio({
      'data/rows': () =>
        new Response(
          '{"id":"1","error":{"code":"NotFound","message":"There is no x."},"final":true}\n'
        )
    });
    await expect(
      answerOf(client, 'rows', { source }, signal())
    ).rejects.toMatchObject({ code: 'NotFound', message: 'There is no x.' });
  });

  it('that break off are an error, too', async () => {
    const { client } = fakeStudio({
      'data/profile': () =>
        new Response(`{"id":"1","part":${JSON.stringify(part({}))}}\n`)
    });
    const read = async () => {
      const parts = ask(client, 'profile', { source }, signal());
      while (!(await parts.next()).done) {
        // every part is welcome
      }
    };
    await expect(read()).rejects.toMatchObject({ code: 'Interrupted' });
  });
});

describe('ProfileModel', () => {
  it('has the sample first, then each column as it becomes exact', async () => {
    const rough = [
      column('a', 0, { exact: false }),
      column('b', 1, { exact: false })
    ];
    const { client } = fakeStudio({
      'data/profile': () =>
        ndjson(
          { progress: 0.1, doing: 'reading' },
          part({
            columns: rough,
            findings: [finding],
            definitions: { a: 'x' }
          }),
          part({
            phase: 'full',
            progress: 0.5,
            columns: [column('b', 1, { mean: 7 })],
            findings: null
          }),
          part({
            phase: 'full',
            progress: 1,
            columns: [column('a', 0)],
            findings: []
          })
        )
    });
    const model = new ProfileModel(client, source);
    const seen: string[] = [];
    model.changed.connect(() =>
      seen.push(
        `${model.progress.progress} ${model.columns.map(each => each.exact)} ${model.findings.length}`
      )
    );
    await model.run();
    expect(seen).toEqual([
      '0  0',
      '0.1  0',
      '0.1 false,false 1',
      '0.5 false,true 1',
      '1 true,true 0',
      '1 true,true 0'
    ]);
    expect(model.running).toBe(false);
    expect(model.column('b')?.mean).toBe(7);
    expect(model.column('c')).toBeUndefined();
    expect(model.definitions).toEqual({ a: 'x' });
  });

  it('keeps columns in their places when they come in another order', async () => {
    const { client } = fakeStudio({
      'data/profile': () =>
        ndjson(
          part({ phase: 'full', columns: [column('b', 1)] }),
          part({ phase: 'full', columns: [column('a', 0)] })
        )
    });
    const model = new ProfileModel(client, source);
    await model.run();
    expect(model.columns.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it('keeps what it knows when the worker fails', async () => {
    let count = 0;
    const { client } = fakeStudio({
      'data/profile': () =>
        count++
          ? ndjson()
          : ndjson(part({ columns: [column('a', 0)], progress: 1 }))
    });
    const model = new ProfileModel(client, source);
    await model.run();
    await model.run('a');
    expect(model.error).toMatchObject({ code: 'Interrupted' });
    expect(model.columns).toHaveLength(1);
  });

  it('listens only to the last question', async () => {
    const answer = (target: string | null) =>
      ndjson(part({ columns: [column(target ?? 'none', 0)], progress: 1 }));
    const late = async (target: string | null) => {
      await new Promise(resolve => setTimeout(resolve, 100));
      return answer(target);
    };
    const { client, asked } = fakeStudio({
      'data/profile': ({ target }) => (target ? answer(target) : late(target))
    });
    const model = new ProfileModel(client, source);
    await Promise.all([model.run(), model.run('price')]);
    expect(asked.map(([, body]) => body.target)).toEqual([null, 'price']);
    expect(model.columns.map(({ name }) => name)).toEqual(['price']);
    model.dispose();
    model.dispose();
  });
});

describe('charts', () => {
  const number = column('n', 0);
  const time = column('t', 1, { type: 'datetime', semantic: 'datetime' });
  const few = column('c', 2, { type: 'text', semantic: 'category' });

  it('keep what their kind has a place for', () => {
    const spec = { kind: 'histogram' as const, x: 'a', y: 'b', bins: 3 };
    expect(trimmed(spec)).toEqual({ kind: 'histogram', x: 'a', bins: 3 });
    expect(trimmed({ ...spec, kind: 'scatter' })).toEqual({
      kind: 'scatter',
      x: 'a',
      y: 'b'
    });
    expect(trimmed({ kind: 'pair', columns: [...'abcdefgh'], x: 'a' })).toEqual(
      { kind: 'pair', columns: [...'abcdef'] }
    );
  });

  it('say what they lack', () => {
    expect(lacking({ kind: 'scatter', x: 'a' })).toBe('y');
    expect(lacking({ kind: 'scatter', x: 'a', y: 'b' })).toBeNull();
    expect(lacking({ kind: 'pair' })).toBeNull();
    expect(lacking({ kind: 'pair', columns: ['a'] })).toBe('columns');
  });

  it('take columns where they fit', () => {
    let spec = placed({ kind: 'scatter' }, number);
    spec = placed(spec, number);
    expect(spec).toEqual({ kind: 'scatter', x: 'n', y: 'n' });
    // A number is no colour; the next free place is taken.
    expect(placed(spec, number).facet).toBe('n');
    expect(placed(spec, few).color).toBe('c');
    spec = placed({ kind: 'pair' }, number);
    expect(spec.columns).toEqual(['n']);
    expect(placed(spec, number).columns).toEqual([]);
  });

  it('suit the types of two columns', () => {
    expect(chartOfTwo(number, number).kind).toBe('regression');
    expect(chartOfTwo(time, number).kind).toBe('timeseries');
    expect(chartOfTwo(number, few)).toEqual({ kind: 'box', x: 'c', y: 'n' });
    expect(chartOfTwo(few, number)).toEqual({ kind: 'box', x: 'c', y: 'n' });
    expect(chartOfTwo(few, few).kind).toBe('heatmap');
  });

  it('go back and forward', () => {
    const start = changed(changed({ past: [], future: [] }, 1), 2);
    const [two, back] = undone(start, 3)!;
    const [one, further] = undone(back, two)!;
    expect([two, one]).toEqual([2, 1]);
    expect(undone(further, one)).toBeNull();
    expect(redone(further, one)![0]).toBe(2);
    // A new change forgets what was undone.
    expect(redone(changed(further, one), 9)).toBeNull();
  });
});

describe('conditions', () => {
  it('take what is typed as the type of the column has it', () => {
    expect(typed(['3.5'], 'greater', 'float')).toBe(3.5);
    expect(typed(['x'], 'greater', 'float')).toBeNull();
    expect(typed([''], 'equals', 'text')).toBeNull();
    expect(typed(['1', '2'], 'between', 'integer')).toEqual([1, 2]);
    expect(typed(['1'], 'between', 'integer')).toBeNull();
    expect(typed(['a, b ,'], 'in', 'text')).toEqual(['a', 'b']);
    expect(typed(['false'], 'equals', 'boolean')).toBe(false);
    expect(typed([], 'missing', 'float')).toBeUndefined();
  });

  it('are shown as they were typed, and told in words', () => {
    expect(shown({ op: 'in', value: ['a', 'b'] })).toEqual(['a, b']);
    expect(shown({ op: 'between', value: [1, 2] })).toEqual(['1', '2']);
    expect(told({ op: 'at_least', column: 'age', value: 18 }, trans)).toBe(
      'age ≥ 18'
    );
    expect(isWhole({ op: 'equals', column: 'a', value: null })).toBe(false);
    expect(isWhole({ op: 'duplicated' })).toBe(true);
  });

  it('can only be asked where they make sense', () => {
    expect(opsOf('float')).toContain('infinite');
    expect(opsOf('integer')).not.toContain('infinite');
    expect(opsOf('text')).not.toContain('less');
  });
});

describe('paint', () => {
  const trace = { type: 'bar', meta: { color: 1, dash: 'dash' } };

  it('gives groups a colour, and what tells them apart without', () => {
    const [bar, plain] = painted(document.body, [
      trace,
      { type: 'scatter' }
    ]) as any[];
    expect(bar.marker.color).toMatch(/^#/);
    expect(bar.marker.pattern.shape).toBe('/');
    expect(plain).toEqual({ type: 'scatter' });
    const [line] = painted(document.body, [
      { type: 'scatter', meta: { color: 0, dash: 'dot', symbol: 'square' } }
    ]) as any[];
    expect(line.line.dash).toBe('dot');
    expect(line.marker.symbol).toBe('square');
  });

  it('follows the theme', () => {
    const light = (painted(document.body, [trace]) as any[])[0].marker.color;
    document.body.dataset['jpThemeLight'] = 'false';
    const dark = (painted(document.body, [trace]) as any[])[0].marker.color;
    delete document.body.dataset['jpThemeLight'];
    expect(dark).not.toBe(light);
  });

  it('scales colours only where the layout asks for it', () => {
    expect(scaled(document.body, [], {})).toEqual({});
    const layout = { meta: { scale: 'diverging' }, coloraxis: { cmin: -1 } };
    const { coloraxis } = scaled(
      document.body,
      [{ type: 'heatmap' }],
      layout
    ) as any;
    expect(coloraxis.cmin).toBe(-1);
    expect(coloraxis.colorscale).toHaveLength(5);
  });
});

test('words for figures', () => {
  expect(percent(0)).toBe('0 %');
  expect(percent(0.0294)).toBe('2.9 %');
  expect(percent(0.00001)).toBe('< 0.1 %');
  expect(percent(0.99999)).toBe('> 99.9 %');
  expect(percent(1)).toBe('100 %');
  expect(probability(0)).toBe('< 0.0001');
  expect(probability(0.0312)).toBe('0.0312');
});

test('what a page is about', () => {
  expect(sourceOf({})).toBeNull();
  expect(sourceOf({ path: 'a', read: { header: false } })).toEqual({
    path: 'a',
    header: false
  });
  expect(nameOf({ uri: 's3://bucket/2026/sales/' })).toBe('sales');
});
