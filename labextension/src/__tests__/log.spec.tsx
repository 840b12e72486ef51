import { act, fireEvent, screen, waitFor } from '@testing-library/react';
import React from 'react';

import { bare, level, spans } from '../components/log/ansi';
import { LogModel, nextMatch } from '../components/log/model';
import type { ILogState } from '../components/log/state';
import { LogView, useLog } from '../components/log/view';
import { type Answers, fakeStudio, renderIn } from './studio';

const settle = () => new Promise(resolve => setTimeout(resolve, 20));

/** A log on a server, which the test lets grow. */
class FakeLog {
  constructor(public lines: string[]) {}

  ended = false;
  windows: [number, number][] = [];

  routes(): Answers {
    return {
      'aws/studio/DescribeLog': request => ({
        Streams: [
          {
            Name: 'job/algo-1-1',
            Host: 'algo-1',
            CreationTime: 1,
            Bytes: 1,
            Ended: this.ended
          }
        ],
        Stream: 'job/algo-1-1',
        Lines: this.lines.length,
        Bytes: this.lines.join('\n').length,
        Ended: this.ended,
        ...(request['Errors']
          ? {
              FirstErrorLine: this.lines.findIndex(it => it.includes('Error:'))
            }
          : {})
      }),
      'aws/studio/GetLogLines': request => {
        const start = Number(request['Start']);
        const found = this.lines.slice(start, start + Number(request['Count']));
        this.windows.push([start, found.length]);
        return {
          Start: start,
          LogLines: found.map((Text, at) => ({ Time: start + at, Text })),
          Lines: this.lines.length
        };
      },
      'aws/studio/SearchLog': request => {
        const from = Number(request['From']);
        const end = Math.min(from + 300, this.lines.length);
        const found = this.lines
          .map((text, number) => ({ text, number }))
          .slice(from, end)
          .filter(it => it.text.includes(String(request['Query'])))
          .map(it => it.number);
        return {
          Matches: found,
          Total: found.length,
          Searched: end,
          Lines: this.lines.length
        };
      }
    };
  }
}

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, number) => `line ${number}`);
}

function grown(studio: ReturnType<typeof fakeStudio>): void {
  studio.emit({
    type: 'log',
    Kind: 'training-job',
    Name: 'job',
    Stream: 's',
    Bytes: 1
  });
}

describe('Escape sequences', () => {
  it('become classes, and what moves the cursor goes', () => {
    expect(
      spans('a\x1b[31mb\x1b[1mc\x1b[0m\x1b[2Jd\x1b]8;;x\x07e').map(each => [
        each.text,
        each.className
      ])
    ).toEqual([
      ['a', ''],
      ['b', 'jp-mod-front1'],
      ['c', 'jp-mod-bold jp-mod-front1'],
      ['d', ''],
      ['e', '']
    ]);
  });

  it('of many colours come down to eight', () => {
    const color = (codes: string) => spans(`\x1b[${codes}mx`)[0].className;
    expect(color('38;5;196')).toBe('jp-mod-front1');
    expect(color('38;2;10;200;30')).toBe('jp-mod-front2');
    expect(color('38;2;120;120;120')).toBe('');
    expect(color('97;44')).toBe('jp-mod-front7 jp-mod-back4');
    expect(color('38;5;250;4')).toBe('jp-mod-underline');
    expect(color('32;7')).toBe('jp-mod-front-1 jp-mod-back2');
  });

  it('leave text that can be read, whatever was written', () => {
    expect(bare('\x1b[1mb\x1b[0m\x00\x07\tt\u202eevil\x1b[')).toBe(
      'b^@^G\tt⟨U+202E⟩evil'
    );
  });
});

describe('Levels', () => {
  it.each([
    ['ValueError: no', 'error'],
    ['[ERROR] no', 'error'],
    ['train-error:0.2', ''],
    ['Mean Absolute Error: 0.3', ''],
    ['UserWarning: old', 'warn'],
    ['DEBUG:root:x', 'debug']
  ])('%s', (line, expected) => expect(level(line)).toBe(expected));
});

