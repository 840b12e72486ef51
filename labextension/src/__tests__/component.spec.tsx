import {
  RenderMimeRegistry,
  standardRendererFactories
} from '@jupyterlab/rendermime';
import { fireEvent, screen, waitFor } from '@testing-library/react';
import React from 'react';

import { ComponentPage } from '../component/page';
import { seriesOf } from '../component/series';
import { StudioView } from '../core/documents';
import type { studio } from '../wire';
import { fakeStudio, renderIn, sized } from './studio';

const ARN =
  'arn:aws:sagemaker:us-east-1:000000000000:experiment-trial-component/run';
const AT = 1_700_000_000;

function detail(
  changes: Partial<studio.TrialComponentDetail> = {}
): studio.TrialComponentDetail {
  return {
    Name: 'run',
    Arn: ARN,
    DisplayName: 'run',
    Status: 'Completed',
    Owner: '',
    CreationTime: AT,
    LastModifiedTime: AT,
    StartTime: AT,
    EndTime: AT + 90,
    SourceArn: 'arn:aws:sagemaker:us-east-1:0:training-job/job-of-it',
    SourceType: 'SageMakerTrainingJob',
    Parameters: {
      lr: { NumberValue: 0.1 },
      html: { StringValue: '<img src=x onerror=alert(1)>' }
    },
    Metrics: [
      {
        MetricName: 'auc',
        Count: 1,
        Finite: 1,
        Last: 0.9,
        LastStep: 7,
        LastTime: AT,
        Minimum: 0.9,
        Maximum: 0.9,
        Mean: 0.9
      },
      { MetricName: 'bad', Count: 3, Finite: 0, LastTime: AT }
    ],
    Tags: [{ Key: 'team', Value: 'risk' }],
    InputArtifacts: { train: { Value: 's3://b/train.csv' } },
    OutputArtifacts: {},
    Trials: [{ TrialName: 'trees', ExperimentName: 'churn' }],
    Note: '',
    Starred: false,
    Color: '',
    ...changes
  };
}

function open(answers: Record<string, unknown>) {
  const studio = fakeStudio({
    'aws/studio/DescribeTrialComponents': () => ({
      TrialComponents: [detail()],
      Missing: []
    }),
    'aws/studio/UpdateTrialComponents': () => ({
      Changed: 1,
      Failed: 0,
      Errors: []
    }),
    'aws/studio/GetTrialComponentSeries': () => ({ Series: [] }),
    ...answers
  } as Parameters<typeof fakeStudio>[0]);
  const rendermime = new RenderMimeRegistry({
    initialFactories: standardRendererFactories
  });
  const type = {
    title: () => '',
    key: () => ''
  } as unknown as StudioView['type'];
  const view = new StudioView(type, { name: 'run' }, studio);
  renderIn(studio, <ComponentPage view={view} rendermime={rendermime} />);
  return studio;
}

const asked = (studio: ReturnType<typeof open>, operation: string) =>
  studio.asked.filter(([route]) => route.endsWith(`/${operation}`));

