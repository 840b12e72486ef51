import { Clipboard } from '@jupyterlab/apputils';
import React from 'react';

import { relative } from './format';
import { useNow, useStudio } from './hooks';

const TONES: Record<string, string> = {
  Completed: 'good',
  InService: 'good',
  Built: 'good',
  Failed: 'bad',
  OutOfService: 'bad',
  InProgress: 'busy',
  Creating: 'busy',
  Updating: 'busy',
  RollingBack: 'busy',
  UpdateRollbackFailed: 'bad',
  OK: 'good',
  ALARM: 'bad',
  Deleting: 'busy',
  Stopping: 'warn',
  Stopped: 'warn'
};

/** good | bad | busy | warn | none: what a status means, for its colour and shape. */
export function tone(status: string): string {
  return TONES[status] ?? 'none';
}

/** A status: a dot whose shape and colour say the same as the word beside it. */
export function Status(props: {
  status: string;
  detail?: string;
  quiet?: boolean;
  /** Where the status is in other words than AWS's. */
  tone?: string;
}): React.JSX.Element {
  const { status, detail } = props;
  const text = detail ? `${status}: ${detail}` : status;
  return (
    <span className="jp-StudioStatus" title={text}>
      <span
        className={`jp-StudioStatus-dot jp-mod-${props.tone ?? tone(status)}`}
        aria-hidden="true"
      />
      <span className={props.quiet ? 'jp-StudioStatus-hidden' : undefined}>
        {text}
      </span>
    </span>
  );
}

/** A time as people say it; the exact one on hover. `at` is in milliseconds since the epoch. */
export function When(props: { at: number | undefined }): React.JSX.Element {
  const now = useNow(props.at !== undefined, 20_000);
  if (props.at === undefined) {
    return <span>–</span>;
  }
  const date = new Date(props.at);
  return (
    <time dateTime={date.toISOString()} title={date.toLocaleString()}>
      {relative(props.at, Math.max(now, props.at))}
    </time>
  );
}

/** A text that is often needed elsewhere, with a button that copies it. */
export function Copyable(props: {
  text: string;
  label?: string;
}): React.JSX.Element {
  const { trans } = useStudio();
  const [done, setDone] = React.useState(false);
  const copy = () => {
    Clipboard.copyToSystem(props.text);
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  return (
    <span className="jp-StudioCopyable">
      <span className="jp-StudioCopyable-text" title={props.text}>
        {props.label ?? props.text}
      </span>
      <button
        className="jp-StudioButton jp-mod-minimal"
        onClick={copy}
        aria-label={trans.__('Copy %1', props.text)}
      >
        {done ? trans.__('Copied') : trans.__('Copy')}
      </button>
    </span>
  );
}

/** Code to read and copy. */
export function Code(props: {
  code: string;
  label: string;
}): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <div className="jp-StudioCode">
      <button
        className="jp-StudioButton"
        onClick={() => Clipboard.copyToSystem(props.code)}
        aria-label={trans.__('Copy %1', props.label)}
      >
        {trans.__('Copy')}
      </button>
      <pre tabIndex={0} aria-label={props.label}>
        {props.code}
      </pre>
    </div>
  );
}

/** Names and values, one a line. */
export function Facts(props: {
  facts: [string, React.ReactNode][];
}): React.JSX.Element {
  return (
    <dl className="jp-StudioFacts">
      {props.facts.map(([name, value]) => (
        <React.Fragment key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </React.Fragment>
      ))}
    </dl>
  );
}

/** A titled part of a page. */
export function Section(
  props: React.PropsWithChildren<{
    title: string;
    actions?: React.ReactNode;
    className?: string;
  }>
): React.JSX.Element {
  const id = React.useId();
  return (
    <section
      className={`jp-StudioSection ${props.className ?? ''}`}
      aria-labelledby={id}
    >
      <header>
        <h2 id={id}>{props.title}</h2>
        {props.actions}
      </header>
      {props.children}
    </section>
  );
}

/** What a tab is called, and what it shows. */
export interface ITab {
  id: string;
  label: string;
  content: () => React.ReactNode;
}

/** Tabs per WAI-ARIA: arrows move, the panel follows. */
export function Tabs(props: {
  tabs: ITab[];
  selected: string;
  onSelect: (id: string) => void;
  label: string;
}): React.JSX.Element {
  const base = React.useId();
  const chosen =
    props.tabs.find(tab => tab.id === props.selected) ?? props.tabs[0];
  const move = (event: React.KeyboardEvent) => {
    const at = props.tabs.indexOf(chosen);
    const to = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      Home: 0,
      End: props.tabs.length - 1
    }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      const next = props.tabs[(to + props.tabs.length) % props.tabs.length];
      props.onSelect(next.id);
      document.getElementById(`${base}-${next.id}`)?.focus();
    }
  };
  return (
    <div className="jp-StudioTabs">
      <div role="tablist" aria-label={props.label} onKeyDown={move}>
        {props.tabs.map(tab => (
          <button
            key={tab.id}
            id={`${base}-${tab.id}`}
            role="tab"
            aria-selected={tab === chosen}
            aria-controls={`${base}-panel`}
            tabIndex={tab === chosen ? 0 : -1}
            onClick={() => props.onSelect(tab.id)}
          >
            {tab.label}
          </button>
        ))}
      </div>
      <div
        role="tabpanel"
        id={`${base}-panel`}
        aria-labelledby={`${base}-${chosen.id}`}
        tabIndex={0}
      >
        {chosen.content()}
      </div>
    </div>
  );
}
