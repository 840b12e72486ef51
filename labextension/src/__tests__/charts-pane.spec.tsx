import {
  act,
  fireEvent,
  screen,
  waitFor,
  within
} from '@testing-library/react';
import React from 'react';

import ChartsPane from '../compare/charts';
import { SeriesLoader } from '../compare/charts/loader';
import { FieldPicker, nameIn } from '../compare/fields';
import { ViewContext } from '../compare/hooks';
import ParallelPane from '../compare/parallel';
import { COMPONENT } from '../compare/rows';
import ScatterPane from '../compare/scatter';
import { ViewStore } from '../compare/store';
import { type Answers, fakeStudio, renderIn, sized } from './studio';

beforeAll(() => {
  sized();
  // jsdom draws nothing, and says so each time.
  HTMLCanvasElement.prototype.getContext = () => null;
});

const encoded = (array: { buffer: ArrayBufferLike }) =>
  btoa(String.fromCharCode(...new Uint8Array(array.buffer)));
const floats = (...numbers: number[]) => encoded(Float64Array.from(numbers));

const NAMES = ['a', 'b', 'c'];
const COLUMNS: Record<string, (number | string)[]> = {
  'param.depth': [3, 5, 7],
  'metric.loss': [0.5, 0.2, 0.1],
  'tag.team': ['<i>risk</i>', 'ads', 'ads']
};

/** A server with three components; `length` values of each series. */
function answers(length: { now: number }): Answers {
  const field = (Field: string, Name: string, Kind: string, Type: string) => ({
    Field,
    Name,
    Kind,
    Type,
    Components: 3
  });
  const fields = [
    field('metric.loss', 'loss', 'metric', 'Number'),
    field('param.depth', 'depth', 'parameter', 'Number'),
    field('tag.team', 'team', 'tag', 'Text')
  ];
  return {
    'aws/studio/QueryTrialComponents': ({ Fields }) => ({
      Total: 9,
      Matched: 9,
      Names: NAMES,
      Arns: NAMES,
      DisplayNames: ['<b>one</b>', '', ''],
      Statuses: NAMES.map(() => 'InProgress'),
      Warnings: [],
      Columns: Fields.map((name: string) => {
        const values = COLUMNS[name] ?? [];
        const texts = [...new Set(values.filter(it => typeof it === 'string'))];
        return texts.length
          ? {
              Field: name,
              Texts: texts,
              Codes: encoded(
                Int32Array.from(values, it => texts.indexOf(it as string))
              )
            }
          : values.length
            ? { Field: name, Numbers: floats(...(values as number[])) }
            : { Field: name };
      })
    }),
    'aws/studio/ListTrialComponentFields': ({ Kinds }) => {
      const found = fields.filter(({ Kind }) => Kinds.includes(Kind));
      return { Total: found.length, Fields: found };
    },
    'aws/studio/GetTrialComponentSeries': ({
      TrialComponentNames,
      MetricNames
    }) => ({
      Series: TrialComponentNames.flatMap((name: string) =>
        MetricNames.map((metric: string) => {
          const steps = Array.from({ length: length.now }, (_, at) => at);
          const column = floats(...steps.map(at => at / 2));
          return {
            TrialComponentName: name,
            MetricName: metric,
            X: floats(...steps),
            Minima: column,
            Means: column,
            Maxima: column,
            Total: length.now,
            Complete: true
          };
        })
      )
    }),
    'aws/studio/RankParameters': () => ({
      Method: 'Permutation importance',
      Components: 3,
      Matched: 9,
      Parameters: [
        { Field: 'param.depth', Name: 'depth', Importance: 1, Correlation: -1 }
      ],
      Left: 0
    })
  };
}

function shown(pane: React.ReactElement, length = { now: 5 }) {
  const studio = fakeStudio(answers(length));
  const store = new ViewStore();
  const { unmount } = renderIn(
    studio,
    <ViewContext.Provider value={store}>{pane}</ViewContext.Provider>
  );
  return { studio, store, unmount };
}

const series = (asked: [string, any][]) =>
  asked
    .filter(([route]) => route.endsWith('GetTrialComponentSeries'))
    .map(([, body]) => body);

