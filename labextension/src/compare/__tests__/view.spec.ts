import { StudioView } from '../../core/documents';
import { fakeStudio } from '../../__tests__/studio';
import { parsed, serialised, written } from '../file';
import { requested } from '../rows';
import {
  asked,
  chosen,
  colored,
  forgotten,
  hidden,
  INITIAL,
  opened,
  paned,
  shared,
  split,
  toggled
} from '../state';
import { ViewStore } from '../store';
import { stateOf, storeOf } from '../unsaved';

describe('a view state', () => {
  it('is replaced, never changed', () => {
    const before = JSON.stringify(INITIAL);
    const state = [
      chosen(['a', 'b', 'a']),
      toggled('b'),
      toggled('c'),
      hidden(['x', 'y'], true),
      hidden(['x'], false),
      colored('a', 'red'),
      paned('charts', { smoothing: 0.5, gone: undefined })
    ].reduce((last, change) => change(last), INITIAL);
    expect(state.selection).toEqual(['a', 'c']);
    expect(state.hidden).toEqual(['y']);
    expect(state.colors).toEqual({ a: 'red' });
    expect(state.panes).toEqual({ charts: { smoothing: 0.5 } });
    expect(JSON.stringify(INITIAL)).toBe(before);
  });

  it('shows a pane in one place only', () => {
    const two = split('below')(INITIAL);
    expect(two.layout.shown).toEqual(['table', 'charts']);
    expect(opened('charts')(two).layout.shown).toEqual(['charts', 'table']);
    expect(opened('diff', 1)(two).layout.shown).toEqual(['table', 'diff']);
    expect(split(null)(two).layout.shown).toEqual(['table']);
    expect(shared(7)(two).layout.share).toBe(0.9);
  });

  it('forgets components that are gone', () => {
    const state = {
      ...INITIAL,
      names: ['a', 'b'],
      selection: ['a'],
      hidden: ['a', 'b'],
      base: 'a'
    };
    expect(forgotten(['a'])(state)).toEqual({
      ...INITIAL,
      names: ['b'],
      hidden: ['b']
    });
  });
});

describe('the history', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('goes back and forth, and takes what belongs together as one step', () => {
    const store = new ViewStore();
    store.change(asked('a'));
    store.change(shared(0.3), 'share');
    store.change(shared(0.2), 'share');
    jest.advanceTimersByTime(5000);
    store.change(shared(0.4), 'share');
    store.change(state => ({ ...state }));
    store.undo();
    expect(store.state.layout.share).toBe(0.2);
    store.undo();
    expect(store.state).toEqual({ ...INITIAL, query: 'a' });
    store.undo();
    expect([store.state.query, store.canUndo]).toEqual(['', false]);
    store.redo();
    store.redo();
    expect(store.state.layout.share).toBe(0.2);
    store.change(asked('b'));
    expect(store.canRedo).toBe(false);
  });
});

describe('a file', () => {
  const full = {
    ...INITIAL,
    query: 'metric["<b>"] > 1',
    names: ['é'],
    columns: [{ field: 'metric.auc', width: 90, pinned: true }],
    panes: { charts: { any: [1, null] } }
  };

  it('comes back as it was, and says only what is not as in a new view', () => {
    expect(parsed(serialised(full)).state).toEqual(full);
    expect(JSON.parse(serialised(INITIAL))).toEqual({ studioview: 1 });
    expect(written({ ...INITIAL, base: 'a' })).toEqual({ base: 'a' });
    expect(serialised(full)).toBe(serialised(parsed(serialised(full)).state));
    expect(parsed('')).toMatchObject({ state: INITIAL, broken: false });
  });

  it('that is none is told from one with members that are wrong', () => {
    for (const text of ['<html>', '[]', '3', '{"query": "x"}', '{']) {
      expect(parsed(text)).toMatchObject({ broken: true, state: INITIAL });
    }
    const odd = parsed(
      JSON.stringify({
        studioview: 9,
        query: 3,
        names: [1],
        sort: [{ field: 'a' }],
        columns: [{ field: 'a', width: -1 }],
        layout: { shown: ['nothing', 'diff', 'diff'], share: 4 },
        flavour: 'new',
        panes: { charts: 3 }
      })
    );
    expect(odd.newer).toBe(9);
    expect(odd.ignored).toEqual([
      'query',
      'names',
      'columns',
      'flavour',
      'panes'
    ]);
    expect(odd.state).toEqual({
      ...INITIAL,
      sort: [{ field: 'a', descending: false }],
      layout: { shown: ['diff'], split: 'beside', share: 0.9 }
    });
  });
});

describe('a view that is no file', () => {
  it('lives in the arguments of its page', () => {
    const view = new StudioView(
      { command: 'studio:compare' } as never,
      { names: ['a', 'b'], pane: 'diff' },
      fakeStudio({})
    );
    const store = storeOf(view);
    expect(storeOf(view)).toBe(store);
    expect(store.state.layout.shown).toEqual(['diff']);
    store.change(asked('starred'));
    expect(view.args).toEqual({
      names: ['a', 'b'],
      query: 'starred',
      layout: { ...INITIAL.layout, shown: ['diff'] }
    });
    view.setArgs({ query: 'x', pane: 'logs' });
    expect(store.state.query).toBe('x');
    expect(store.state.layout.shown).toEqual(['logs']);
    expect(view.args['pane']).toBeUndefined();
    store.undo();
    expect(view.args['query']).toBe('starred');
    expect(stateOf({ pane: 'nothing' })).toEqual(INITIAL);
    view.dispose();
    expect(store.isDisposed).toBe(true);
  });

  it('asks the server for what it is about', () => {
    const state = { ...INITIAL, query: 'a', names: ['x', 'y'] };
    expect(requested(state, { fields: ['metric.auc'], limit: 50_000 })).toEqual(
      {
        Query: 'a',
        Names: ['x', 'y'],
        Fields: ['metric.auc'],
        SortBy: [{ Field: 'created_at', Order: 'Descending' }],
        Offset: 0,
        Limit: 10_000
      }
    );
    expect(
      requested(state, { fields: [], names: ['y'], unfiltered: true })
    ).toMatchObject({ Names: ['y'] });
  });
});
