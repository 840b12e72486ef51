import { Clipboard, Notification } from '@jupyterlab/apputils';
import React from 'react';

import { notifyError, told } from '../../core/errors';
import { Empty, Problem, Skeleton } from '../empty';
import { bytes } from '../format';
import { useSignal, useStudio } from '../hooks';
import { bare } from './ansi';
import { type ITarget, LogLines } from './lines';
import { LogModel, nextMatch } from './model';

/** What is kept of a log view over a reload: plain JSON, all of it may be absent. */
export interface ILogState {
  stream?: string;
  /** The line that was asked for: a match, the first error. */
  line?: number;
  /** The first line on the screen, where the end is not followed. */
  top?: number;
  follow?: boolean;
  wrap?: boolean;
  times?: boolean;
  query?: string;
  regex?: boolean;
  matchCase?: boolean;
  /** First and last line of the selection. */
  chosen?: [number, number] | null;
}

export interface ILogViewProps {
  model: LogModel;
  label: string;
  state: ILogState;
  onState: (changes: ILogState) => void;
  /** Less than all that can be done, for a log that is a part of a page. */
  brief?: boolean;
}

/** The model of the log of a job or an endpoint, as long as the page is there. */
export function useLog(
  kind: LogModel.IOptions['kind'],
  name: string,
  stream?: string
): LogModel {
  const { client, feed } = useStudio();
  const make = () => new LogModel({ client, feed, kind, name, stream });
  const [model, setModel] = React.useState(make);
  const current = React.useRef(model);
  React.useEffect(() => {
    if (current.current.isDisposed) {
      current.current = make();
      setModel(current.current);
    }
    return () => current.current.dispose();
    // The stream is changed by `choose`.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [client, feed, kind, name]);
  return model;
}

/** A log: lines, search, the way to the first error. Keys: / n N e f End. */
export function LogView(props: ILogViewProps): React.JSX.Element {
  const { model, state, onState } = props;
  const { trans } = useStudio();
  useSignal(model.changed);
  const [target, setTarget] = React.useState(() => startOf(state));
  const [announce, setAnnounce] = React.useState(false);
  const input = React.useRef<HTMLInputElement>(null);
  const marked = usePattern(state);
  useSearch(model, state);
  const follow = state.follow ?? (state.top ?? state.line) === undefined;

  const go = (line: number) => {
    onState({ follow: false, line, top: undefined });
    setTarget({ line });
  };
  const step = (forward: boolean) => {
    if (model.matches.length) {
      const from = state.line ?? state.top ?? -1;
      go(model.matches[nextMatch(model.matches, from, forward)]);
    }
  };
  const toError = () => {
    if (model.firstError !== undefined) {
      go(model.firstError);
    }
  };
  const onTop = useDelayed((top: number) => {
    if (!follow) {
      onState({ top });
    }
  }, 300);

  const onKeyDown = (event: React.KeyboardEvent) => {
    const typing = event.target === input.current;
    const keys: Record<string, () => void> = typing
      ? {
          Enter: () => step(!event.shiftKey),
          Escape: () => onState({ query: '' })
        }
      : {
          '/': () => input.current?.focus(),
          n: () => step(true),
          N: () => step(false),
          e: toError,
          f: () => onState({ follow: !follow }),
          End: () => onState({ follow: true })
        };
    const act = keys[event.key];
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (act && plain && !(event.target instanceof HTMLSelectElement)) {
      event.preventDefault();
      event.stopPropagation();
      act();
    }
  };

  if (model.lines === undefined) {
    return model.error ? (
      <Problem
        error={model.error}
        what={trans.__('The log could not be read.')}
        retry={() => void model.refresh()}
      />
    ) : (
      <Skeleton lines={8} />
    );
  }
  return (
    <div className="jp-StudioLog" onKeyDown={onKeyDown}>
      <div
        className="jp-StudioLog-bar"
        role="toolbar"
        aria-label={trans.__('Log')}
      >
        {model.streams.length > 1 && (
          <select
            aria-label={trans.__('Stream')}
            value={model.stream}
            onChange={event => {
              model.choose(event.target.value);
              onState({ stream: event.target.value, chosen: null });
            }}
          >
            {model.streams.map(stream => (
              <option key={stream.Name} value={stream.Name}>
                {`${stream.Host} · ${new Date(stream.CreationTime * 1000).toLocaleTimeString()} · ${bytes(stream.Bytes)}`}
              </option>
            ))}
          </select>
        )}
        <Search
          model={model}
          state={state}
          onState={onState}
          onStep={step}
          inputRef={input}
        />
        <span className="jp-StudioLog-actions">
          {model.firstError !== undefined && (
            <button
              className="jp-StudioButton"
              onClick={toError}
              title={trans.__(
                'Jump to the first line that tells of an error (e)'
              )}
            >
              {trans.__(
                'First error: line %1',
                (model.firstError + 1).toLocaleString()
              )}
            </button>
          )}
          <Toggle
            label={trans.__('Follow')}
            title={trans.__('Stay at the end while the log grows (f)')}
            on={follow}
            onToggle={on => onState({ follow: on })}
          />
          <Toggle
            label={trans.__('Wrap')}
            title={trans.__('Break long lines')}
            on={!!state.wrap}
            onToggle={wrap => onState({ wrap })}
          />
          {!props.brief && (
            <>
              <Toggle
                label={trans.__('Times')}
                title={trans.__('Show when each line was written')}
                on={!!state.times}
                onToggle={times => onState({ times })}
              />
              <Toggle
                label={trans.__('Announce')}
                title={trans.__('Let screen readers say the last line')}
                on={announce}
                onToggle={setAnnounce}
              />
              <Copy model={model} state={state} />
              <Download model={model} />
            </>
          )}
        </span>
      </div>
      {model.lines === 0 ? (
        <Empty
          title={
            model.ended
              ? trans.__('The program wrote nothing.')
              : trans.__('Nothing has been written yet.')
          }
          hint={
            model.ended
              ? undefined
              : trans.__('Lines appear here as they are written.')
          }
        />
      ) : (
        <LogLines
          model={model}
          label={props.label}
          wrap={!!state.wrap}
          times={!!state.times}
          follow={follow}
          onFollow={on => onState({ follow: on })}
          target={target}
          onTop={onTop}
          marked={marked}
          current={state.line}
          chosen={state.chosen ?? null}
          onChoose={chosen => onState({ chosen })}
        />
      )}
      {!!model.error && (
        <p className="jp-StudioLog-note" role="status">
          {told(model.error)}
        </p>
      )}
      <div className="jp-StudioStatus-hidden" aria-live="polite">
        {announce ? bare(model.line(model.lines - 1)?.Text ?? '') : ''}
      </div>
    </div>
  );
}

function Search(props: {
  model: LogModel;
  state: ILogState;
  onState: (changes: ILogState) => void;
  onStep: (forward: boolean) => void;
  inputRef: React.RefObject<HTMLInputElement>;
}): React.JSX.Element {
  const { model, state, onState, onStep } = props;
  const { trans } = useStudio();
  const at = model.matches.indexOf(state.line ?? -1);
  const total = model.total.toLocaleString();
  const found = model.searchError
    ? told(model.searchError)
    : model.searching && !model.total
      ? trans.__('Searching…')
      : at >= 0
        ? trans.__('%1 of %2', (at + 1).toLocaleString(), total)
        : model.matches.length < model.total
          ? trans.__(
              '%1 lines; the first %2 can be stepped through',
              total,
              model.matches.length.toLocaleString()
            )
          : trans._n('%1 line', '%1 lines', model.total, total);
  return (
    <span className="jp-StudioLog-search" role="search">
      <input
        ref={props.inputRef}
        type="search"
        aria-label={trans.__('Search the log')}
        placeholder={trans.__('Search ( / )')}
        value={state.query ?? ''}
        onChange={event => onState({ query: event.target.value })}
      />
      <Toggle
        symbol=".*"
        title={trans.__('Regular expression')}
        on={!!state.regex}
        onToggle={regex => onState({ regex })}
      />
      <Toggle
        symbol="Aa"
        title={trans.__('Match case')}
        on={!!state.matchCase}
        onToggle={matchCase => onState({ matchCase })}
      />
      {state.query && (
        <>
          <button
            className="jp-StudioButton jp-mod-minimal"
            aria-label={trans.__('Previous match')}
            title={trans.__('Previous match (N)')}
            disabled={!model.matches.length}
            onClick={() => onStep(false)}
          >
            ↑
          </button>
          <button
            className="jp-StudioButton jp-mod-minimal"
            aria-label={trans.__('Next match')}
            title={trans.__('Next match (n)')}
            disabled={!model.matches.length}
            onClick={() => onStep(true)}
          >
            ↓
          </button>
          <span className="jp-StudioLog-count" role="status">
            {found}
          </span>
        </>
      )}
    </span>
  );
}

function Toggle(props: {
  /** Its name; a symbol has the title for its name. */
  label?: string;
  symbol?: string;
  title: string;
  on: boolean;
  onToggle: (on: boolean) => void;
}): React.JSX.Element {
  return (
    <button
      className="jp-StudioButton jp-mod-minimal"
      aria-label={props.symbol && props.title}
      aria-pressed={props.on}
      title={props.title}
      onClick={() => props.onToggle(!props.on)}
    >
      {props.label ?? props.symbol}
    </button>
  );
}

function Copy(props: { model: LogModel; state: ILogState }): React.JSX.Element {
  const { trans } = useStudio();
  const { model } = props;
  const chosen = props.state.chosen;
  const copy = async () => {
    const top = props.state.follow
      ? Math.max(0, model.lines! - MOST_COPIED)
      : (props.state.top ?? 0);
    const [first, last] = chosen ?? [top, top + MOST_COPIED - 1];
    try {
      const texts = await model.texts(first, Math.min(last, model.lines! - 1));
      Clipboard.copyToSystem(texts.map(bare).join('\n'));
      Notification.success(
        trans._n('%1 line copied.', '%1 lines copied.', texts.length),
        { autoClose: 2000 }
      );
    } catch (error) {
      notifyError(trans.__('Copying lines of the log'), error);
    }
  };
  return (
    <button
      className="jp-StudioButton jp-mod-minimal"
      onClick={() => void copy()}
      title={
        chosen
          ? trans.__('Copy the selected lines')
          : trans.__(
              'Copy %1 lines; click the numbers of lines, with Shift for a range, to choose others',
              MOST_COPIED
            )
      }
    >
      {chosen
        ? trans._n('Copy %1 line', 'Copy %1 lines', chosen[1] - chosen[0] + 1)
        : trans.__('Copy')}
    </button>
  );
}

const MOST_COPIED = 1000;

function Download(props: { model: LogModel }): React.JSX.Element {
  const { trans } = useStudio();
  const { model } = props;
  const [share, setShare] = React.useState<number | null>(null);
  const download = async () => {
    setShare(0);
    try {
      const blob = await model.download(setShare);
      const link = document.createElement('a');
      link.href = URL.createObjectURL(blob);
      link.download = `${(model.stream ?? 'log').replace(/[^\w.-]+/g, '-')}.log`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    } catch (error) {
      notifyError(trans.__('Downloading the log'), error);
    }
    setShare(null);
  };
  return (
    <button
      className="jp-StudioButton jp-mod-minimal"
      disabled={share !== null}
      onClick={() => void download()}
      title={trans.__('Download all of it, %1', bytes(model.bytes))}
    >
      {share === null
        ? trans.__('Download')
        : trans.__('%1 %', Math.round(100 * share))}
    </button>
  );
}

/** Where to begin: at a line that was asked for, or where the log was left. */
function startOf(state: ILogState): ITarget | null {
  if (state.follow || state.top !== undefined) {
    return state.follow ? null : { line: state.top!, atTop: true };
  }
  return state.line === undefined ? null : { line: state.line };
}

/** Keep the search of the model that of the page; not at every key. */
function useSearch(model: LogModel, state: ILogState): void {
  const { query = '', regex = false, matchCase = false } = state;
  React.useEffect(() => {
    const timer = setTimeout(
      () => model.search({ text: query, regex, matchCase }),
      query ? 250 : 0
    );
    return () => clearTimeout(timer);
  }, [model, query, regex, matchCase]);
}

/** What to mark; an expression that only Python understands marks nothing. */
function usePattern(state: ILogState): RegExp | null {
  const { query, regex, matchCase } = state;
  return React.useMemo(() => {
    const text = regex ? query : query?.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    try {
      return text ? new RegExp(text, matchCase ? 'g' : 'gi') : null;
    } catch {
      return null;
    }
  }, [query, regex, matchCase]);
}

/** A function that is called with the last argument once no call came for `ms`. */
function useDelayed<A>(
  call: (argument: A) => void,
  ms: number
): (argument: A) => void {
  const latest = React.useRef(call);
  const timer = React.useRef(0);
  React.useEffect(() => {
    latest.current = call;
  });
  React.useEffect(() => () => clearTimeout(timer.current), []);
  return React.useCallback(
    (argument: A) => {
      clearTimeout(timer.current);
      timer.current = window.setTimeout(() => latest.current(argument), ms);
    },
    [ms]
  );
}
