import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import React from 'react';

import { SvgPen } from '../components/chart/pen';
import {
  graphOf,
  type Link,
  MOST_OPEN,
  type Vertex
} from '../compare/lineage/classes';
import { LineageGraph } from '../compare/lineage/graph';
import { NODE, pathOf, placed } from '../compare/lineage/layout';
import { type IDrawn, linkTable, paint } from '../compare/lineage/picture';
import { nameOf, pageOf, typeOf } from '../compare/lineage/things';
import { fakeStudio, renderIn, sized } from './studio';

const ARN = 'arn:aws:sagemaker:us-east-1:000000000000:';
const ROUTE = 'aws/studio/DescribeLineage';

function thing(name: string, changes: Partial<Vertex> = {}): Vertex {
  return {
    Arn: `${ARN}artifact/${name}`,
    Kind: 'artifact',
    Type: 'DataSet',
    SourceUri: `s3://b/${name}.csv`,
    CreationTime: 1_700_000_000,
    Depth: -1,
    ...changes
  };
}

function component(name: string): Vertex {
  return thing(name, {
    Arn: `${ARN}experiment-trial-component/${name}`,
    Kind: 'experiment-trial-component',
    Type: 'TrainingJob',
    Name: name,
    Status: 'Completed',
    SourceUri: `${ARN}training-job/${name}`,
    Depth: 0
  });
}

const model = (name: string) =>
  thing(name, {
    Type: 'Model',
    SourceUri: `s3://b/out/${name}/output/model.tar.gz`,
    Depth: 1
  });

const link = (from: Vertex, to: Vertex): Link => ({
  SourceArn: from.Arn,
  DestinationArn: to.Arn
});

/** One data set, `count` jobs and a model of each. */
function sweep(count: number): { vertices: Vertex[]; edges: Link[] } {
  const data = thing('data');
  const jobs = Array.from({ length: count }, (_, n) => component(`job-${n}`));
  const models = jobs.map((_, n) => model(`model-${n}`));
  return {
    vertices: [data, ...jobs, ...models],
    edges: [
      ...jobs.map(job => link(data, job)),
      ...jobs.map((job, n) => link(job, models[n]))
    ]
  };
}

const trans = fakeStudio({}).trans;

function pictureOf(drawn: IDrawn): string {
  const pen = new SvgPen();
  const color = 'red';
  const colors = { text: color, faint: color, border: color, chosen: color };
  paint(pen, drawn, { ...colors, ground: 'white', font: 'serif' }, trans);
  return pen.svg(10, 10, 'white');
}

describe('What is drawn of a lineage', () => {
  it('is each thing while there are few', () => {
    const { vertices, edges } = sweep(3);
    const graph = graphOf(vertices, edges, new Set());
    expect(graph.nodes.map(node => node.id)).toHaveLength(7);
    expect(graph.links).toHaveLength(6);
  });

  it('is one node for all that are alike, whatever each has of its own', () => {
    const { vertices, edges } = sweep(200);
    const graph = graphOf(vertices, edges, new Set());
    expect(graph.nodes.map(node => node.things.length)).toEqual([1, 200, 200]);
    expect(graph.links).toHaveLength(2);
  });

  it('tells apart what hangs on other things', () => {
    const { vertices, edges } = sweep(60);
    const endpoint = thing('endpoint', { Type: 'Endpoint', Kind: 'context' });
    const deployed = vertices.find(it => nameOf(it).startsWith('model-7/'))!;
    const graph = graphOf(
      [...vertices, endpoint],
      [...edges, link(deployed, endpoint)],
      new Set()
    );
    const alone = graph.nodes.filter(node => node.things.length === 1);
    expect(alone.map(node => nameOf(node.things[0])).sort()).toEqual([
      'b/data.csv',
      'b/endpoint.csv',
      'job-7',
      'model-7/…/model.tar.gz'
    ]);
    expect(graph.nodes).toHaveLength(6);
  });

  it('opens a class, up to what one can look at', () => {
    const { vertices, edges } = sweep(200);
    const [, jobs] = graphOf(vertices, edges, new Set()).nodes;
    const graph = graphOf(vertices, edges, new Set([jobs.id]));
    const counts = graph.nodes.map(node => node.things.length);
    expect(counts.filter(count => count === 1)).toHaveLength(MOST_OPEN + 1);
    expect(counts).toContain(200 - MOST_OPEN);
  });

  it('leaves out a link that a longer way says, too', () => {
    const [a, b, c] = ['a', 'b', 'c'].map(name => thing(name));
    const edges = [link(a, b), link(b, c), link(a, c)];
    expect(graphOf([a, b, c], edges, new Set()).links).toEqual([
      [a.Arn, b.Arn],
      [b.Arn, c.Arn]
    ]);
  });
});

