import React from 'react';

import { number, percent } from '../components/format';
import { useStudio } from '../components/hooks';
import { Facts, Section } from '../components/parts';
import { cellText, semanticLabel, ShareBar } from './cells';
import { usePage } from './context';
import { Figure } from './figure';
import { chartOf } from './kinds';
import { QUANTILES, type ColumnProfile } from '../core/protocol';

/** All about one column. */
export function ColumnDetail(props: {
  column: ColumnProfile;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { addChart, showRows, set, args, profile } = usePage();
  const { column } = props;
  const spec = chartOf(column);
  const findings = profile.findings.filter(finding =>
    finding.columns.includes(column.name)
  );
  return (
    <>
      <Section title={column.name}>
        <div className="jp-StudioData-actions">
          <button className="jp-StudioButton" onClick={() => addChart(spec)}>
            {trans.__('Chart')}
          </button>
          {column.missing > 0 && (
            <button
              className="jp-StudioButton"
              onClick={() => showRows([{ op: 'missing', column: column.name }])}
            >
              {trans.__('Rows where it is missing')}
            </button>
          )}
          <button
            className="jp-StudioButton"
            aria-pressed={args.target === column.name}
            onClick={() =>
              set({
                target: args.target === column.name ? undefined : column.name
              })
            }
          >
            {trans.__('Target')}
          </button>
        </div>
        {!column.exact && (
          <p className="jp-StudioData-words">
            {trans.__(
              'Of a sample of %1 rows; the rest is being read.',
              number(column.rows)
            )}
          </p>
        )}
        {findings.length > 0 && (
          <ul className="jp-StudioData-notes">
            {findings.map((finding, at) => (
              <li key={at}>
                <strong>{finding.title}.</strong> {finding.words}
              </li>
            ))}
          </ul>
        )}
      </Section>
      {column.count > 0 && <Figure spec={spec} height={220} />}
      <Section title={trans.__('Figures')}>
        <Facts facts={useFigures(column)} />
      </Section>
      <TopValues column={column} />
    </>
  );
}

function useFigures(column: ColumnProfile): [string, React.ReactNode][] {
  const { trans } = useStudio();
  const { profile } = usePage();
  const defined = (key: string, label: React.ReactNode) => (
    <span title={profile.definitions[key]}>{label}</span>
  );
  const facts: [string, React.ReactNode | null][] = [
    [
      trans.__('Type'),
      `${semanticLabel(column.semantic, trans)} (${column.type})`
    ],
    [
      trans.__('Values'),
      trans.__('%1 of %2 rows', number(column.count), number(column.rows))
    ],
    [
      trans.__('Missing'),
      `${number(column.missing)} (${percent(column.missing_share)})`
    ],
    [
      trans.__('Distinct'),
      `${column.distinct_exact ? '' : '≈ '}${number(column.distinct)}`
    ],
    [
      trans.__('Prediction power'),
      column.power === null ? null : defined('power', number(column.power))
    ],
    [trans.__('Mean'), some(column.mean)],
    [trans.__('Standard deviation'), some(column.std)],
    [
      trans.__('Skew'),
      column.skew === null ? null : defined('skew', number(column.skew))
    ],
    [trans.__('Zeros'), some(column.zeros)],
    [trans.__('Negative'), some(column.negative)],
    [trans.__('Infinite'), column.infinite ? some(column.infinite) : null],
    [
      trans.__('Outliers'),
      column.outliers === null
        ? null
        : defined('outliers', number(column.outliers))
    ],
    ...QUANTILES.map((at, place): [string, React.ReactNode | null] => [
      at === 0
        ? trans.__('Minimum')
        : at === 0.5
          ? trans.__('Median')
          : at === 1
            ? trans.__('Maximum')
            : trans.__('%1 % quantile', number(100 * at)),
      column.quantiles.length ? cellText(column.quantiles[place]) : null
    ]),
    [
      trans.__('Length'),
      column.lengths &&
        trans.__(
          '%1 to %2 characters, %3 on average',
          number(column.lengths.min),
          number(column.lengths.max),
          number(column.lengths.mean)
        )
    ],
    [trans.__('Examples'), column.examples.map(cellText).join(' · ') || null]
  ];
  return facts.filter(([, value]) => value !== null);
}

function some(value: number | null): string | null {
  return value === null ? null : number(value);
}

function TopValues(props: { column: ColumnProfile }): React.JSX.Element | null {
  const { trans } = useStudio();
  const { showRows } = usePage();
  const { column } = props;
  if (column.top.length === 0) {
    return null;
  }
  const share = (count: number) => (column.count ? count / column.count : 0);
  return (
    <Section title={trans.__('Commonest values')}>
      <ul className="jp-StudioData-bars">
        {column.top.map(({ value, count }, at) => (
          <li key={at}>
            <button
              className="jp-StudioLink jp-StudioData-barName"
              title={trans.__('Show the rows with %1', cellText(value))}
              onClick={() =>
                showRows([{ op: 'equals', column: column.name, value }])
              }
            >
              {value === '' ? trans.__('(empty text)') : cellText(value)}
            </button>
            <ShareBar
              share={share(count)}
              text={`${percent(share(count))} (${number(count)})`}
            />
          </li>
        ))}
        {column.other > 0 && (
          <li>
            <span className="jp-StudioData-barName">
              {trans.__('All others')}
            </span>
            <ShareBar
              share={share(column.other)}
              text={`${percent(share(column.other))} (${number(column.other)})`}
            />
          </li>
        )}
      </ul>
    </Section>
  );
}
