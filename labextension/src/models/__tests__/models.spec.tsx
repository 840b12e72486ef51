import { Signal } from '@lumino/signaling';
import { fireEvent, screen, waitFor } from '@testing-library/react';
import React from 'react';

import { fakeStudio, renderIn } from '../../__tests__/studio';
import { arranged } from '../../components/list';
import { imageName, jobOf } from '../../core/lineage';
import { ModelsPage, modelRows } from '../list';

const record = (name: string, at: number) => ({
  Model: {
    Model: {
      ModelName: name,
      CreationTime: at,
      PrimaryContainer: {
        Image: '1.dkr.ecr.us-east-1.amazonaws.com/kmeans:1',
        ModelDataUrl: `s3://b/out/${name}-job/output/model.tar.gz`
      }
    },
    Endpoints: []
  }
});

describe('lineage', () => {
  it('leads from an artifact to its job, and from an image to its name', () => {
    expect(jobOf('s3://b/out/j1/output/model.tar.gz')).toBe('j1');
    expect(jobOf('s3://b/mine/model.tar.gz')).toBe('');
    expect(imageName('1.dkr.ecr.us-east-1.amazonaws.com/a/b:1.7-1')).toBe(
      'b 1.7-1'
    );
  });
});

describe('arranged', () => {
  it('filters by every word and sorts numbers within names', () => {
    const rows = modelRows([record('m-10', 1), record('m-9', 2)]);
    const columns = [
      { id: 'name', title: '', width: 1, cell: () => null, value: nameOf }
    ];
    const names = (args: object) =>
      arranged(rows, columns, nameOf, args).map(nameOf);
    expect(names({ sort: 'name' })).toEqual(['m-9', 'm-10']);
    expect(names({ sort: 'name', descending: true })).toEqual(['m-10', 'm-9']);
    expect(names({ filter: 'M 10' })).toEqual(['m-10']);
  });
});

describe('ModelsPage', () => {
  it('fetches again when a model changes, and asks the user what to do first', async () => {
    let records: object[] = [];
    const studio = fakeStudio({
      'aws/sagemaker/Search': () => ({
        Results: records,
        TotalHits: { Value: records.length }
      })
    });
    const view: any = { args: {}, setArgs: () => undefined };
    view.argsChanged = new Signal(view);
    renderIn(studio, <ModelsPage view={view} />);
    expect(await screen.findByText('No models yet')).toBeTruthy();
    records = [record('<b>new</b>', 3)];
    studio.emit({
      type: 'resource',
      Kind: 'model',
      Name: 'new',
      Arn: '',
      Status: 'InService',
      Change: 'created',
      At: 0
    });
    await waitFor(() => expect(screen.getByText('1 row')).toBeTruthy());
  });

  it('leads from the rows to the filter with a slash', async () => {
    const studio = fakeStudio({
      'aws/sagemaker/Search': () => ({
        Results: [record('m', 1)],
        TotalHits: { Value: 1 }
      })
    });
    const view: any = { args: {}, setArgs: () => undefined };
    view.argsChanged = new Signal(view);
    renderIn(studio, <ModelsPage view={view} />);
    const grid = await screen.findByRole('grid');
    fireEvent.keyDown(grid, { key: '/' });
    expect(document.activeElement).toBe(screen.getByRole('searchbox'));
  });
});

function nameOf(row: { name: string }): string {
  return row.name;
}
