import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { number } from '../components/format';
import { useStudio } from '../components/hooks';
import { Tabs, When } from '../components/parts';
import { Place } from './asyncqueue';
import { cellsOf, pretty, type ICall, type ICells } from './console';

const MOST_ROWS = 500;
const MOST_CHARACTERS = 100_000;

/** What came of a call: as a table where it is one, and as text. */
export function Answer(props: { call: ICall }): React.JSX.Element {
  const { trans } = useStudio();
  const { call } = props;
  const cells = React.useMemo(() => cellsOf(call), [call]);
  const [tab, setTab] = React.useState(cells ? 'table' : 'text');
  const queued = call.state !== undefined;
  const good = call.status < 300 && call.trouble === undefined;
  const empty = queued && (call.growing || call.stopped || !good);
  return (
    <>
      <p className="jp-StudioConsole-facts">
        <span className="jp-StudioStatus">
          <span
            className={`jp-StudioStatus-dot jp-mod-${good ? 'good' : 'bad'}`}
            aria-hidden="true"
          />
          <strong>{outcome(call, trans)}</strong>
        </span>
        <span>{trans.__('%1 ms', number(Math.round(call.milliseconds)))}</span>
        {call.first !== undefined && (
          <span>
            {trans._n(
              'first of %1 piece after %2 ms',
              'first of %1 pieces after %2 ms',
              call.pieces ?? 0,
              number(Math.round(call.first))
            )}
          </span>
        )}
        {call.variant && <span>{trans.__('variant %1', call.variant)}</span>}
        <span>{call.contentType}</span>
      </p>
      {call.trouble && (
        <p className="jp-StudioConsole-hint" role="alert">
          {queued
            ? call.trouble
            : trans.__('The answer broke off: %1', call.trouble)}
        </p>
      )}
      {queued && (
        <p className="jp-StudioConsole-hint">
          {whereabouts(call, trans)} {call.place && <Place uri={call.place} />}
        </p>
      )}
      {empty ? null : cells ? (
        <Tabs
          label={trans.__('Answer')}
          selected={tab}
          onSelect={setTab}
          tabs={[
            {
              id: 'table',
              label: trans.__('Table'),
              content: () => <Cells cells={cells} />
            },
            {
              id: 'text',
              label: trans.__('Text'),
              content: () => (
                <Text text={pretty(call.answer)} follow={call.growing} />
              )
            }
          ]}
        />
      ) : (
        <Text text={pretty(call.answer)} follow={call.growing} />
      )}
    </>
  );
}

/** What the place of a request in a queue is for. */
function whereabouts(call: ICall, trans: TranslationBundle): string {
  if (call.trouble !== undefined) {
    return call.place
      ? trans.__('The failure is stored:')
      : trans.__('Failures are not stored.');
  }
  if (call.stopped) {
    return trans.__('It goes on by itself. Its answer will lie at');
  }
  return call.growing
    ? trans.__('The answer will lie at')
    : trans.__('The answer lies at');
}

function outcome(call: ICall, trans: TranslationBundle): string {
  if (call.state && call.stopped) {
    return trans.__('No longer waited for');
  }
  const states: Record<string, string> = {
    Waiting: trans.__('Waiting for its turn…'),
    Failed: trans.__('Failed'),
    Stopped: trans.__('Taken back')
  };
  if (call.state && states[call.state]) {
    return states[call.state];
  }
  if (call.growing) {
    return trans.__('Answering…');
  }
  if (call.stopped) {
    return trans.__('Stopped');
  }
  if (call.trouble) {
    return trans.__('Broken off');
  }
  return call.status < 300
    ? trans.__('Answered')
    : trans.__('Refused with status %1', call.status);
}

/** Text of an answer; of one that grows its end is kept in view. */
function Text(props: { text: string; follow?: boolean }): React.JSX.Element {
  const { trans } = useStudio();
  const { text, follow } = props;
  const box = React.useRef<HTMLPreElement>(null);
  React.useLayoutEffect(() => {
    if (follow && box.current) {
      box.current.scrollTop = box.current.scrollHeight;
    }
  }, [text, follow]);
  const shown = follow
    ? text.slice(-MOST_CHARACTERS)
    : text.slice(0, MOST_CHARACTERS);
  return (
    <>
      <pre
        ref={box}
        className="jp-StudioConsole-answer"
        tabIndex={0}
        aria-label={trans.__('Text of the answer')}
      >
        {shown || trans.__('(empty)')}
      </pre>
      {shown.length < text.length && (
        <p>
          {trans.__(
            '%1 of %2 characters',
            number(shown.length),
            number(text.length)
          )}
        </p>
      )}
    </>
  );
}

function Cells(props: { cells: ICells }): React.JSX.Element {
  const { trans } = useStudio();
  const { columns, rows } = props.cells;
  const shown = rows.slice(0, MOST_ROWS);
  return (
    <div className="jp-StudioConsole-answer">
      <table>
        <thead>
          <tr>
            <th scope="col">{trans.__('Row')}</th>
            {columns.map(column => (
              <th scope="col" key={column}>
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row, index) => (
            <tr key={index}>
              <th scope="row">{index + 1}</th>
              {columns.map((column, at) => (
                <td key={column}>{row[at]}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length < rows.length && (
        <p>{trans.__('%1 of %2 rows', shown.length, rows.length)}</p>
      )}
    </div>
  );
}

/** The calls so far, to look at again. */
export function Calls(props: {
  calls: ICall[];
  shown: ICall | undefined;
  onShow: (call: ICall) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <details className="jp-StudioConsole-calls">
      <summary>{trans._n('%1 call', '%1 calls', props.calls.length)}</summary>
      <ul>
        {props.calls.map(call => (
          <li key={call.at}>
            <button
              className="jp-StudioLink"
              aria-current={call.at === props.shown?.at ? 'true' : undefined}
              onClick={() => props.onShow(call)}
            >
              <When at={call.at} /> · {call.status} ·{' '}
              {trans.__('%1 ms', number(Math.round(call.milliseconds)))} ·{' '}
              {call.request.body.slice(0, 40) || trans.__('a file')}
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}
