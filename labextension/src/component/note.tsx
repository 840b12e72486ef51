import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import React from 'react';

import { useStudio } from '../components/hooks';
import { Section } from '../components/parts';
import { Markdown } from './markdown';

/** The note of a component: Markdown, and the editor of it. */
export function Note(props: {
  note: string;
  rendermime: IRenderMimeRegistry;
  /** Store another note; it raises when that was refused. */
  onSave: (note: string) => Promise<void>;
}): React.JSX.Element {
  const { trans } = useStudio();
  const [draft, setDraft] = React.useState<string | null>(null);
  const opener = React.useRef<HTMLButtonElement>(null);
  const close = () => {
    setDraft(null);
    // The editor that had the focus is gone.
    setTimeout(() => opener.current?.focus());
  };
  return (
    <Section
      title={trans.__('Note')}
      className="jp-StudioComponent-note"
      actions={
        draft === null && (
          <button
            ref={opener}
            className="jp-StudioButton"
            onClick={() => setDraft(props.note)}
          >
            {props.note ? trans.__('Edit') : trans.__('Write a note')}
          </button>
        )
      }
    >
      {draft !== null ? (
        <Editor
          draft={draft}
          onDraft={setDraft}
          changed={draft !== props.note}
          onSave={() => props.onSave(draft).then(close)}
          onCancel={close}
        />
      ) : (
        props.note && (
          <Markdown source={props.note} rendermime={props.rendermime} />
        )
      )}
    </Section>
  );
}

function Editor(props: {
  draft: string;
  onDraft: (draft: string) => void;
  changed: boolean;
  onSave: () => Promise<void>;
  onCancel: () => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const [busy, setBusy] = React.useState(false);
  const save = () => {
    setBusy(true);
    // Why it was refused is told already; the draft stays.
    void props
      .onSave()
      .catch(() => undefined)
      .finally(() => setBusy(false));
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      save();
    } else if (event.key === 'Escape' && !props.changed) {
      event.stopPropagation();
      props.onCancel();
    }
  };
  return (
    <>
      <textarea
        aria-label={trans.__('Note, in Markdown')}
        value={props.draft}
        rows={8}
        maxLength={MOST}
        autoFocus
        spellCheck
        onChange={event => props.onDraft(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <div className="jp-StudioJob-row">
        <button
          className="jp-StudioButton jp-mod-accept"
          disabled={busy}
          onClick={save}
        >
          {trans.__('Save')}
        </button>
        <button
          className="jp-StudioButton"
          disabled={busy}
          onClick={props.onCancel}
        >
          {trans.__('Cancel')}
        </button>
        <span className="jp-StudioJob-none">
          {trans.__('Markdown. Ctrl+Enter saves.')}
        </span>
      </div>
    </>
  );
}

const MOST = 100_000;
