import { fireEvent, screen, waitFor } from '@testing-library/react';
import React from 'react';

import {
  type Answers,
  fakeStudio,
  renderIn,
  sized
} from '../../__tests__/studio';
import { StudioView } from '../../core/documents';
import { deleteTrial } from '../actions';
import { queryOf, summaries } from '../model';
import { ExperimentsPage } from '../page';

/** Numbers as the server answers them. */
function blob(...numbers: number[]): string {
  const bytes = new Uint8Array(Float64Array.from(numbers).buffer);
  return btoa(String.fromCharCode(...bytes));
}

jest.mock('../../core/confirm', () => ({
  confirmed: () => Promise.resolve(true)
}));

const ANSWERS: Answers = {
  'aws/studio/QueryResources': () => ({
    Rows: [
      {
        Kind: 'experiment',
        Name: 'churn',
        DisplayName: 'Churn <b>',
        Arn: '',
        Status: '',
        CreationTime: 1,
        LastModifiedTime: 1,
        Trials: 1,
        TrialComponents: 3
      }
    ],
    Total: 1,
    CountsByStatus: {},
    Unfiltered: 1
  }),
  'aws/studio/ListTrialComponentFields': () => ({
    Total: 3,
    Fields: [
      { Field: 'metric.loss', Name: 'loss', Components: 1 },
      { Field: 'metric["system/cpu"]', Name: 'system/cpu', Components: 9 },
      { Field: 'metric.auc', Name: 'auc', Components: 5 }
    ]
  }),
  'aws/studio/GroupTrialComponents': ({ GroupBy, Fields }) => ({
    Total: 5,
    Matched: 2,
    Groups: [
      { Keys: [{ Text: GroupBy[0] === 'trial' ? 't1' : 'churn' }], Count: 3 },
      { Keys: [{}], Count: 2 }
    ],
    Statistics: (Fields as string[]).map(Field => ({
      Field,
      Minima: blob(0.5, NaN),
      Maxima: blob(0.75, NaN)
    })),
    Warnings: []
  }),
  'aws/sagemaker/ListTrials': () => ({
    TrialSummaries: [{ TrialName: 't1', CreationTime: 1 }]
  })
};

it('writes the query of an experiment, whatever it is called', () => {
  expect(queryOf('a')).toBe('experiment == "a"');
  expect(queryOf('a', 'b "c"')).toBe(
    'experiment == "a" and trial == "b \\"c\\""'
  );
  expect(queryOf(null)).toBe('experiment is None');
});

it('reads what groups came to', async () => {
  const { client } = fakeStudio(ANSWERS);
  const found = await summaries(
    client,
    { GroupBy: ['experiment'] },
    'metric.auc',
    new AbortController().signal
  );
  expect(found.get('churn')).toEqual({
    components: 3,
    activity: 750,
    range: [0.5, 0.75]
  });
  expect(found.get(null)).toMatchObject({ components: 2, range: undefined });
});

it('deletes a trial after its components have left it', async () => {
  const pages = [['a', 'b'], ['c'], []];
  const fake = fakeStudio({
    'aws/sagemaker/ListTrialComponents': () => ({
      TrialComponentSummaries: pages
        .shift()!
        .map(TrialComponentName => ({ TrialComponentName }))
    }),
    'aws/studio/UpdateTrialComponents': () => ({
      Changed: 1,
      Failed: 0,
      Errors: []
    }),
    'aws/sagemaker/DeleteTrial': () => ({})
  });
  await deleteTrial(fake, 't1');
  expect(fake.asked.slice(1)).toEqual([
    [
      'aws/studio/UpdateTrialComponents',
      { Names: ['a', 'b'], RemoveFromTrial: 't1' }
    ],
    ['aws/sagemaker/ListTrialComponents', { TrialName: 't1', MaxResults: 100 }],
    [
      'aws/studio/UpdateTrialComponents',
      { Names: ['c'], RemoveFromTrial: 't1' }
    ],
    ['aws/sagemaker/ListTrialComponents', { TrialName: 't1', MaxResults: 100 }],
    ['aws/sagemaker/DeleteTrial', { TrialName: 't1' }]
  ]);
});

describe('the page', () => {
  beforeAll(() => sized());

  function shown(answers: Answers) {
    const fake = fakeStudio(answers);
    const view = new StudioView(
      { command: 'studio:open-experiments' } as never,
      {},
      fake
    );
    const ran: unknown[] = [];
    fake.commands.addCommand('studio:compare', {
      describedBy: { args: {} },
      execute: args => void ran.push(args)
    });
    renderIn(fake, <ExperimentsPage view={view} />);
    return { view, ran };
  }

  it('lists experiments and what is unassigned, with trials beside', async () => {
    const { view, ran } = shown(ANSWERS);
    await screen.findByText('Unassigned');
    await screen.findByText('0.5 … 0.75');
    expect(screen.getByRole('option', { name: 'metric.auc' })).toBeTruthy();
    expect(screen.queryByRole('option', { name: /system/ })).toBeNull();
    fireEvent.click(screen.getByText('Churn <b>'));
    expect(view.args['selected']).toBe('churn');
    fireEvent.doubleClick(await screen.findByText('t1'));
    fireEvent.doubleClick(screen.getByText('Unassigned'));
    await waitFor(() =>
      expect(ran).toEqual([
        { query: 'experiment == "churn" and trial == "t1"' },
        { query: 'experiment is None' }
      ])
    );
  });

  it('says what to do first', async () => {
    shown({
      ...ANSWERS,
      'aws/studio/QueryResources': () => ({
        Rows: [],
        Total: 0,
        CountsByStatus: {},
        Unfiltered: 0
      }),
      'aws/studio/GroupTrialComponents': () => ({
        Groups: [],
        Statistics: []
      })
    });
    await screen.findByText('Nothing has been tracked yet');
  });
});
