import React from 'react';

import { Chart } from '../components/chart/chart';
import { plain } from '../components/chart/theme';
import { number, percent, probability } from '../components/format';
import { useStudio } from '../components/hooks';
import { Facts, Section } from '../components/parts';
import { cellText } from './cells';
import { usePage } from './context';
import type { ComparePart, Drift, Overlay } from '../core/protocol';

/** How much a column differs, as a shape and a word. */
export function LevelMark(props: { level: Drift['level'] }): React.JSX.Element {
  const { trans } = useStudio();
  const words = {
    none: trans.__('none'),
    small: trans.__('small'),
    moderate: trans.__('moderate'),
    large: trans.__('large')
  };
  const filled = { none: 0, small: 1, moderate: 2, large: 3 }[props.level];
  return (
    <span className={`jp-StudioData-level jp-mod-${props.level}`}>
      <svg viewBox="0 0 20 12" aria-hidden="true">
        {[0, 1, 2].map(at => (
          <rect
            key={at}
            x={1 + 6.5 * at}
            y={8 - 3.5 * at}
            width={5}
            height={4 + 3.5 * at}
            className={at < filled ? 'jp-mod-on' : undefined}
          />
        ))}
      </svg>
      {words[props.level]}
    </span>
  );
}

/** One column of both data sets, over each other. */
export function DriftDetail(props: {
  drift: Drift;
  part: ComparePart;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { insert } = usePage();
  const { drift, part } = props;
  const { test, overlay } = drift;
  const names: [string, string] = [part.data.name, part.other.name];
  const facts: [string, React.ReactNode][] = [
    [trans.__('Difference'), <LevelMark key="level" level={drift.level} />],
    [trans.__('Effect, 0 to 1'), number(drift.effect)],
    [trans.__('PSI'), drift.psi === null ? '–' : number(drift.psi)],
    [
      trans.__('Type'),
      drift.type === drift.other_type
        ? drift.type
        : `${drift.type} → ${drift.other_type}`
    ],
    [
      trans.__('Missing'),
      `${percent(drift.missing_share)} → ${percent(drift.other_missing_share)}`
    ]
  ];
  if (test) {
    facts.push(
      [test.name, number(test.statistic)],
      [
        trans.__('p'),
        test.adjusted === null
          ? probability(test.p)
          : trans.__(
              '%1 (%2 adjusted for the number of columns)',
              probability(test.p),
              probability(test.adjusted)
            )
      ],
      [
        trans.__('Values'),
        trans.__('%1 and %2', number(test.n), number(test.other_n))
      ]
    );
  }
  const chart = React.useMemo(
    () =>
      overlay &&
      overlaid(drift.name, overlay, names, trans.__('Share of values')),
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [overlay, drift.name, names[0], names[1], trans]
  );
  return (
    <>
      <Section title={drift.name}>
        <p>{drift.words}</p>
      </Section>
      {chart && (
        <Chart
          title={trans.__('%1 in both data sets', drift.name)}
          summary={drift.words}
          data={chart.data}
          layout={chart.layout}
          table={chart.table}
          code={part.code}
          onInsert={insert}
          height={280}
        />
      )}
      <Section title={trans.__('Figures')}>
        <Facts facts={facts} />
      </Section>
    </>
  );
}

/** Both distributions in one chart: the first as bars, the other as an outline. */
function overlaid(
  name: string,
  overlay: Overlay,
  names: [string, string],
  share: string
): Pick<React.ComponentProps<typeof Chart>, 'data' | 'layout' | 'table'> {
  const { edges, labels, shares, other_shares: others } = overlay;
  const layout = {
    xaxis: { title: { text: plain(name) } },
    yaxis: {
      title: { text: plain(share) },
      tickformat: '.1%',
      rangemode: 'tozero'
    },
    bargap: edges ? 0 : 0.2,
    uirevision: name
  };
  const [one, other] = names.map(plain);
  if (!edges) {
    const x = (labels ?? []).map(label => plain(cellText(label)));
    return {
      data: [
        { type: 'bar', x, y: shares, name: one, meta: { color: 0 } },
        { type: 'bar', x, y: others, name: other, meta: { color: 1 } }
      ],
      layout: { ...layout, xaxis: { ...layout.xaxis, type: 'category' } },
      table: {
        columns: [name, ...names],
        rows: (labels ?? []).map((label, at) => [
          cellText(label),
          shares[at],
          others[at]
        ])
      }
    };
  }
  const middles = shares.map((_, at) => (edges[at] + edges[at + 1]) / 2);
  const widths = shares.map((_, at) => edges[at + 1] - edges[at]);
  return {
    data: [
      {
        type: 'bar',
        x: middles,
        y: shares,
        width: widths,
        name: one,
        opacity: 0.7,
        meta: { color: 0 }
      },
      {
        type: 'scatter',
        mode: 'lines',
        line: { shape: 'hv', width: 2 },
        x: edges,
        y: [...others, others[others.length - 1]],
        name: other,
        meta: { color: 1, dash: 'solid' }
      }
    ],
    layout,
    table: {
      columns: [name, ...names],
      rows: shares.map((each, at) => [
        `${number(edges[at])} – ${number(edges[at + 1])}`,
        each,
        others[at]
      ])
    }
  };
}
