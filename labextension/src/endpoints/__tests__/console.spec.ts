import { asBoto3, asCurl, cellsOf, headersOf, History } from '../console';

const request = {
  contentType: 'text/csv',
  accept: '',
  variant: '',
  body: '1,2\n3,4'
};
const call = (changes: object) => ({
  at: 1,
  request,
  status: 200,
  contentType: 'application/json',
  variant: 'v',
  milliseconds: 3,
  answer: '',
  ...changes
});

describe('cellsOf', () => {
  it('gives each row of a request its prediction', () => {
    const answer = '0.25,0.75';
    const contentType = 'text/csv; charset=utf-8';
    expect(cellsOf(call({ contentType, answer }))).toEqual({
      columns: ['prediction'],
      rows: [['0.25'], ['0.75']]
    });
  });

  it('reads predictions, lists and lines of JSON', () => {
    const document = '{"predictions": [{"score": 1.5, "predicted_label": 1}]}';
    expect(cellsOf(call({ answer: document }))).toEqual({
      columns: ['score', 'predicted_label'],
      rows: [['1.5', '1']]
    });
    expect(cellsOf(call({ answer: '[1, [2, 3]]' }))!.rows).toEqual([
      ['1'],
      ['[2,3]']
    ]);
    const lines = '{"score": 1}\n{"score": 2}\n';
    expect(cellsOf(call({ answer: lines }))!.rows).toEqual([['1'], ['2']]);
  });

  it('makes no table of what is none', () => {
    expect(cellsOf(call({ answer: 'no JSON' }))).toBeNull();
    expect(cellsOf(call({ contentType: 'text/plain', answer: '1,2' }))).toBe(
      null
    );
  });
});

describe('code', () => {
  it('quotes what the shell and Python would read', () => {
    const odd = { ...request, body: `it's "odd" $HOME \\` };
    expect(asBoto3('e', odd)).toContain(
      String.raw`Body="it's \"odd\" $HOME \\",`
    );
    expect(asCurl('e', odd)).toContain(String.raw`'it'\''s "odd" $HOME \'`);
  });

  it('asks for a stream as boto3 and curl do', () => {
    const asked = { ...request, stream: true, accept: 'a/b', model: 'm' };
    expect(asBoto3('e', asked)).toContain('_with_response_stream(');
    expect(asBoto3('e', asked)).toContain('"X-Amzn-SageMaker-Target-Model"');
    expect(asCurl('e', asked)).toContain('/e/invocations-response-stream"');
    expect(headersOf(asked)).toMatchObject({
      'x-amzn-sagemaker-accept': 'a/b',
      'x-amzn-sagemaker-target-model': 'm'
    });
  });

  it('names the variant that was asked for', () => {
    const target = { ...request, variant: 'b', accept: 'text/csv' };
    expect(asBoto3('e', target)).toContain('TargetVariant="b"');
    expect(headersOf(target)).toEqual({
      'Content-Type': 'text/csv',
      Accept: 'text/csv',
      'x-amzn-sagemaker-target-variant': 'b'
    });
  });
});

describe('History', () => {
  it('keeps the last calls of its endpoint, and no long ones', () => {
    const history = new History('e', window.sessionStorage);
    for (let at = 0; at < 25; at++) {
      history.add(call({ at }));
    }
    expect(history.calls).toHaveLength(20);
    expect(history.calls[0].at).toBe(24);
    history.add(call({ at: 99, answer: 'x'.repeat(40_000) }));
    expect(history.calls[0].at).toBe(24);
    expect(new History('other', window.sessionStorage).calls).toEqual([]);
  });
});
