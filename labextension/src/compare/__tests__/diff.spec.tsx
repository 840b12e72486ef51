import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import React from 'react';

import { nullTranslator } from '@jupyterlab/translation';

import { fakeStudio, renderIn, sized } from '../../__tests__/studio';
import type { studio } from '../../wire';
import DiffPane from '../diff';
import {
  diffRows,
  differs,
  extremes,
  nextDifference,
  visibleRows
} from '../diff/model';
import { ViewContext } from '../hooks';
import { chosen, INITIAL } from '../state';
import { ViewStore } from '../store';

const trans = nullTranslator.load('x');

function detail(
  Name: string,
  depth: number,
  auc: number,
  more: Partial<studio.TrialComponentDetail> = {}
): studio.TrialComponentDetail {
  return {
    Name,
    Arn: `arn:${Name}`,
    DisplayName: Name.toUpperCase(),
    Status: 'Completed',
    Owner: 'me',
    CreationTime: 0,
    LastModifiedTime: 0,
    Parameters: {
      depth: { NumberValue: depth },
      'eta <b>': { StringValue: '0.1' },
      n10: { NumberValue: 1 },
      n9: { NumberValue: 1 }
    },
    Metrics: [
      {
        MetricName: 'auc',
        Count: 2,
        Finite: 2,
        Last: auc,
        LastTime: 0,
        Minimum: 0.1,
        Maximum: 0.95
      }
    ],
    Tags: [],
    InputArtifacts: {},
    OutputArtifacts: {},
    Trials: [],
    Note: '',
    Starred: false,
    Color: '',
    Provenance: {
      Kind: 'script',
      Path: 'train.py',
      Git: { Root: '/', Commit: 'abc', Patch: `+${Name}\n same` },
      Python: {
        Version: '3.11.7',
        Packages: [{ Name: 'numpy', Version: depth > 3 ? '2.0' : '1.26' }]
      }
    },
    ...more
  };
}

const THREE = [detail('a', 3, 0.9), detail('b', 5, 0.8), detail('c', 3, 0.85)];

describe('the lines of a diff', () => {
  const rows = diffRows(THREE, trans);
  const row = (id: string) => rows.find(each => each.id === id)!;

  it('are of all that components have, section by section', () => {
    expect(rows.filter(each => each.counts).map(each => each.id)).toEqual([
      'general',
      'parameters',
      'metrics',
      'code',
      'environment',
      'packages'
    ]);
    expect(row('parameters').counts).toEqual({ differing: 1, total: 4 });
    expect(
      rows.filter(each => each.section === 'parameters').map(it => it.label)
    ).toEqual(['Parameters', 'depth', 'eta <b>', 'n9', 'n10']);
    expect(row('packages/numpy').cells.map(cell => cell?.text)).toEqual([
      '1.26',
      '2.0',
      '1.26'
    ]);
    expect(row('environment/Python.Version').same).toBe(true);
    expect(row('code/Not committed').same).toBe(false);
  });

  it('tell the extremes, and what differs from the base', () => {
    expect(extremes(row('metrics/auc'))).toEqual({ least: 1, greatest: 0 });
    expect(extremes(row('metrics/auc · min'))).toBeNull();
    expect([0, 1, 2].map(at => differs(row('parameters/depth'), at))).toEqual([
      false,
      true,
      false
    ]);
  });

  it('are narrowed, and walked from difference to difference', () => {
    const options = { hideSame: true, closed: new Set<string>(), find: '' };
    const shown = visibleRows(rows, options);
    expect(shown.map(each => each.id)).toEqual([
      'parameters',
      'parameters/depth',
      'metrics',
      'metrics/auc',
      'code',
      'code/Not committed',
      'packages',
      'packages/numpy'
    ]);
    expect(nextDifference(shown, -1, true)).toBe(1);
    expect(nextDifference(shown, 1, true)).toBe(3);
    expect(nextDifference(shown, 7, true)).toBe(1);
    expect(nextDifference(shown, 1, false)).toBe(7);
    expect(nextDifference([], 0, true)).toBe(-1);
    expect(
      visibleRows(rows, { ...options, closed: new Set(['code']), find: '2.0' })
    ).toHaveLength(2);
  });
});

describe('the pane', () => {
  beforeAll(() => sized());

  it('compares what is chosen with the base', async () => {
    const fake = fakeStudio({
      'aws/studio/DescribeTrialComponents': ({ Names }) => ({
        TrialComponents: THREE.filter(each => Names.includes(each.Name)),
        Missing: Names.filter((name: string) => name === 'gone')
      }),
      'aws/studio/QueryTrialComponents': () => ({
        Total: 3,
        Matched: 3,
        Names: ['a', 'b', 'c'],
        Arns: [],
        DisplayNames: ['', '', ''],
        Statuses: [],
        Columns: [],
        Warnings: []
      })
    });
    const view = new ViewStore(INITIAL);
    renderIn(
      fake,
      <ViewContext.Provider value={view}>
        <DiffPane view={view} />
      </ViewContext.Provider>
    );
    fireEvent.click(await screen.findByText('Choose the first 3'));
    expect(view.state.selection).toEqual(['a', 'b', 'c']);
    const grid = await screen.findByRole('treegrid', { name: 'Differences' });
    await waitFor(() => within(grid).getByText('depth'));
    expect(within(grid).queryByText('n10')).toBeNull();
    fireEvent.click(screen.getByRole('checkbox', { name: 'Only differences' }));
    await within(grid).findByText('n10');
    fireEvent.keyDown(grid, { key: ']' });
    const active = () =>
      document.getElementById(grid.getAttribute('aria-activedescendant')!)!;
    // The name is pinned, and lies beside the row.
    await waitFor(() => expect(active().textContent).toBe('353'));
    fireEvent.click(screen.getByRole('button', { name: 'Code and texts' }));
    await screen.findByText('1 lines removed, 1 added');
    view.change(chosen(['b', 'gone']));
    await screen.findByText('No more there: gone');
  });
});
