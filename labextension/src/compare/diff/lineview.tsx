import React from 'react';

import { useStudio } from '../../components/hooks';
import { type IRun, lineDiff } from './lines';

/** Lines of what is the same that are shown before and after a difference. */
const CONTEXT = 3;
const MOST_LINES = 3000;

interface ILine {
  sign: '+' | '−' | ' ' | '…';
  left: number | null;
  right: number | null;
  text: string;
}

/** Two texts as one: what was removed and what was added; the signs say the same as the colours. */
export function LineDiff(props: {
  left: string;
  right: string;
  label: string;
  /** What must be the same of lines that are the same; all of them when not said. */
  alike?: (line: string) => string;
}): React.JSX.Element {
  const { trans } = useStudio();
  const [whole, setWhole] = React.useState(false);
  const runs = React.useMemo(
    () => lineDiff(linesOf(props.left), linesOf(props.right), props.alike),
    [props.left, props.right, props.alike]
  );
  const lines = React.useMemo(() => shownLines(runs, whole), [runs, whole]);
  const changed = runs.filter(run => run.kind !== 'same');
  const count = (kind: IRun['kind']) =>
    changed
      .filter(run => run.kind === kind)
      .reduce((sum, run) => sum + run.lines.length, 0);
  return (
    <section className="jp-StudioLineDiff" aria-label={props.label}>
      <p role="status">
        {changed.length
          ? trans.__(
              '%1 lines removed, %2 added',
              count('removed').toLocaleString(),
              count('added').toLocaleString()
            )
          : trans.__('They are the same.')}
        {lines.length > MOST_LINES &&
          ` · ${trans.__(
            'the first %1 of %2 lines',
            MOST_LINES.toLocaleString(),
            lines.length.toLocaleString()
          )}`}{' '}
        <button
          className="jp-StudioLink"
          aria-pressed={whole}
          onClick={() => setWhole(!whole)}
        >
          {whole ? trans.__('Only what differs') : trans.__('Whole text')}
        </button>
      </p>
      <pre tabIndex={0} aria-label={props.label}>
        {lines.slice(0, MOST_LINES).map((line, index) => (
          <div key={index} className={MODS[line.sign]}>
            <span className="jp-StudioLineDiff-number">{line.left ?? ''}</span>
            <span className="jp-StudioLineDiff-number">{line.right ?? ''}</span>
            <span>{line.sign}</span>
            <code>
              {line.sign === '…'
                ? trans._n('%1 line', '%1 lines', Number(line.text))
                : line.text}
            </code>
          </div>
        ))}
      </pre>
    </section>
  );
}

const MODS = {
  '+': 'jp-mod-added',
  '−': 'jp-mod-removed',
  ' ': 'jp-mod-same',
  '…': 'jp-mod-place'
};

/** Lines as they are shown: long runs of what is the same are left out unless all is wanted. */
function shownLines(runs: IRun[], whole: boolean): ILine[] {
  return runs.flatMap((run, at) => {
    const line = (text: string, index: number): ILine => ({
      sign: run.kind === 'same' ? ' ' : run.kind === 'added' ? '+' : '−',
      left: run.kind === 'added' ? null : run.left + index + 1,
      right: run.kind === 'removed' ? null : run.right + index + 1,
      text
    });
    const lines = run.lines.map(line);
    if (whole || run.kind !== 'same') {
      return lines;
    }
    const before = at > 0 ? CONTEXT : 0;
    const after = at < runs.length - 1 ? CONTEXT : 0;
    const left = lines.length - before - after;
    return left > 1
      ? [
          ...lines.slice(0, before),
          { sign: '…', left: null, right: null, text: `${left}` },
          ...lines.slice(lines.length - after)
        ]
      : lines;
  });
}

function linesOf(text: string): string[] {
  return text ? text.replace(/\n$/, '').split('\n') : [];
}
