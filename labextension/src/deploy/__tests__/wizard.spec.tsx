import { act, fireEvent, screen, waitFor } from '@testing-library/react';
import { Signal } from '@lumino/signaling';
import React from 'react';

import { fakeStudio, renderIn, type Answers } from '../../__tests__/studio';
import { DeployPage } from '../wizard';

/** A page's arguments, as the main area keeps them. */
function view(args: any): any {
  const it = {
    args,
    setArgs: (changes: any) => {
      it.args = JSON.parse(JSON.stringify({ ...it.args, ...changes }));
      it.argsChanged.emit();
    },
    argsChanged: null as any
  };
  it.argsChanged = new Signal<any, void>(it);
  return it;
}

const model = {
  Model: { Model: { ModelName: 'bank', CreationTime: 1 }, Endpoints: [] }
};

function answers(more: Answers = {}): Answers {
  return {
    'aws/sagemaker/Search': body =>
      body.Resource === 'Model'
        ? { Results: [model], TotalHits: { Value: 1 } }
        : { Results: [], TotalHits: { Value: 0 } },
    'aws/sagemaker/ListEndpointConfigs': () => ({ EndpointConfigs: [] }),
    'aws/studio/DescribeDefaults': () => ({ RoleArn: 'arn:role' }),
    'aws/sagemaker/CreateEndpointConfig': () => ({}),
    'aws/sagemaker/CreateEndpoint': () => ({}),
    ...more
  };
}

const changes = (studio: { asked: [string, any][] }) =>
  studio.asked
    .map(([route]) => route.replace('aws/sagemaker/', ''))
    .filter(name => /^(Create|Delete|Update)/.test(name));

describe('DeployPage', () => {
  it('deploys from the first step, and goes on to the progress', async () => {
    const studio = fakeStudio(answers());
    const page = view({ model: 'bank' });
    renderIn(studio, <DeployPage view={page} />);
    const button = await screen.findByRole('button', { name: 'Deploy' });
    fireEvent.click(button);
    await waitFor(() => expect(page.args.begun).toBeDefined());
    expect(changes(studio)).toEqual(['CreateEndpointConfig', 'CreateEndpoint']);
    expect(page.args.begun).toEqual({
      endpoint: 'bank',
      made: { config: 'bank', endpoint: 'bank' }
    });
  });

  it('removes what it made when a later call is refused', async () => {
    const studio = fakeStudio(
      answers({
        'aws/sagemaker/CreateEndpoint': () =>
          new Response(
            JSON.stringify({
              __type: 'ValidationException',
              message: '<b>no room</b>'
            }),
            { status: 400 }
          ),
        'aws/sagemaker/DeleteEndpointConfig': () => ({})
      })
    );
    const page = view({ model: 'bank' });
    renderIn(studio, <DeployPage view={page} />);
    fireEvent.click(await screen.findByRole('button', { name: 'Deploy' }));
    expect(await screen.findByText('<b>no room</b>')).toBeTruthy();
    expect(changes(studio)).toEqual([
      'CreateEndpointConfig',
      'CreateEndpoint',
      'DeleteEndpointConfig'
    ]);
    expect(page.args.begun).toBeUndefined();
  });

  it('says what is missing, and offers no Deploy before', async () => {
    const studio = fakeStudio(answers());
    renderIn(studio, <DeployPage view={view({})} />);
    const button = await screen.findByRole('button', { name: 'Deploy' });
    expect((button as HTMLButtonElement).disabled).toBe(true);
    expect(screen.getByText(/Choose what to deploy/)).toBeTruthy();
  });

  it('shows a failed server and cleans up behind it', async () => {
    const step = { Done: 0, Total: 1, StartTime: 1, EndTime: 2 };
    const studio = fakeStudio(
      answers({
        'aws/sagemaker/DescribeEndpoint': () => ({
          EndpointName: 'bank',
          EndpointStatus: 'Failed',
          FailureReason: 'no ping'
        }),
        'aws/studio/DescribeDeployment': () => ({
          EndTime: 2,
          Steps: [
            { Name: 'StartServers', Status: 'Failed', ...step },
            { Name: 'MoveTraffic', Status: 'Skipped', Done: 0, Total: 1 }
          ],
          Changes: [{ Outcome: 'Failed' }],
          Servers: [
            {
              Status: 'Failed',
              Number: 1,
              VariantName: 'v',
              Message: 'boom',
              LogStreamName: 'v/1',
              LastLines: ['\u001b[31mTraceback\u001b[0m <img src=x>']
            }
          ]
        })
      })
    );
    const begun = { endpoint: 'bank', made: { config: 'bank' } };
    renderIn(studio, <DeployPage view={view({ begun })} />);
    expect(await screen.findByText('no ping')).toBeTruthy();
    expect(screen.getByText('Traceback <img src=x>')).toBeTruthy();
    expect(screen.getByText('failed · 1 s')).toBeTruthy();
    await act(async () => undefined);
  });
});
