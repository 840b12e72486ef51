import { InputDialog } from '@jupyterlab/apputils';
import { Signal } from '@lumino/signaling';
import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import React from 'react';

import { plan } from '../deploy/draft';
import { decide, register } from '../registry/actions';
import { ModelGroupPage } from '../registry/page';
import { aliasesOf, flat, metricsOf } from '../registry/versions';
import { fakeStudio, renderIn } from './studio';

const ARN = 'arn:aws:sagemaker:us-east-1:000000000000:';
const URI = 's3://b/out/j1/output/model.tar.gz';

const version = (number: number, status: string, more: object = {}) => ({
  ModelPackage: {
    ModelPackageArn: `${ARN}model-package/churn/${number}`,
    ModelPackageGroupName: 'churn',
    ModelPackageVersion: number,
    ModelApprovalStatus: status,
    CreationTime: number,
    InferenceSpecification: {
      Containers: [{ Image: '1.dkr.ecr/kmeans:1', ModelDataUrl: URI }]
    },
    ...more
  }
});

const job = {
  TrainingJob: {
    TrainingJobName: 'j1',
    ModelArtifacts: { S3ModelArtifacts: URI },
    FinalMetricDataList: [{ MetricName: 'loss', Value: 0.5 }]
  }
};

function churn() {
  return fakeStudio({
    'aws/sagemaker/DescribeModelPackageGroup': () => ({
      ModelPackageGroupName: 'churn',
      ModelPackageGroupArn: `${ARN}model-package-group/churn`,
      CreationTime: 1
    }),
    'aws/sagemaker/ListTags': () => ({
      Tags: [{ Key: 'studio:alias:champion', Value: '1' }]
    }),
    'aws/sagemaker/Search': body => ({
      Results:
        body.Resource === 'ModelPackage'
          ? [
              version(2, 'PendingManualApproval', {
                CustomerMetadataProperties: { auc: '0.75', team: 'risk' }
              }),
              version(1, 'Approved', {
                ApprovalDescription: '<b>good</b>',
                ModelMetrics: {
                  ModelQuality: { Statistics: { S3Uri: 's3://b/q.json' } }
                }
              })
            ]
          : [job]
    }),
    's3/b/q.json': () => ({
      binary_classification_metrics: { auc: { value: 0.5 } }
    }),
    'aws/sagemaker/UpdateModelPackage': () => ({}),
    'aws/sagemaker/ListModelPackageGroups': () => ({
      ModelPackageGroupSummaryList: []
    }),
    'aws/sagemaker/CreateModelPackageGroup': () => ({}),
    'aws/sagemaker/DescribeModel': () => ({ ModelArn: `${ARN}model/m` }),
    'aws/sagemaker/CreateModelPackage': () => ({})
  });
}

function shown(studio: ReturnType<typeof churn>): any {
  const view: any = { args: { name: 'churn' } };
  view.argsChanged = new Signal(view);
  view.setArgs = (changes: object) => {
    view.args = { ...view.args, ...changes };
    view.argsChanged.emit(undefined);
  };
  renderIn(studio, <ModelGroupPage view={view} />);
  return view;
}

describe('versions', () => {
  it('know their aliases and metrics', () => {
    expect(
      aliasesOf([
        { Key: 'studio:alias:b', Value: '1' },
        { Key: 'team', Value: '1' },
        { Key: 'studio:alias:a', Value: '1' }
      ])
    ).toEqual(new Map([[1, ['a', 'b']]]));
    expect(flat({ a: { b: { value: 2, standard_deviation: 'NaN' } } })).toEqual(
      [['b', 2]]
    );
    expect(
      metricsOf([{ metrics: { z: 1 } }, { metrics: { a: 1, z: 2 } }] as any)
    ).toEqual(['z', 'a']);
  });
});

describe('ModelGroupPage', () => {
  it('shows versions with aliases, metrics and comments, and deploys what is approved', async () => {
    const studio = churn();
    shown(studio);
    const table = await screen.findByRole('table');
    const [, second, first] = within(table).getAllByRole('row');
    expect(within(first).getByText('champion')).toBeTruthy();
    expect(within(first).getByText('<b>good</b>')).toBeTruthy();
    expect(within(first).getByText('Deploy…')).toBeTruthy();
    expect(within(second).queryByText('Deploy…')).toBeNull();
    expect(within(second).getByText('0.75')).toBeTruthy();
    expect(within(first).getAllByText('0.5').length).toBe(2);
    expect(within(first).getByText('j1')).toBeTruthy();
  });

  it('compares two versions', async () => {
    shown(churn());
    for (const number of [1, 2]) {
      fireEvent.click(
        await screen.findByLabelText(`Compare version ${number}`)
      );
    }
    await waitFor(() => expect(screen.getByText('+0.25')).toBeTruthy());
  });
});

describe('actions', () => {
  afterEach(() => jest.restoreAllMocks());

  it('approves with a comment, and not when the comment is cancelled', async () => {
    const studio = churn();
    const answer = jest.spyOn(InputDialog, 'getText');
    const it = { arn: 'a', number: 2, comment: '' } as any;
    answer.mockResolvedValueOnce({
      button: { accept: false },
      value: null
    } as any);
    await decide(studio, it, 'Approved');
    expect(studio.asked).toEqual([]);
    answer.mockResolvedValueOnce({
      button: { accept: true },
      value: 'fine'
    } as any);
    await decide(studio, it, 'Approved');
    expect(studio.asked[0][1]).toEqual({
      ModelPackageArn: 'a',
      ModelApprovalStatus: 'Approved',
      ApprovalDescription: 'fine'
    });
  });

  it('registers a model in a group that is made', async () => {
    const studio = churn();
    const opened = jest
      .spyOn(studio.commands, 'execute')
      .mockResolvedValue(undefined);
    jest
      .spyOn(InputDialog, 'getItem')
      .mockResolvedValueOnce({ button: { accept: true }, value: 'g' } as any);
    await register(studio, { model: 'm' });
    expect(studio.asked.map(([route]) => route.split('/').pop())).toEqual([
      'ListModelPackageGroups',
      'CreateModelPackageGroup',
      'DescribeModel',
      'CreateModelPackage'
    ]);
    expect(studio.asked.at(-1)![1]).toEqual({
      ModelPackageGroupName: 'g',
      SourceUri: `${ARN}model/m`
    });
    expect(opened).toHaveBeenCalledWith('studio:open-model-group', {
      name: 'g'
    });
  });
});

describe('deploying a version', () => {
  it('makes a model of it', () => {
    const known = { models: [], endpoints: [], configs: [], role: 'r' };
    const { trans } = churn();
    const source = { kind: 'package' as const, name: 'churn/1' };
    const made = plan({ source }, known, null, [], trans);
    expect(made.problems).toEqual([]);
    expect(made.calls[0].request).toEqual({
      ModelName: 'churn-1',
      ExecutionRoleArn: 'r',
      PrimaryContainer: { ModelPackageName: 'churn/1' }
    });
  });
});
