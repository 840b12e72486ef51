import type { PartialJSONObject } from '@lumino/coreutils';
import React from 'react';

import { Problem } from '../components/empty';
import { useStudio } from '../components/hooks';
import type { Client } from '../core/client';
import type { StudioView } from '../core/documents';
import type { studio } from '../wire';
import { type Check, useFaults } from './faults';
import { FormContext, type IForm } from './form';
import { shown, spelled, valueAt, withValue } from './paths';
import { Summary, type Warnings } from './summary';

const SAVE_MS = 300;

/** How a form changes what it edits. */
export type SetDraft<D> = React.Dispatch<(now: D) => D>;

/** A draft that the arguments of the page follow, so that it survives a reload. */
export function useSaved<D extends object>(
  view: StudioView,
  first: D
): [D, SetDraft<D>] {
  const [draft, setDraft] = React.useReducer(
    (now: D, change: (now: D) => D) => change(now),
    first
  );
  React.useEffect(() => {
    if (draft === first) {
      return;
    }
    const save = () =>
      view.setArgs({ request: { ...draft } as PartialJSONObject });
    const timer = setTimeout(save, SAVE_MS);
    return () => clearTimeout(timer);
  }, [draft, view, first]);
  return [draft, setDraft];
}

export interface IJobFormProps<D extends object> {
  view: StudioView;
  title: string;
  /** The text of the button that starts the job. */
  start: string;
  /** The job that is copied, and why it failed; "" when it did not. */
  from: string | undefined;
  failure: string;
  original: D | null;
  algorithm: studio.DescribeAlgorithmResponse | null;
  draft: D;
  setDraft: SetDraft<D>;
  /** What the form begins with when nothing is copied. */
  fresh: () => D;
  /** The member that is the job's name. */
  name: string & keyof D;
  check: Check<D>;
  create: (client: Client) => Promise<unknown>;
  /** The command that shows the job once it is made. */
  opens: string;
  facts: [string, React.ReactNode][];
}

/** A form of a job: its fields, and beside them what it will be and what is wrong with it. */
export function JobForm<D extends object>(
  props: React.PropsWithChildren<IJobFormProps<D>>
): React.JSX.Element {
  const { trans } = useStudio();
  const { draft, original, algorithm, setDraft } = props;
  const name = shown(valueAt(draft, [props.name]));
  const faults = useFaults(draft, name, props.check);
  const [touched, setTouched] = React.useState<ReadonlySet<string>>(new Set());
  const [attempted, setAttempted] = React.useState(false);
  const root = React.useRef<HTMLDivElement>(null);
  const submit = useSubmit(props, name);
  const [warnings, setWarnings] = React.useState<Warnings>({});
  const warn = React.useCallback(
    (path: string, text: string | undefined) =>
      setWarnings(now => ({ ...now, [path]: text })),
    []
  );
  const touch = (path: string) => setTouched(now => new Set([...now, path]));
  const form: IForm<object> = {
    draft,
    original,
    algorithm,
    set: (path, value) => {
      touch(spelled(path));
      setDraft(now => withValue(now, path, value));
    },
    touch,
    isTouched: path => attempted || touched.has(path),
    faults: faults.all ?? [],
    warn
  };
  const start = () => {
    setAttempted(true);
    if (form.faults.length && !faults.stale) {
      show(root.current!, form.faults[0].Path);
    } else {
      void submit.run();
    }
  };
  const reset = () => {
    setTouched(new Set());
    setAttempted(false);
    setDraft(() => original ?? props.fresh());
  };
  return (
    <FormContext.Provider value={form}>
      <div className="jp-StudioPage jp-StudioNewJob" ref={root}>
        <div className="jp-StudioPage-header">
          <h1>{props.title}</h1>
          <div className="jp-StudioPage-actions">
            <button className="jp-StudioButton" onClick={reset}>
              {trans.__('Start over')}
            </button>
            <button
              className="jp-StudioButton jp-mod-accept"
              disabled={submit.running}
              onClick={start}
            >
              {submit.running ? trans.__('Starting…') : props.start}
            </button>
          </div>
        </div>
        <div className="jp-StudioPage-body">
          {submit.error !== null && (
            <Problem
              what={trans.__('The job was not started.')}
              error={submit.error}
            />
          )}
          {props.failure && (
            <p className="jp-StudioNewJob-warning">
              <strong>{trans.__('%1 failed.', props.from!)}</strong>{' '}
              {props.failure}
            </p>
          )}
          <div className="jp-StudioNewJob-columns">
            <div className="jp-StudioNewJob-main">{props.children}</div>
            <Summary
              facts={props.facts}
              name={props.name}
              faults={faults}
              warnings={warnings}
              from={props.from}
              show={path => {
                form.touch(path);
                show(root.current!, path);
              }}
            />
          </div>
        </div>
      </div>
    </FormContext.Provider>
  );
}

/** Starts the job and shows it. */
function useSubmit<D extends object>(
  { view, create, opens }: IJobFormProps<D>,
  name: string
): { running: boolean; error: unknown; run: () => Promise<void> } {
  const { client, commands } = useStudio();
  const [running, setRunning] = React.useState(false);
  const [error, setError] = React.useState<unknown>(null);
  const run = async () => {
    setRunning(true);
    setError(null);
    try {
      await create(client);
    } catch (problem) {
      setError(problem);
      setRunning(false);
      return;
    }
    view.parent?.dispose();
    await commands.execute(opens, { name });
  };
  return { running, error, run };
}

/** Go to the field of a fault, or to the nearest place that the form has for it. */
function show(root: HTMLElement, path: string): void {
  const all = [...root.querySelectorAll<HTMLElement>('[data-path]')];
  const field =
    all.find(each => each.dataset['path'] === path) ??
    all.find(each => path !== '' && each.dataset['path']!.startsWith(path)) ??
    all.find(each => path.startsWith(each.dataset['path']!));
  for (
    let parent = field?.parentElement ?? null;
    parent && parent !== root;
    parent = parent.parentElement
  ) {
    if (parent instanceof HTMLDetailsElement) {
      parent.open = true;
    }
  }
  field?.focus();
}