describe('The layout', () => {
  const links: [string, string][] = [
    ['a', 'c'],
    ['b', 'c'],
    ['c', 'd'],
    ['d', 'e'],
    ['x', 'e']
  ];

  it('goes from left to right', () => {
    const { at } = placed(['a', 'b', 'c', 'd', 'e', 'x'], links);
    const layer = (id: string) => at.get(id)!.layer;
    for (const [from, to] of links) {
      expect(layer(from)).toBeLessThan(layer(to));
    }
    // What something came before stands beside it.
    expect(layer('x')).toBe(layer('e') - 1);
  });

  it('puts no node on another', () => {
    const ids = Array.from({ length: 60 }, (_, n) => `n${n}`);
    const many = ids
      .slice(1)
      .map((id, n): [string, string] => [`n${Math.floor(n / 3)}`, id]);
    const { at, height, width } = placed(ids, many);
    const places = [...at.values()];
    places.forEach((one, n) => {
      expect(one.y).toBeGreaterThanOrEqual(0);
      expect(one.y + NODE.height).toBeLessThanOrEqual(height + 0.01);
      expect(one.x + NODE.width).toBeLessThanOrEqual(width);
      for (const other of places.slice(n + 1)) {
        expect(
          one.layer !== other.layer ||
            Math.abs(one.y - other.y) >= NODE.height - 0.01
        ).toBe(true);
      }
    });
  });

  it('does not lose its way in a circle', () => {
    const round: [string, string][] = [
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'a']
    ];
    expect(placed(['a', 'b', 'c'], round).at.size).toBe(3);
    expect(placed([], []).at.size).toBe(0);
  });

  it('draws smooth ways', () => {
    expect(
      pathOf([
        [0, 0],
        [10, 20]
      ])
    ).toBe('M 0 0 C 5 0 5 20 10 20');
  });
});

describe('Things', () => {
  const page = (changes: Partial<Vertex>) => pageOf(thing('x', changes));

  it('open what they stand for', () => {
    expect(page({})).toEqual(['studio:open-data', { uri: 's3://b/x.csv' }]);
    expect(page({ SourceUri: 's3://b/a/model.tar.gz' })).toEqual([
      'studio:open-objects',
      { bucket: 'b', prefix: 'a/' }
    ]);
    expect(page({ SourceUri: `${ARN}endpoint/e`, Kind: 'context' })).toEqual([
      'studio:open-endpoint',
      { name: 'e' }
    ]);
    expect(page({ SourceUri: `${ARN}model/m` })).toEqual([
      'studio:open-model',
      { name: 'm' }
    ]);
    expect(page({ SourceUri: '123.dkr.ecr/xgboost:1' })).toBeNull();
    expect(page({ SourceUri: 'javascript:alert(1)' })).toBeNull();
    expect(pageOf(component('c-aws-training-job'))).toEqual([
      'studio:open-component',
      { name: 'c-aws-training-job' }
    ]);
  });

  it('are called as people call them', () => {
    expect(nameOf(component('c-aws-training-job'))).toBe('c');
    expect(nameOf(thing('x', { SourceUri: 's3://b/a/b/c/' }))).toBe('b/c');
    const image = { Type: 'Image', SourceUri: '1.dkr.ecr.x/xgboost:1.7-1' };
    expect(nameOf(thing('x', image))).toBe('xgboost 1.7-1');
    expect(typeOf(thing('x', { Type: '<b>own</b>' }), trans)).toBe(
      '<b>own</b>'
    );
  });
});

