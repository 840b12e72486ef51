import { nullTranslator } from '@jupyterlab/translation';

import { fakeStudio } from '../../__tests__/studio';
import { optionsFor } from '../query/complete';
import { diagnostics } from '../query/editor';
import { keepQuery, pastQueries } from '../query/past';
import {
  clauses,
  placeOf,
  quoted,
  tokens,
  unquoted,
  withClause,
  withoutClause
} from '../query/tokens';
import { wantedAt } from '../query/wanted';

const trans = nullTranslator.load('x');

/** What is wanted where "|" stands. */
function at(marked: string) {
  const cursor = marked.indexOf('|');
  return wantedAt(marked.replace('|', ''), cursor);
}

describe('the words of a query', () => {
  it('are together the text', () => {
    const query = 'metric["a \\" b"].min>=.9 and not x in [3, 1e-4] ~ é "open';
    expect(
      tokens(query)
        .map(each => each.text)
        .join('')
    ).toBe(query);
    expect(tokens(query).at(-1)).toMatchObject({ kind: 'text', text: '"open' });
    expect(tokens('order').map(each => each.kind)).toEqual(['name']);
  });

  it('quote any text', () => {
    for (const text of ['a', 'say "x"', 'a\\b', 'two\nlines', '\t', '']) {
      expect(unquoted(quoted(text))).toBe(text);
    }
    expect(unquoted('"op')).toBe('op');
  });

  it('are split at the outermost and', () => {
    const query = 'a > 1 and (b or c and d) and e in [1, 2]';
    expect(clauses(query)).toEqual(['a > 1', '(b or c and d)', 'e in [1, 2]']);
    expect(clauses('a and b or c')).toEqual(['a and b or c']);
    expect(clauses('x == "a and b"')).toEqual(['x == "a and b"']);
    expect(withClause('a or b', 'starred')).toBe('(a or b) and starred');
    expect(withClause('a and starred', 'starred')).toBe('a and starred');
    expect(withoutClause('a > 1 and starred', 'a > 1')).toBe('starred');
    expect(withoutClause('starred', 'starred')).toBe('');
  });

  it('have places that the server counts in code points', () => {
    expect(placeOf('a😀b', 2)).toBe(3);
    const found = { Errors: [{ Message: 'm', Start: 9, End: 9 }] };
    expect(diagnostics('abc', { ...found, Warnings: [], Fields: [] })).toEqual([
      { from: 2, to: 3, severity: 'error', message: 'm' }
    ]);
  });
});

describe('what can be written', () => {
  it.each([
    ['|', { what: 'any', typed: '', from: 0 }],
    ['sta|', { what: 'any', typed: 'sta', from: 0 }],
    ['metric.|', { what: 'field', kind: 'metric', typed: '', from: 0 }],
    ['a and param.de|', { what: 'field', kind: 'param', typed: 'de', from: 6 }],
    ['tag["te|', { what: 'field', kind: 'tag', typed: 'te', from: 0 }],
    ['metric.auc.m|', { what: 'aspect', kind: 'metric', typed: 'm', from: 11 }],
    [
      'metric["a/b"].|',
      { what: 'aspect', kind: 'metric', typed: '', from: 14 }
    ],
    ['status == |', { what: 'value', field: 'status', typed: '', from: 10 }],
    [
      'status == "Com|',
      { what: 'value', field: 'status', typed: 'Com', from: 10 }
    ],
    [
      'tag["a b"] in ["x", "|',
      { what: 'value', field: 'tag["a b"]', typed: '', from: 20 }
    ],
    [
      'not status not in [|',
      { what: 'value', field: 'status', typed: '', from: 19 }
    ],
    ['status == "Failed" |', { what: 'any', typed: '', from: 19 }],
    ['status == "Failed"|', null],
    ['metric.auc > 12|', null],
    ['max(1, |', { what: 'any', typed: '', from: 7 }]
  ])('at %s', (marked, wanted) => {
    expect(at(marked)).toEqual(wanted);
  });

  it('comes from the server: fields as queries write them, values, how many more', async () => {
    const fake = fakeStudio({
      'aws/studio/ListTrialComponentFields': body =>
        body.Values
          ? {
              Total: 1,
              Fields: [
                {
                  Field: 'status',
                  Values: [
                    { Text: 'Completed', Count: 3 },
                    { Text: 'say "x"', Count: 1 }
                  ]
                }
              ]
            }
          : {
              Total: 250,
              Fields: ['xauc', 'auc'].map(Name => ({
                Field: `metric.${Name}`,
                Name,
                Kind: 'metric',
                Type: 'Number',
                Components: 2
              }))
            }
    });
    const options = (marked: string) =>
      optionsFor(fake.client, trans, at(marked)!).then(found =>
        found.map(each => each.label)
      );
    expect(await options('metric.a|')).toEqual([
      'metric.auc',
      'metric.xauc',
      '2 of 250: go on typing'
    ]);
    expect(fake.asked[0][1]).toEqual({
      Contains: 'a',
      Kinds: ['metric'],
      Limit: 100
    });
    expect(await options('status == "S|')).toEqual(['"say \\"x\\""']);
    expect(await options('metric.auc.m|')).toEqual([
      'min',
      'max',
      'mean',
      'min_step',
      'max_step'
    ]);
    expect(await options('l|')).toEqual(
      expect.arrayContaining(['len()', 'log()', 'log10()'])
    );
  });
});

it('keeps the queries that were asked, the newest first and each once', () => {
  localStorage.clear();
  ['a', 'b', '', 'a'].forEach(keepQuery);
  expect(pastQueries()).toEqual(['a', 'b']);
  localStorage.setItem('jupyter-ml-studio:queries', '{"x": 1}');
  expect(pastQueries()).toEqual([]);
});