describe('The page of a trial component', () => {
  beforeEach(() => sized());

  it('shows everything about one, as text', async () => {
    open({});
    expect(await screen.findByRole('heading', { name: 'run' })).toBeTruthy();
    expect(screen.getByText('job-of-it')).toBeTruthy();
    expect(screen.getByText('churn')).toBeTruthy();
    expect(screen.getByText('1 min 30 s')).toBeTruthy();
    expect(screen.getByText('<img src=x onerror=alert(1)>')).toBeTruthy();
    expect(screen.getAllByText('0.9')).toHaveLength(4);
    expect(screen.getByText('step 7')).toBeTruthy();
    expect(screen.getByText('3, 3 not finite')).toBeTruthy();
  });

  it('stars, and tells the server', async () => {
    const studio = open({});
    fireEvent.click(await screen.findByRole('button', { name: 'Star' }));
    await waitFor(() =>
      expect(asked(studio, 'UpdateTrialComponents')).toEqual([
        ['aws/studio/UpdateTrialComponents', { Names: ['run'], Starred: true }]
      ])
    );
  });

  it('takes any text for a name on screen', async () => {
    const studio = open({});
    fireEvent.click(await screen.findByRole('button', { name: 'Rename' }));
    const field = await screen.findByDisplayValue('run');
    fireEvent.change(field, { target: { value: ' lr=0.1, 大 ' } });
    fireEvent.click(document.querySelector('.jp-Dialog .jp-mod-accept')!);
    await waitFor(() =>
      expect(asked(studio, 'UpdateTrialComponents')).toEqual([
        [
          'aws/studio/UpdateTrialComponents',
          { Names: ['run'], DisplayName: 'lr=0.1, 大' }
        ]
      ])
    );
  });

  it('edits the note, and keeps the draft that was refused', async () => {
    const studio = open({
      'aws/studio/UpdateTrialComponents': () => ({
        Changed: 0,
        Failed: 1,
        Errors: [{ Name: 'run', Code: 'X', Message: 'no' }]
      })
    });
    fireEvent.click(await screen.findByText('Write a note'));
    const editor = screen.getByLabelText('Note, in Markdown');
    fireEvent.change(editor, { target: { value: '# Mine' } });
    fireEvent.keyDown(editor, { key: 'Escape' });
    fireEvent.keyDown(editor, { key: 'Enter', ctrlKey: true });
    await waitFor(() =>
      expect(asked(studio, 'UpdateTrialComponents')).toHaveLength(1)
    );
    await waitFor(() => expect(screen.getByText('Save')).toBeTruthy());
    expect(screen.getByDisplayValue('# Mine')).toBeTruthy();
  });

  it('draws the note without what could run', async () => {
    const Note = '# Why\n\n<script>bad()</script><b onclick="bad()">bold</b>';
    open({
      'aws/studio/DescribeTrialComponents': () => ({
        TrialComponents: [detail({ Note })],
        Missing: []
      })
    });
    expect(await screen.findByText('bold', {}, { timeout: 9000 })).toBeTruthy();
    const shown = document.querySelector('.jp-StudioComponent-markdown')!;
    expect(shown.querySelector('script')).toBeNull();
    expect(shown.innerHTML).not.toContain('onclick');
  });

  it('adds and removes tags', async () => {
    const studio = open({
      'aws/sagemaker/AddTags': () => ({ Tags: [] }),
      'aws/sagemaker/DeleteTags': () => ({})
    });
    const key = await screen.findByLabelText('Key of a new tag');
    fireEvent.change(key, { target: { value: ' owner ' } });
    fireEvent.submit(key.closest('form')!);
    await waitFor(() =>
      expect(asked(studio, 'AddTags')[0]?.[1]).toEqual({
        ResourceArn: ARN,
        Tags: [{ Key: 'owner', Value: '' }]
      })
    );
    await waitFor(() => expect(key).toHaveProperty('value', ''));
    fireEvent.click(screen.getByLabelText('Remove the tag team'));
    await waitFor(() =>
      expect(asked(studio, 'DeleteTags')[0]?.[1]).toEqual({
        ResourceArn: ARN,
        TagKeys: ['team']
      })
    );
  });

  it('goes on showing what is deleted while one looks', async () => {
    let there = true;
    const studio = open({
      'aws/studio/DescribeTrialComponents': () => ({
        TrialComponents: there ? [detail()] : [],
        Missing: []
      })
    });
    await screen.findByRole('heading', { name: 'run' });
    there = false;
    studio.emit({
      type: 'resource',
      Kind: 'experiment-trial-component',
      Name: 'run',
      Arn: ARN,
      Status: '',
      Change: 'deleted',
      At: 0
    });
    expect(
      await screen.findByText(/was deleted/, {}, { timeout: 5000 })
    ).toBeTruthy();
    expect(screen.getByRole('heading', { name: 'run' })).toBeTruthy();
  });

  it('says what is not there', async () => {
    open({
      'aws/studio/DescribeTrialComponents': () => ({
        TrialComponents: [],
        Missing: ['run']
      })
    });
    expect(
      await screen.findByText('There is no trial component run.')
    ).toBeTruthy();
  });
});

describe('Series of a component', () => {
  const packed = (values: number[]) =>
    btoa(
      String.fromCharCode(...new Uint8Array(new Float64Array(values).buffer))
    );
  const found = (changes: Partial<studio.TrialComponentSeries>) =>
    seriesOf({
      TrialComponentName: 'run',
      MetricName: 'loss',
      X: packed([1, 2]),
      Minima: packed([3, 1]),
      Means: packed([4, 2]),
      Maxima: packed([5, 3]),
      Total: 20,
      Complete: false,
      ...changes
    });

  it('of parts have the least and the greatest', () => {
    const series = found({});
    expect([...series.values]).toEqual([3, 5, 1, 3]);
    expect([...series.steps!]).toEqual([1, 1, 2, 2]);
    expect([series.minimum, series.maximum, series.total]).toEqual([1, 5, 20]);
  });

  it('are their values where there are few', () => {
    const series = found({
      Complete: true,
      Minima: packed([NaN, 1]),
      Total: 2
    });
    expect([...series.values]).toEqual([NaN, 1]);
    expect(series.minimum).toBe(1);
  });

  it('of the machine are told by host', () => {
    const { name, group, host } = found({ MetricName: 'system/algo-1/cpu' });
    expect([name, group, host]).toEqual(['CPUUtilization', 'system', 'algo-1']);
  });
});