describe('the choice of a field', () => {
  it('takes what is typed faster than the fields come, also as a query writes it', async () => {
    const chosen = jest.fn();
    const picker = (
      <FieldPicker
        label="Colour"
        kinds={['parameter']}
        value={undefined}
        onChange={chosen}
      />
    );
    const { studio } = shown(picker);
    const box = screen.getByLabelText('Colour');
    fireEvent.focus(box);
    fireEvent.change(box, { target: { value: 'param.dep' } });
    fireEvent.change(box, { target: { value: 'param.depth' } });
    fireEvent.keyDown(box, { key: 'Enter' });
    expect(chosen).not.toHaveBeenCalled();
    await waitFor(() => expect(chosen).toHaveBeenCalledWith('param.depth'));
    expect(studio.asked.at(-1)![1].Contains).toBe('depth');
    fireEvent.change(box, { target: { value: 'param.no' } });
    fireEvent.keyDown(box, { key: 'Enter' });
    await waitFor(() => expect((box as HTMLInputElement).value).toBe(''));
    expect(chosen).toHaveBeenCalledTimes(1);
    expect(nameIn('metric["val/loss"]')).toBe('val/loss');
    expect(nameIn('metrics')).toBe('metrics');
  });
});

describe('the loader of series', () => {
  const spec = { axis: 'Step', range: null, points: 100 } as const;

  it('keeps what is drawn until the next is there, and follows what has new values', async () => {
    const length = { now: 2 };
    const studio = fakeStudio(answers(length));
    const loader = new SeriesLoader(studio.client, studio.feed);
    loader.ask(spec, NAMES);
    const over = loader.want('loss');
    await waitFor(() => expect(loader.series('loss')?.parts.size).toBe(3));
    length.now = 4;
    studio.emit({ type: 'metrics', Kind: COMPONENT, Name: 'b' });
    studio.emit({ type: 'metrics', Kind: COMPONENT, Name: 'elsewhere' });
    studio.emit({ type: 'metrics', Kind: 'training-job', Name: 'a' });
    await waitFor(() =>
      expect(loader.series('loss')!.parts.get('b')!.total).toBe(4)
    );
    expect(loader.series('loss')!.parts.get('a')!.total).toBe(2);
    expect(series(studio.asked).map(body => body.TrialComponentNames)).toEqual([
      NAMES,
      ['b']
    ]);
    loader.ask({ ...spec, range: [1, 2] }, NAMES);
    expect(loader.series('loss')!.spec.range).toBeNull();
    await waitFor(() =>
      expect(loader.series('loss')!.spec.range).toEqual([1, 2])
    );
    expect(series(studio.asked).at(-1)).toMatchObject({
      Start: 1,
      End: 2,
      MaxPoints: 100
    });
    over();
    studio.emit({ type: 'reset' });
    await new Promise(done => setTimeout(done, 400));
    expect(series(studio.asked)).toHaveLength(3);
    loader.dispose();
  });

  it('says what went wrong, and asks again when it is told to', async () => {
    const studio = fakeStudio({});
    const loader = new SeriesLoader(studio.client, studio.feed);
    loader.ask(spec, NAMES);
    loader.want('loss');
    await waitFor(() => expect(loader.error).toBeTruthy());
    loader.refresh();
    await waitFor(() => expect(series(studio.asked)).toHaveLength(2));
    loader.dispose();
  });
});

