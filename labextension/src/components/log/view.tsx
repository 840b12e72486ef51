import React from 'react';

import { told } from '../../core/errors';
import { Empty, Problem, Skeleton } from '../empty';
import { useSignal, useStudio } from '../hooks';
import { bare } from './ansi';
import { LogBar } from './bar';
import { type ITarget, LogLines } from './lines';
import { LogModel, nextMatch } from './model';
import type { ILogState } from './state';

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
      <LogBar
        model={model}
        state={state}
        onState={onState}
        brief={!!props.brief}
        follow={follow}
        announce={announce}
        onAnnounce={setAnnounce}
        onStep={step}
        onError={toError}
        inputRef={input}
      />
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
