import { fireEvent, screen, waitFor } from '@testing-library/react';
import React from 'react';

import { fakeStudio, renderIn } from '../../__tests__/studio';
import {
  curveChart,
  type ICurve,
  type IMatrix,
  loggedChart,
  matrixChart
} from '../../objects/logged';
import { loggedTable } from '../../objects/preview';
import type { studio } from '../../wire';
import ArtifactsPane from '../artifacts';
import { artifactAt, artifactGroups, shownAs } from '../artifacts/model';
import { ViewContext } from '../hooks';
import { jobOf } from '../logname';
import { chosen, INITIAL } from '../state';
import { ViewStore } from '../store';

function detail(
  Name: string,
  outputs: Record<string, string>
): studio.TrialComponentDetail {
  const artifacts = Object.entries(outputs).map(([key, Value]) => [
    key,
    { Value }
  ]);
  return {
    Name,
    DisplayName: Name,
    InputArtifacts: { train: { Value: 's3://b/in/' } },
    OutputArtifacts: Object.fromEntries(artifacts)
  } as unknown as studio.TrialComponentDetail;
}

const TWO = [
  detail('a', {
    'plot/20.png': 's3://b/a/20.png',
    'plot/3.png': 's3://b/a/3.png',
    page: 's3://b/a/page.html'
  }),
  detail('b', { 'plot/10': 's3://b/b/10', page: 's3://b/b/gone.html' })
];

describe('artifacts', () => {
  it('are one by name, with steps where their names say some', () => {
    const groups = artifactGroups(TWO);
    expect(groups.map(each => [each.name, each.input, each.steps])).toEqual([
      ['page', false, []],
      ['plot', false, [3, 10, 20]],
      ['train', true, []]
    ]);
    const [ofA, ofB] = groups[1].of;
    expect(artifactAt(ofA, 10)?.uri).toBe('s3://b/a/3.png');
    expect(artifactAt(ofA, undefined)?.uri).toBe('s3://b/a/20.png');
    expect(artifactAt(ofB, 3)?.step).toBe(10);
    expect(artifactAt([], 3)).toBeUndefined();
  });

  it('are shown as what they are', () => {
    const as = (uri: string, mediaType?: string) =>
      shownAs({ uri, mediaType, step: null });
    expect(as('s3://b/a.HTML')).toBe('html');
    expect(as('s3://b/a', 'text/html')).toBe('html');
    expect(as('s3://b/a/')).toBe('folder');
    expect(as('s3://b/a.csv')).toBe('preview');
  });

  it('may be tables that a tracker logged', () => {
    const table = {
      type: 'Table',
      version: 0,
      fields: [{ name: 'x' }, { name: 'y' }],
      data: { x: [1, 2], y: ['<b>', null] }
    };
    expect(loggedTable(JSON.stringify(table))).toMatchObject({
      header: ['x', 'y'],
      rows: [
        [1, '<b>'],
        [2, null]
      ],
      whole: true
    });
    expect(loggedTable('{"type": "Table"}')).toBeNull();
    expect(loggedTable('{"type": "Table", "fields": [3]')).toBeNull();
    expect(loggedTable('x,y')).toBeNull();
  });
});

describe('charts that trackers log', () => {
  const { trans } = fakeStudio({});
  const roc = (score: number) => ({
    type: 'ROCCurve',
    version: 0,
    title: 'roc',
    falsePositiveRate: [0, 0.5, 1],
    truePositiveRate: [0, 0.9, 1],
    areaUnderCurve: score
  });
  const text = (found: object) => JSON.stringify(found);

  it('are curves with their scores, several in one chart', () => {
    const curves = [0.7, 0.8].map(score => ({
      name: `<b>${score}</b>`,
      curve: loggedChart(text(roc(score))) as ICurve
    }));
    const { data, layout, summary, table } = curveChart(curves, trans);
    expect(data.map(trace => (trace as { name: string }).name)).toEqual([
      '&lt;b>0.7&lt;/b> (area 0.7)',
      '&lt;b>0.8&lt;/b> (area 0.8)',
      'no skill'
    ]);
    expect(layout['showlegend']).toBe(true);
    expect(summary).toContain('<b>0.8</b> (area 0.8)');
    expect(table.rows[1]).toEqual(['<b>0.7</b>', 0.5, 0.9]);
  });

  it('are confusion matrices that say how much is right', () => {
    const found = {
      type: 'ConfusionMatrix',
      confusionMatrix: [
        [8, 1],
        [1, 0]
      ]
    };
    const chart = loggedChart(text(found)) as IMatrix;
    const drawn = matrixChart(chart, trans);
    expect(drawn.summary).toBe('8 of 10 are right (0.8)');
    expect(drawn.table.rows).toEqual([
      ['0', 8, 1],
      ['1', 1, 0]
    ]);
  });

  it('are nothing else', () => {
    const broken = [
      { ...roc(1), falsePositiveRate: [0, 1] },
      { ...roc(1), truePositiveRate: ['<b>', 1, 1] },
      { type: 'ConfusionMatrix', confusionMatrix: [[1, 2]] },
      { type: 'Table' }
    ];
    expect(broken.map(each => loggedChart(text(each)))).toEqual(
      broken.map(() => null)
    );
    expect(loggedChart(text(roc(1)).slice(0, 40))).toBeNull();
    expect(loggedChart('0,1')).toBeNull();
  });
});

it('tells the job of a component', () => {
  const job = 'arn:aws:sagemaker:us-east-1:1:training-job/my-job';
  expect(jobOf({ SourceArn: job })).toBe('my-job');
  expect(jobOf({})).toBeNull();
});

// jsdom lays nothing out.
HTMLElement.prototype.scrollIntoView = () => undefined;

it('shows pages without letting them run or fetch anything', async () => {
  const html = '<h1>Report</h1><script>parent.hurt()</script>';
  const fake = fakeStudio({
    'aws/studio/DescribeTrialComponents': () => ({
      TrialComponents: TWO,
      Missing: []
    }),
    's3/b/a/page.html': (_, request) =>
      new Response(request.method === 'HEAD' ? null : html, {
        headers: { 'Content-Length': String(html.length) }
      }),
    's3/b/b/gone.html': () => new Response(null, { status: 404 })
  });
  const view = new ViewStore(chosen(['a', 'b'])(INITIAL));
  renderIn(
    fake,
    <ViewContext.Provider value={view}>
      <ArtifactsPane view={view} />
    </ViewContext.Provider>
  );
  const frame = await screen.findByTitle('a: page');
  expect(frame.getAttribute('sandbox')).toBe('');
  expect(frame.getAttribute('srcdoc')).toContain("default-src 'none'");
  expect(frame.getAttribute('srcdoc')).toContain(html);
  await screen.findByText(/No object lies at s3:\/\/b\/b\/gone.html/);
  fireEvent.keyDown(screen.getByRole('listbox'), { key: 'ArrowDown' });
  await waitFor(() =>
    expect(view.state.panes['artifacts']).toEqual({
      name: 'plot',
      input: false
    })
  );
  fireEvent.change(screen.getByRole('slider'), { target: { value: '0' } });
  expect(view.state.panes['artifacts']['step']).toBe(3);
});
