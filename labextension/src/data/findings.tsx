import React from 'react';

import { Empty, Skeleton } from '../components/empty';
import { useStudio } from '../components/hooks';
import { Code, Section } from '../components/parts';
import { usePage } from './context';
import type { Finding, Severity } from '../core/protocol';

const MOST_COLUMNS = 8;

/** The warnings, worst first, each with what can be done about it. */
export function Findings(): React.JSX.Element {
  const { trans } = useStudio();
  const { profile } = usePage();
  const { findings, data, running } = profile;
  const [least, setLeast] = React.useState<Severity | ''>('');
  const shown = findings.filter(
    finding => least === '' || finding.severity === least
  );
  const severities: Severity[] = ['high', 'medium', 'low'];
  return (
    <Section
      title={trans.__('Worth a look')}
      actions={
        findings.length > 0 && (
          <span role="group" aria-label={trans.__('Severity')}>
            {severities.map(severity => {
              const count = findings.filter(
                finding => finding.severity === severity
              ).length;
              return (
                count > 0 && (
                  <button
                    key={severity}
                    className="jp-StudioButton jp-mod-minimal"
                    aria-pressed={least === severity}
                    onClick={() => setLeast(least === severity ? '' : severity)}
                  >
                    <SeverityMark severity={severity} /> {count}
                  </button>
                )
              );
            })}
          </span>
        )
      }
    >
      {!data && running ? (
        <Skeleton lines={6} />
      ) : findings.length === 0 ? (
        <Empty
          title={
            running
              ? trans.__('Nothing to warn about so far.')
              : trans.__('Nothing to warn about.')
          }
          hint={trans.__(
            'No constant, duplicate or mostly missing columns, no duplicate rows, no odd values were found.'
          )}
        />
      ) : (
        <ol className="jp-StudioData-findings">
          {shown.map((finding, at) => (
            <FindingView key={`${finding.kind} ${at}`} finding={finding} />
          ))}
        </ol>
      )}
    </Section>
  );
}

function FindingView(props: { finding: Finding }): React.JSX.Element {
  const { trans } = useStudio();
  const { profile, insert, showRows, showColumn } = usePage();
  const { finding } = props;
  const [opened, setOpened] = React.useState(false);
  const columns = finding.columns.slice(0, MOST_COLUMNS);
  const definition = profile.definitions[finding.kind];
  return (
    <li className={`jp-StudioData-finding jp-mod-${finding.severity}`}>
      <h3>
        <SeverityMark severity={finding.severity} /> {finding.title}
        {!finding.exact && (
          <span className="jp-StudioData-tag">{trans.__('of a sample')}</span>
        )}
      </h3>
      <p>{finding.words}</p>
      {columns.length > 0 && (
        <ul
          className="jp-StudioData-chips"
          aria-label={trans.__('Columns concerned')}
        >
          {columns.map(name => (
            <li key={name}>
              <button
                className="jp-StudioLink"
                title={name}
                onClick={() => showColumn(name)}
              >
                {name}
              </button>
            </li>
          ))}
          {columns.length < finding.columns.length && (
            <li>
              {trans.__('%1 of %2', columns.length, finding.columns.length)}
            </li>
          )}
        </ul>
      )}
      <div className="jp-StudioData-actions">
        {finding.filters !== null && (
          <button
            className="jp-StudioButton"
            onClick={() => showRows(finding.filters!)}
          >
            {trans.__('Show rows')}
          </button>
        )}
        {finding.fix !== null && (
          <>
            <button
              className="jp-StudioButton"
              onClick={() => insert(finding.fix!)}
            >
              {trans.__('Insert fix as notebook cell')}
            </button>
            <button
              className="jp-StudioButton jp-mod-minimal"
              aria-expanded={opened}
              onClick={() => setOpened(!opened)}
            >
              {trans.__('Code')}
            </button>
          </>
        )}
        {definition && (
          <details className="jp-StudioData-definition">
            <summary>{trans.__('What this means')}</summary>
            {definition}
          </details>
        )}
      </div>
      {opened && finding.fix !== null && (
        <Code
          code={finding.fix}
          label={trans.__('the fix for %1', finding.title)}
        />
      )}
    </li>
  );
}

/** A severity as a shape and a word. */
export function SeverityMark(props: { severity: Severity }): React.JSX.Element {
  const { trans } = useStudio();
  const words = {
    high: trans.__('High'),
    medium: trans.__('Medium'),
    low: trans.__('Low')
  };
  const shapes = {
    high: 'M8 1 15 8 8 15 1 8Z',
    medium: 'M8 2 15 14H1Z',
    low: 'M8 3a5 5 0 1 0 .01 0Z'
  };
  return (
    <span className={`jp-StudioData-severity jp-mod-${props.severity}`}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={shapes[props.severity]} />
      </svg>
      {words[props.severity]}
    </span>
  );
}