describe('The graph', () => {
  beforeEach(() => sized());

  function open(count: number) {
    const { vertices, edges } = sweep(count);
    const studio = fakeStudio({
      [ROUTE]: () => ({
        Total: vertices.length,
        Vertices: vertices,
        Edges: edges
      })
    });
    const executed: unknown[] = [];
    for (const id of ['studio:open-data', 'studio:open-component']) {
      studio.commands.addCommand(id, {
        describedBy: { args: {} },
        execute: args => void executed.push([id, args])
      });
    }
    renderIn(studio, <LineageGraph arns={[vertices[1].Arn]} />);
    return { studio, executed };
  }

  it('is walked with arrows and opened with a click', async () => {
    const { executed } = open(1);
    const job = await screen.findByRole('button', { name: /job-0.*chosen/ });
    expect(job).toHaveProperty('tabIndex', 0);
    job.focus();
    fireEvent.keyDown(job, { key: 'ArrowLeft' });
    const data = screen.getByRole('button', { name: /^Data: b\/data.csv/ });
    expect(document.activeElement).toBe(data);
    fireEvent.click(data);
    expect(executed).toEqual([
      ['studio:open-data', { uri: 's3://b/data.csv' }]
    ]);
    fireEvent.keyDown(data, { key: 'End' });
    expect(document.activeElement?.textContent).toContain('model-0');
  });

  it('shows those that are alike one by one when asked', async () => {
    open(60);
    const jobs = await screen.findByRole('button', {
      name: /Training job: 60 alike/
    });
    fireEvent.click(jobs);
    expect(screen.getByRole('button', { name: /job-0.*chosen/ })).toBeTruthy();
    expect(screen.getByRole('button', { name: /20 alike/ })).toBeTruthy();
    fireEvent.click(screen.getByText('Alike together'));
    expect(screen.queryByRole('button', { name: /job-0/ })).toBeNull();
  });

  it('leaves out types, and says of how many', async () => {
    open(3);
    fireEvent.click(await screen.findByLabelText('Model data (3)'));
    expect(screen.getByText('4 of 7 things')).toBeTruthy();
    expect(screen.queryByRole('button', { name: /model-0/ })).toBeNull();
  });

  it('has a table that says the same', async () => {
    open(2);
    fireEvent.click(await screen.findByRole('button', { name: 'Table' }));
    const rows = screen.getAllByRole('row').slice(1);
    expect(rows).toHaveLength(5);
    expect(within(rows[0]).getByText('1 before')).toBeTruthy();
    expect(within(rows[4]).getByText('1 after')).toBeTruthy();
  });

  it('is exported as a picture that says all of it, and as a table of its links', () => {
    const { vertices, edges } = sweep(60);
    vertices[0].SourceUri = 's3://b/<script>.csv';
    const graph = graphOf(vertices, edges, new Set());
    const ids = graph.nodes.map(node => node.id);
    const drawn = { ...graph, places: placed(ids, graph.links) };
    const svg = pictureOf(drawn);
    const parsed = new DOMParser().parseFromString(svg, 'image/svg+xml');
    expect(parsed.querySelector('parsererror')).toBeNull();
    const texts = [...parsed.querySelectorAll('text')];
    expect(texts.map(it => it.textContent)).toEqual([
      'Data',
      'b/<script>.csv',
      '◆ Training job',
      '60 alike',
      'Model data',
      '60 alike'
    ]);
    expect(svg.match(/d="M[^"]*C/g)).toHaveLength(2);
    const { columns, rows } = linkTable(vertices, edges, trans);
    expect(rows).toHaveLength(120);
    expect(rows[0]).toHaveLength(columns.length);
    expect(rows[0][5]).toBe('job-0');
  });

  it('follows what happens', async () => {
    const { studio } = open(1);
    await screen.findByRole('button', { name: /job-0.*chosen/ });
    studio.emit({
      type: 'resource',
      Kind: 'endpoint',
      Name: 'e',
      Arn: '',
      Status: 'Creating',
      Change: 'created',
      At: 0
    });
    await waitFor(() => expect(studio.asked.length).toBe(2), {
      timeout: 5000
    });
  });

  it('says what to do where nothing is known', async () => {
    const studio = fakeStudio({
      [ROUTE]: () => ({ Total: 1, Vertices: [component('alone')], Edges: [] })
    });
    renderIn(studio, <LineageGraph arns={['x']} />);
    expect(await screen.findByText(/Nothing is known/)).toBeTruthy();
  });
});
