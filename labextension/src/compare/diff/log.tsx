import React from 'react';

import { Problem, Skeleton } from '../../components/empty';
import { useLive, useStudio } from '../../components/hooks';
import { bare } from '../../components/log/ansi';
import type { Client } from '../../core/client';
import { jobOf } from '../logname';
import { LineDiff } from './lineview';
import type { IDiffProps } from './table';
import { Pair, pairOf } from './texts';

const MOST_LINES = 20_000;
const WINDOW = 1000;
/** What no two runs have in common: times, in words or since the epoch, and long ids. */
const CHANCE =
  /\d{1,4}[-/]\d\d[-/]\d{2,4}|\d\d:\d\d:\d\d(?:[.,:]\d+)?|\d{9,}(?:\.\d+)?/g;
const NUMBER = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

interface ILog {
  text: string;
  lines: number;
  total: number;
}

/** The console logs of two components line by line; times and long ids do not count. */
export function DiffLog(props: IDiffProps): React.JSX.Element {
  const { client, trans } = useStudio();
  const pair = pairOf(props.details, props.settings.other);
  const names = pair.map(each => each && jobOf(each));
  const { value, error, refresh } = useLive(
    signal =>
      Promise.all(
        names.map(name =>
          name ? logOf(client, name, signal) : Promise.resolve(null)
        )
      ),
    event => event.type === 'log' && names.includes(event.Name),
    [client, names[0], names[1]],
    2000
  );
  const without = pair.filter((each, at) => each && !names[at]);
  const cut = value?.filter(log => log && log.lines < log.total) ?? [];
  return (
    <div className="jp-StudioDiff-part">
      <div className="jp-StudioDiff-bar">
        {props.lead}
        <Pair {...props} />
        <label>
          <input
            type="checkbox"
            checked={!!props.settings.numbers}
            onChange={event => props.set({ numbers: event.target.checked })}
          />{' '}
          {trans.__('Ignore numbers')}
        </label>
        {cut.map(
          (log, at) =>
            log && (
              <span key={at} role="status">
                {trans.__(
                  'The first %1 of %2 lines',
                  log.lines.toLocaleString(),
                  log.total.toLocaleString()
                )}
              </span>
            )
        )}
      </div>
      {without.length > 0 ? (
        <p className="jp-StudioDiff-none" role="status">
          {trans.__(
            'No log: %1 is of no training job.',
            without.map(each => each!.DisplayName).join(', ')
          )}
        </p>
      ) : value ? (
        <LineDiff
          left={value[0]?.text ?? ''}
          right={(value[1] ?? value[0])?.text ?? ''}
          label={trans.__('Log')}
          alike={props.settings.numbers ? wordsOf : masked}
        />
      ) : error ? (
        <Problem error={error} retry={refresh} />
      ) : (
        <Skeleton />
      )}
    </div>
  );
}

/** A line without times and long ids. */
export function masked(line: string): string {
  return line.replace(CHANCE, '#');
}

/** A line without any numbers. */
function wordsOf(line: string): string {
  return masked(line).replace(NUMBER, '#');
}

/** The log of a job as text: without colours, and what comes after many lines. */
async function logOf(
  client: Client,
  name: string,
  signal: AbortSignal
): Promise<ILog> {
  const of = { Kind: 'training-job', Name: name };
  const found: string[] = [];
  for (;;) {
    const { LogLines, Lines } = await client.call(
      'studio',
      'GetLogLines',
      { ...of, Start: found.length, Count: WINDOW },
      signal
    );
    found.push(...LogLines.map(line => bare(line.Text)));
    if (!LogLines.length || found.length >= Math.min(Lines, MOST_LINES)) {
      return { text: found.join('\n'), lines: found.length, total: Lines };
    }
  }
}
