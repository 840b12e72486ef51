import React from 'react';

import { useStudio } from './hooks';

/** The changes of one file of a patch. */
export interface IFilePatch {
  name: string;
  added: number;
  removed: number;
  lines: string[];
}

const MOST_OPEN = 5;

/** A patch as git writes it, file by file; the signs say the same as the colours. */
export function PatchView(props: { patch: string }): React.JSX.Element {
  const { trans } = useStudio();
  const files = React.useMemo(() => filesOf(props.patch), [props.patch]);
  return (
    <div className="jp-StudioPatch">
      {files.map((file, index) => (
        <details key={index} open={files.length <= MOST_OPEN}>
          <summary>
            {file.name} <span className="jp-mod-added">+{file.added}</span>{' '}
            <span className="jp-mod-removed">−{file.removed}</span>
          </summary>
          <pre tabIndex={0} aria-label={trans.__('Changes of %1', file.name)}>
            {file.lines.map((line, number) => (
              <span key={number} className={`jp-mod-${meaning(line)}`}>
                {`${line}\n`}
              </span>
            ))}
          </pre>
        </details>
      ))}
    </div>
  );
}

/** The files of a patch; a last one that was cut ends where it was cut. */
export function filesOf(patch: string): IFilePatch[] {
  return patch
    .split(/^(?=diff --git )/m)
    .filter(Boolean)
    .map(text => {
      const [head, ...rest] = text.replace(/\n$/, '').split('\n');
      const from = rest.findIndex(line => line.startsWith('@@'));
      const lines = from < 0 ? rest : rest.slice(from);
      return {
        name: / b\/(.*)$/.exec(head)?.[1] ?? head,
        added: lines.filter(line => line.startsWith('+')).length,
        removed: lines.filter(line => line.startsWith('-')).length,
        lines
      };
    });
}

function meaning(line: string): string {
  return { '+': 'added', '-': 'removed', '@': 'place' }[line[0]] ?? 'same';
}
