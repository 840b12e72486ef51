import React from 'react';

import { Chart } from '../components/chart/chart';
import { useStudio } from '../components/hooks';
import {
  curveChart,
  type INamedCurve,
  type Logged,
  matrixChart
} from './logged';

const HEIGHT = 260;
/** What each line of a legend takes. */
const LINE = 20;

/** A chart that a tracker logged, as its SDK meant it. */
export function LoggedChart(props: {
  chart: Logged;
  label: string;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { chart, label } = props;
  const drawn = React.useMemo(
    () =>
      chart.kind === 'matrix'
        ? matrixChart(chart, trans)
        : curveChart([{ name: label, curve: chart }], trans),
    [chart, label, trans]
  );
  const { summary } = drawn;
  return (
    <Chart
      {...drawn}
      title={chart.title || label}
      note={summary}
      height={HEIGHT}
    />
  );
}

/** Curves of several components in one chart. */
export function LoggedCurves(props: {
  curves: readonly INamedCurve[];
  title: string;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { curves, title } = props;
  const drawn = React.useMemo(() => curveChart(curves, trans), [curves, trans]);
  return (
    <Chart {...drawn} title={title} height={HEIGHT + curves.length * LINE} />
  );
}
