import { Clipboard, Notification } from '@jupyterlab/apputils';
import React from 'react';

import { notifyError, told } from '../../core/errors';
import { bytes } from '../format';
import { useStudio } from '../hooks';
import { bare } from './ansi';
import type { LogModel } from './model';
import type { ILogState } from './state';

/** What can be done with a log: choose a stream, search, jump, follow, copy, download. */
export function LogBar(props: {
  model: LogModel;
  state: ILogState;
  onState: (changes: ILogState) => void;
  brief: boolean;
  follow: boolean;
  announce: boolean;
  onAnnounce: (on: boolean) => void;
  onStep: (forward: boolean) => void;
  onError: () => void;
  inputRef: React.RefObject<HTMLInputElement>;
}): React.JSX.Element {
  const { model, state, onState } = props;
  const { trans } = useStudio();
  return (
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
        onStep={props.onStep}
        inputRef={props.inputRef}
      />
      <span className="jp-StudioLog-actions">
        {model.firstError !== undefined && (
          <button
            className="jp-StudioButton"
            onClick={props.onError}
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
          on={props.follow}
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
              on={props.announce}
              onToggle={props.onAnnounce}
            />
            <Copy model={model} state={state} />
            <Download model={model} />
          </>
        )}
      </span>
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
