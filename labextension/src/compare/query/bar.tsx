import type { EditorView } from '@codemirror/view';
import React from 'react';

import { useStudio } from '../../components/hooks';
import type { studio } from '../../wire';
import { useComponents, useView, useViewStore } from '../hooks';
import { asked } from '../state';
import { Chips } from './chips';
import { checked, makeEditor, showText } from './editor';
import { keepQuery } from './past';

const NO_FIELDS: string[] = [];

/**
 * The query of the view, with how many components it selects.
 *
 * Enter asks; a query that is wrong is not asked, and what is wrong is underlined and said below.
 */
export function QueryBar(): React.JSX.Element {
  const { trans } = useStudio();
  const store = useViewStore();
  const query = useView(state => state.query);
  const [draft, setDraft] = React.useState(query);
  const [problems, setProblems] = React.useState<studio.QueryProblem[]>([]);
  const [pressed, setPressed] = React.useState('');
  const ask = useAsk(setProblems);
  const place = React.useRef<HTMLDivElement>(null);
  const editor = useEditor(place, query, {
    onAsk: text => {
      setPressed(text);
      setDraft(text);
      void ask(text);
    },
    onChecked: (found, text) => {
      setDraft(text.trim());
      setProblems([...found.Errors, ...found.Warnings]);
    }
  });
  React.useEffect(() => {
    setDraft(query);
    setProblems([]);
    if (editor.current) {
      showText(editor.current, query);
    }
  }, [editor, query]);
  const wrong = problems[0];
  // While it is written a query is never whole: what lacks is said, but not as a fault.
  const refused = wrong && pressed === draft;
  return (
    <div className="jp-StudioQuery" role="search">
      <div className="jp-StudioQuery-line">
        <div
          className={`jp-StudioQuery-editor ${refused ? 'jp-mod-wrong' : ''}`}
          ref={place}
        />
        <Count />
        {draft !== query && (
          <button
            className="jp-StudioButton jp-mod-accept"
            onClick={() => {
              setPressed(draft);
              void ask(draft);
            }}
          >
            {trans.__('Ask ⏎')}
          </button>
        )}
        {query !== '' && (
          <button
            className="jp-StudioButton"
            onClick={() => store.change(asked(''))}
          >
            {trans.__('Clear')}
          </button>
        )}
      </div>
      <p
        className={`jp-StudioQuery-problem ${refused ? 'jp-mod-wrong' : ''}`}
        role="status"
      >
        {wrong?.Message}
      </p>
      <Chips />
    </div>
  );
}

/** "12 of 100,000 components": what the query selects, whatever panes show of it. */
function Count(): React.JSX.Element {
  const { trans } = useStudio();
  const { value } = useComponents(NO_FIELDS, { limit: 0 });
  return (
    <span className="jp-StudioQuery-count" role="status">
      {value &&
        (value.matched === value.total
          ? trans._n(
              '%2 component',
              '%2 components',
              value.total,
              value.total.toLocaleString()
            )
          : trans.__(
              '%1 of %2 components',
              value.matched.toLocaleString(),
              value.total.toLocaleString()
            ))}
    </span>
  );
}

function useAsk(
  say: (problems: studio.QueryProblem[]) => void
): (text: string) => Promise<void> {
  const studio = useStudio();
  const store = useViewStore();
  return React.useCallback(
    async text => {
      const { Errors, Warnings } = await checked(studio, text);
      say([...Errors, ...Warnings]);
      if (!Errors.length) {
        keepQuery(text);
        store.change(asked(text));
      }
    },
    [studio, store, say]
  );
}

/** The editor as long as the bar is there; `/` anywhere in the view leads to it. */
function useEditor(
  place: React.RefObject<HTMLDivElement>,
  query: string,
  on: Pick<Parameters<typeof makeEditor>[2], 'onAsk' | 'onChecked'>
): React.RefObject<EditorView> {
  const studio = useStudio();
  const editor = React.useRef<EditorView | null>(null);
  const latest = React.useRef(on);
  React.useEffect(() => {
    latest.current = on;
  });
  React.useEffect(() => {
    const node = place.current!;
    // Where React listens too, before this: a pane that knows `/` itself comes first.
    const view = node.closest<HTMLElement>('.jp-StudioView');
    const made = makeEditor(node, query, {
      studio,
      label: studio.trans.__('Query'),
      hint: studio.trans.__('Query: metric.auc > .9 and param.depth in [3, 5]'),
      onAsk: text => latest.current.onAsk(text),
      onChecked: (found, text) => latest.current.onChecked(found, text),
      onLeave: () =>
        view?.querySelector<HTMLElement>('[role=tab][tabindex="0"]')?.focus()
    });
    editor.current = made;
    const press = (event: KeyboardEvent) => {
      const free = !event.defaultPrevented && !event.ctrlKey && !event.metaKey;
      if (event.key === '/' && free && !isText(event.target as HTMLElement)) {
        event.preventDefault();
        made.focus();
      }
    };
    view?.addEventListener('keydown', press);
    return () => {
      view?.removeEventListener('keydown', press);
      made.destroy();
    };
    // The text follows `query` by itself.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [place, studio]);
  return editor;
}

function isText(node: HTMLElement): boolean {
  return (
    node.isContentEditable ||
    ['INPUT', 'TEXTAREA', 'SELECT'].includes(node.tagName)
  );
}