describe('the pane of charts', () => {
  it('draws a chart a metric, names as text, and keeps its canvas while points come', async () => {
    const length = { now: 5 };
    const { studio } = shown(<ChartsPane />, length);
    const chart = await screen.findByRole('application', {
      name: /loss against Step/
    });
    expect(chart.getAttribute('aria-label')).toContain(
      '<b>one</b>: the last 2'
    );
    screen.getByText(/3 of 9 components/);
    length.now = 7;
    act(() => studio.emit({ type: 'metrics', Kind: COMPONENT, Name: 'a' }));
    await waitFor(() =>
      expect(chart.getAttribute('aria-label')).toContain(
        '<b>one</b>: the last 3'
      )
    );
    expect(screen.getByRole('application')).toBe(chart);
  });

  it('zooms all charts with the keys, asks for that part, and undoes it', async () => {
    const { studio, store } = shown(<ChartsPane />);
    const chart = await screen.findByRole('application', { name: /loss/ });
    await waitFor(() =>
      expect(chart.getAttribute('aria-label')).toContain('last 2')
    );
    fireEvent.keyDown(chart, { key: '+' });
    await waitFor(() =>
      expect(series(studio.asked).at(-1).Start).toBeDefined()
    );
    expect(store.state.panes['charts']).toHaveProperty('zoom');
    act(() => store.undo());
    expect(store.state.panes['charts']).toBeUndefined();
    fireEvent.keyDown(chart, { key: 'ArrowRight' });
    fireEvent.keyDown(chart, { key: 'ArrowRight' });
    await waitFor(() => expect(chart.textContent).toContain('<b>one</b>'));
    fireEvent.keyDown(chart, { key: 'Escape' });
    await waitFor(() => expect(chart.textContent).not.toContain('<b>one</b>'));
  });

  it('asks for nothing again when only the looks of lines change', async () => {
    const { studio } = shown(<ChartsPane />);
    await screen.findByRole('application', { name: /last 2/ });
    const before = series(studio.asked).length;
    fireEvent.change(screen.getByRole('slider', { name: /Smoothing/ }), {
      target: { value: '0.5' }
    });
    await screen.findByText('0.50');
    act(() => studio.emit({ type: 'metrics', Kind: COMPONENT, Name: 'a' }));
    await waitFor(() =>
      expect(series(studio.asked).at(-1).TrialComponentNames).toEqual(['a'])
    );
    expect(series(studio.asked)).toHaveLength(before + 1);
  });

  it('hides a line for the whole view, and shows one alone', async () => {
    const { store } = shown(<ChartsPane />);
    const legend = await screen.findByRole('group', { name: 'Legend' });
    fireEvent.click(within(legend).getByTitle('Hide or show b'));
    expect(store.state.hidden).toEqual(['b']);
    fireEvent.click(within(legend).getByRole('button', { name: 'Only c' }));
    await waitFor(() =>
      expect(
        screen.getByRole('application').getAttribute('aria-label')
      ).not.toContain('one')
    );
    fireEvent.click(
      within(legend).getByRole('button', { name: 'Show all lines' })
    );
    expect(store.state.hidden).toEqual([]);
  });
});

describe('the pane of parallel coordinates', () => {
  it('selects what is brushed, and writes it into the query', async () => {
    const { store } = shown(<ParallelPane />);
    const strip = await screen.findByRole('slider', {
      name: 'Brush param.depth'
    });
    fireEvent.keyDown(strip, { key: 'ArrowUp' });
    await waitFor(() => expect(store.state.selection).toEqual(['b']));
    expect(strip.getAttribute('aria-valuetext')).toBe('4 to 6');
    fireEvent.click(screen.getByRole('button', { name: /Keep only these/ }));
    expect(store.state.query).toBe('param.depth >= 4 and param.depth <= 6');
    expect(store.state.panes['parallel']).toEqual({});
  });
});

describe('the pane of scatter charts', () => {
  it('names the method of the importance, and says what is wrong with a chart of one own', async () => {
    const { store } = shown(<ScatterPane />);
    await screen.findByText(
      /Permutation importance; learned from 3 of 9 components/
    );
    fireEvent.change(screen.getByLabelText('Add chart'), {
      target: { value: 'custom' }
    });
    const text = await screen.findByRole('textbox', { name: /as JSON/ });
    fireEvent.change(text, {
      target: { value: '{"data":[{"type":"scattergl"}]}' }
    });
    expect(screen.getByRole('alert').textContent).toContain('data[0].type');
    expect(screen.getByRole('button', { name: 'Draw' })).toHaveProperty(
      'disabled',
      true
    );
    expect((store.state.panes['scatter'] as any).charts).toHaveLength(3);
  });
});
