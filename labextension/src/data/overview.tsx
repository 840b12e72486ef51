import React from 'react';

import { Empty } from '../components/empty';
import { bytes, number, percent } from '../components/format';
import { useStudio } from '../components/hooks';
import { Facts, Section } from '../components/parts';
import { cellText, semanticLabel, ShareBar } from './cells';
import { usePage } from './context';
import { ColumnSelect } from './fields';
import { Findings } from './findings';
import type { DataFacts, Semantic, TargetReport } from '../core/protocol';

const MOST_POWERS = 15;

/** What the data is, what to look at first, and what its target can be predicted from. */
export function Overview(): React.JSX.Element {
  const { trans } = useStudio();
  const { profile } = usePage();
  const { data } = profile;
  return (
    <div className="jp-StudioData-overview">
      <Findings />
      <div>
        <Target />
        {data && (
          <Section title={trans.__('The data')}>
            <DataSummary data={data} />
            <Semantics />
          </Section>
        )}
      </div>
    </div>
  );
}

/** The facts of a data set, one a line. */
export function DataSummary(props: { data: DataFacts }): React.JSX.Element {
  const { trans } = useStudio();
  const { data } = props;
  const facts: [string, React.ReactNode][] = [
    [trans.__('Rows'), rowsText(data, trans)],
    [trans.__('Columns'), number(data.columns.length)],
    [trans.__('Size'), bytes(data.bytes)],
    [trans.__('Format'), formatText(data, trans)]
  ];
  if (data.file_count > 1) {
    facts.push([
      trans.__('Files'),
      <details key="files">
        <summary>{number(data.file_count)}</summary>
        <ul className="jp-StudioData-files">
          {data.files.map(file => (
            <li key={file.name}>
              {file.name} ({bytes(file.bytes)})
            </li>
          ))}
        </ul>
        {data.files.length < data.file_count &&
          trans.__('%1 of %2', data.files.length, number(data.file_count))}
      </details>
    ]);
  }
  for (const note of data.notes) {
    facts.push([trans.__('Note'), note]);
  }
  return <Facts facts={facts} />;
}

type Trans = ReturnType<typeof useStudio>['trans'];

/** "41,188", or "about 1,000,000" while they are not counted. */
export function rowsText(data: DataFacts, trans: Trans): string {
  return data.rows !== null
    ? number(data.rows)
    : data.rows_estimate !== null
      ? trans.__('about %1', number(data.rows_estimate))
      : trans.__('not counted yet');
}

function formatText(data: DataFacts, trans: Trans): string {
  const names = { csv: 'CSV', parquet: 'Parquet', jsonl: 'JSON lines' };
  const parts = [names[data.format]];
  if (data.delimiter !== null) {
    const named: Record<string, string> = {
      ',': trans.__('comma'),
      ';': trans.__('semicolon'),
      '\t': trans.__('tab'),
      ' ': trans.__('space')
    };
    parts.push(
      named[data.delimiter] ?? trans.__('delimiter %1', data.delimiter)
    );
  }
  if (data.header !== null) {
    parts.push(data.header ? trans.__('with header') : trans.__('no header'));
  }
  if (data.encoding !== null) {
    parts.push(data.encoding);
  }
  return parts.join(', ');
}

function Semantics(): React.JSX.Element {
  const { trans } = useStudio();
  const { profile } = usePage();
  const counts = new Map<Semantic, number>();
  for (const { semantic } of profile.columns) {
    counts.set(semantic, (counts.get(semantic) ?? 0) + 1);
  }
  return (
    <ul className="jp-StudioData-chips" aria-label={trans.__('Column types')}>
      {[...counts].map(([semantic, count]) => (
        <li key={semantic}>
          {count} × {semanticLabel(semantic, trans)}
        </li>
      ))}
    </ul>
  );
}

/** The column to predict, and how well each other column alone does it. */
function Target(): React.JSX.Element {
  const { trans } = useStudio();
  const { profile, args, set } = usePage();
  const { target, data, running } = profile;
  const columns = data?.columns ?? (args.target ? [args.target] : []);
  return (
    <Section title={trans.__('Target')}>
      <span className="jp-StudioData-label" aria-hidden="true">
        {trans.__('Column to predict')}
      </span>
      <ColumnSelect
        label={trans.__('Column to predict')}
        columns={columns.map(name => ({ name }))}
        value={args.target}
        onChange={target => set({ target })}
      />
      {!args.target ? (
        <p className="jp-StudioData-words">
          {trans.__(
            'With a target, this page also tells how well each column predicts it, how its classes are balanced, and which columns may leak it.'
          )}
        </p>
      ) : target?.column === args.target ? (
        <Report target={target} />
      ) : (
        running && (
          <p role="status">
            {trans.__('Looking for what predicts %1…', args.target)}
          </p>
        )
      )}
    </Section>
  );
}

function Report(props: { target: TargetReport }): React.JSX.Element {
  const { trans } = useStudio();
  const { showColumn, profile } = usePage();
  const { target } = props;
  const tasks = {
    binary: trans.__('binary classification'),
    multiclass: trans.__('multiclass classification'),
    regression: trans.__('regression')
  };
  const powers = target.powers.slice(0, MOST_POWERS);
  return (
    <>
      <p>
        <strong>{tasks[target.task]}</strong> {target.words}
      </p>
      {target.classes.length > 0 && (
        <ul
          className="jp-StudioData-bars"
          aria-label={trans.__('Classes of %1', target.column)}
        >
          {target.classes.map(({ value, count, share }, at) => (
            <li key={at}>
              <span className="jp-StudioData-barName" title={cellText(value)}>
                {cellText(value)}
              </span>
              <ShareBar
                share={share}
                text={`${percent(share)} (${number(count)})`}
              />
            </li>
          ))}
        </ul>
      )}
      <h3 title={profile.definitions['power']}>
        {trans.__('Prediction power, 0 to 1')}
      </h3>
      {powers.length === 0 && (
        <Empty title={trans.__('There is no other column.')} />
      )}
      <ul
        className="jp-StudioData-bars"
        aria-label={trans.__('Prediction power of columns')}
      >
        {powers.map(([name, power]) => (
          <li key={name}>
            <button
              className="jp-StudioLink jp-StudioData-barName"
              title={name}
              onClick={() => showColumn(name)}
            >
              {name}
            </button>
            <ShareBar share={power} text={power.toFixed(2)} />
          </li>
        ))}
      </ul>
      {powers.length < target.powers.length && (
        <p className="jp-StudioData-words">
          {trans.__(
            'The strongest %1 of %2; the tab Columns has all.',
            powers.length,
            target.powers.length
          )}
        </p>
      )}
    </>
  );
}
