import React from 'react';

import { isOffline, told } from '../core/errors';
import { CommandIDs } from '../tokens';
import type { studio } from '../wire';
import { Problem, Skeleton } from './empty';
import { Execution } from './execution';
import { bytes } from './format';
import { useLive, useStudio } from './hooks';
import { cut, Packages } from './packages';
import { Code, Copyable, Facts, When } from './parts';
import { PatchView } from './patch';

/** Where a job came from: notebook and cell or script, commit and difference, packages. */
export function Provenance(props: { arn: string }): React.JSX.Element {
  const { arn } = props;
  const { client, trans } = useStudio();
  const { value, error, refresh } = useLive(
    signal => client.call('studio', 'GetProvenance', { Arn: arn }, signal),
    event => event.type === 'resource' && event.Arn === arn,
    [arn]
  );
  if (error !== null && !value) {
    return isOffline(error) ? (
      <Problem error={error} retry={refresh} />
    ) : (
      <p>{told(error)}</p>
    );
  }
  if (!value) {
    return <Skeleton lines={3} />;
  }
  const { Provenance: found, Execution: ran } = value;
  return (
    <>
      {found ? (
        <Record found={found} />
      ) : (
        <p>
          {trans.__(
            'Where it came from is not recorded: it was started by a form, by another machine, or with STUDIO_PROVENANCE=off.'
          )}
        </p>
      )}
      {ran && <Execution ran={ran} />}
    </>
  );
}

function Record(props: { found: studio.Provenance }): React.JSX.Element {
  const { found } = props;
  const { trans } = useStudio();
  const { Cell: cell, Git: git, Python: python } = found;
  const facts: [string, React.ReactNode][] = [
    [trans.__('Started from'), <Origin key="origin" found={found} />]
  ];
  if (git) {
    facts.push([trans.__('Commit'), <Commit key="commit" git={git} />]);
    if (git.Remote) {
      facts.push([
        trans.__('Repository'),
        <Copyable key="remote" text={git.Remote} />
      ]);
    }
  }
  if (python) {
    facts.push([
      trans.__('Python'),
      `${python.Version} (${python.Executable ?? python.Implementation ?? ''})`
    ]);
  }
  facts.push([
    trans.__('Recorded'),
    <When key="recorded" at={found.RecordedAt && 1000 * found.RecordedAt} />
  ]);
  return (
    <div className="jp-StudioProvenance">
      <Facts facts={facts} />
      {cell && cell.Source && (
        <details>
          <summary>
            {trans.__('Cell')}
            {cut(cell.Source.length, cell.SourceLength, trans)}
          </summary>
          <Code code={cell.Source} label={trans.__('Source of the cell')} />
        </details>
      )}
      {git && <Difference git={git} />}
      {python && <Packages python={python} />}
    </div>
  );
}

function Origin(props: { found: studio.Provenance }): React.JSX.Element {
  const { commands, trans } = useStudio();
  const {
    Kind: kind,
    Path: path = '',
    Cell: cell,
    Folder: folder
  } = props.found;
  const count = cell?.ExecutionCount ? ` [${cell.ExecutionCount}]` : '';
  if (kind === 'interactive') {
    return (
      <>
        {trans.__('An interactive session in %1', folder ?? '?')}
        {count}
      </>
    );
  }
  const name = path.split('/').pop() + count;
  const open = () =>
    void commands.execute(CommandIDs.openSource, {
      path,
      cell: cell?.Id ?? ''
    });
  return (
    <button className="jp-StudioLink" title={path} onClick={open}>
      {name}
    </button>
  );
}

function Commit(props: { git: studio.ProvenanceGit }): React.JSX.Element {
  const { git } = props;
  const { trans } = useStudio();
  if (!git.Commit) {
    return <>{trans.__('None yet')}</>;
  }
  return (
    <>
      <Copyable text={git.Commit} label={git.Commit.slice(0, 10)} />{' '}
      {git.Branch && <strong>{git.Branch}</strong>} {git.Subject}
    </>
  );
}

function Difference(props: {
  git: studio.ProvenanceGit;
}): React.JSX.Element | null {
  const { git } = props;
  const { trans } = useStudio();
  if (git.PatchProblem) {
    return (
      <p>
        {trans.__('What was not committed is unknown: %1', git.PatchProblem)}
      </p>
    );
  }
  if (git.Dirty === false) {
    return <p>{trans.__('Everything was committed.')}</p>;
  }
  const files = git.UntrackedFiles ?? [];
  const total = git.PatchTotalBytes ?? 0;
  return (
    <>
      {git.Patch && (
        <details open>
          <summary>
            {trans.__('Not committed')}
            {git.PatchBytes !== undefined && git.PatchBytes < total
              ? ` (${trans.__('the first %1 of %2', bytes(git.PatchBytes), bytes(total))})`
              : ''}
          </summary>
          <PatchView patch={git.Patch} />
        </details>
      )}
      {files.length > 0 && (
        <details>
          <summary>
            {trans._n(
              '%1 file that git does not know',
              '%1 files that git does not know',
              git.UntrackedCount ?? files.length
            )}
            {cut(files.length, git.UntrackedCount, trans)}
          </summary>
          <ul>
            {files.map(file => (
              <li key={file.Path}>
                {file.Path} ({bytes(file.Bytes)})
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}