describe('LogModel', () => {
  const made = (log: FakeLog) => {
    const studio = fakeStudio(log.routes());
    const model = new LogModel({
      client: studio.client,
      feed: studio.feed,
      kind: 'training-job',
      name: 'job'
    });
    return { studio, model };
  };

  it('fetches the pages that are looked at, and each once', async () => {
    const log = new FakeLog(numbered(10_000));
    const { model } = made(log);
    await model.refresh();
    expect(model.lines).toBe(10_000);
    model.ensure(4_990, 5_010);
    model.ensure(4_990, 5_010);
    await settle();
    model.ensure(4_990, 5_010);
    await settle();
    expect(log.windows).toEqual([
      [4_800, 200],
      [5_000, 200]
    ]);
    expect(model.line(5_003)!.Text).toBe('line 5003');
    expect(model.line(3)).toBeUndefined();
  });

  it('reads the last line again when the log grows', async () => {
    const log = new FakeLog(['one', 'tw']);
    const { studio, model } = made(log);
    await model.refresh();
    model.ensure(0, 9);
    await settle();
    log.lines = ['one', 'two', 'three'];
    grown(studio);
    await settle();
    model.ensure(0, 9);
    await settle();
    expect([0, 1, 2].map(at => model.line(at)!.Text)).toEqual(log.lines);
  });

  it('finds the first error, after it is open', async () => {
    const { model } = made(new FakeLog([...numbered(5), 'KeyError: 1']));
    await waitFor(() => expect(model.firstError).toBe(5));
  });

  it('searches to the end, and what is added', async () => {
    const log = new FakeLog(numbered(1_000));
    const { studio, model } = made(log);
    await model.refresh();
    model.search({ text: '99', regex: false, matchCase: false });
    await waitFor(() => expect(model.searching).toBe(false));
    expect(model.matches).toHaveLength(19);
    expect(model.total).toBe(19);
    log.lines.push('line 9900');
    grown(studio);
    await waitFor(() => expect(model.matches).toContain(1_000));
    model.search({ text: '', regex: false, matchCase: false });
    expect(model.matches).toEqual([]);
  });

  it('goes to the next match and round the end', () => {
    expect(nextMatch([3, 5, 9], 5, true)).toBe(2);
    expect(nextMatch([3, 5, 9], 9, true)).toBe(0);
    expect(nextMatch([3, 5, 9], 5, false)).toBe(0);
    expect(nextMatch([3, 5, 9], 3, false)).toBe(2);
  });
});

describe('LogView', () => {
  function Page(props: {
    state: ILogState;
    onState: (changes: ILogState) => void;
  }): React.JSX.Element {
    const [state, setState] = React.useState(props.state);
    const model = useLog('training-job', 'job');
    return (
      <LogView
        model={model}
        label="Log of job"
        state={state}
        onState={changes => {
          props.onState(changes);
          setState({ ...state, ...changes });
        }}
      />
    );
  }

  const shown = async (lines: string[], state: ILogState = {}) => {
    const changes: ILogState[] = [];
    const studio = fakeStudio(new FakeLog(lines).routes());
    renderIn(studio, <Page state={state} onState={it => changes.push(it)} />);
    await screen.findByRole('log');
    await act(settle);
    return changes;
  };

  it('shows lines as text, never as HTML', async () => {
    await shown(['<img src=x onerror=alert(1)> \x1b[31mred\x1b[0m']);
    const log = screen.getByRole('log');
    expect(log.querySelector('img')).toBeNull();
    expect(log.textContent).toContain('<img src=x onerror=alert(1)> red');
    expect(screen.getByText('red').className).toBe('jp-mod-front1');
  });

  it('marks what is searched for, across colours', async () => {
    await shown(['lo\x1b[31mss=1\x1b[0m', 'other'], { query: 'loss' });
    await act(() => new Promise(resolve => setTimeout(resolve, 300)));
    const marks = screen.getByRole('log').querySelectorAll('mark');
    expect([...marks].map(it => it.textContent)).toEqual(['lo', 'ss']);
  });

  it('jumps to the first error, by button and by key', async () => {
    const changes = await shown(['fine', 'KeyError: 1']);
    const button = await screen.findByRole('button', { name: /line 2/ });
    fireEvent.click(button);
    expect(changes.at(-1)).toMatchObject({ line: 1, follow: false });
    fireEvent.keyDown(screen.getByRole('log'), { key: 'f' });
    expect(changes.at(-1)).toEqual({ follow: true });
    fireEvent.keyDown(screen.getByRole('log'), { key: 'e' });
    expect(changes.at(-1)).toMatchObject({ line: 1, follow: false });
  });

  it('says that nothing was written', async () => {
    const studio = fakeStudio(new FakeLog([]).routes());
    renderIn(studio, <Page state={{}} onState={() => undefined} />);
    expect(
      await screen.findByText('Nothing has been written yet.')
    ).toBeTruthy();
  });
});
