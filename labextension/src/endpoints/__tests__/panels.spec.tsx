import { fireEvent, screen, waitFor } from '@testing-library/react';
import React from 'react';

import { fakeStudio, renderIn } from '../../__tests__/studio';
import { endpointRows, shares } from '../list';
import { TestConsole } from '../test';
import { Traffic } from '../traffic';

const sample = {
  Samples: [
    { ContentType: 'text/csv', Body: '1,2' },
    { ContentType: 'application/json', Body: '{"instances": []}' }
  ],
  ContentTypes: ['text/csv', 'application/json'],
  Origin: 'TrainingData',
  ChannelName: 'train',
  TrainingJobName: 'job'
};

function Console(): React.JSX.Element {
  const [request, setRequest] = React.useState<object | undefined>();
  return (
    <TestConsole
      endpoint="e"
      variants={['a', 'b']}
      ready={true}
      request={request}
      onRequest={setRequest}
    />
  );
}

describe('TestConsole', () => {
  beforeEach(() => sessionStorage.clear());

  it('sends the sample with Ctrl+Enter and shows the answer as text', async () => {
    let sent: Request | undefined;
    const studio = fakeStudio({
      'aws/studio/GetSampleRequest': () => sample,
      'endpoints/e/invocations': (_, request) => {
        sent = request;
        return new Response('[{"score": "<img src=x>"}]', {
          headers: { 'Content-Type': 'application/json' }
        });
      }
    });
    renderIn(studio, <Console />);
    const body = await screen.findByDisplayValue('1,2');
    fireEvent.keyDown(body, { key: 'Enter', ctrlKey: true });
    expect(await screen.findByText('Answered')).toBeTruthy();
    expect(sent!.headers.get('Content-Type')).toBe('text/csv');
    expect(screen.getByRole('cell', { name: '<img src=x>' })).toBeTruthy();
  });

  it('follows the content type with the sample until the user writes', async () => {
    const studio = fakeStudio({ 'aws/studio/GetSampleRequest': () => sample });
    renderIn(studio, <Console />);
    const body = await screen.findByDisplayValue('1,2');
    const type = screen.getByLabelText('Content type');
    fireEvent.change(type, { target: { value: 'application/json' } });
    expect((body as HTMLTextAreaElement).value).toBe('{"instances": []}');
    fireEvent.change(body, { target: { value: 'mine' } });
    fireEvent.change(type, { target: { value: 'text/csv' } });
    expect((body as HTMLTextAreaElement).value).toBe('mine');
  });
});

describe('Traffic', () => {
  const variants = ['a', 'b'].map(name => ({
    VariantName: name,
    ModelName: `model-${name}`,
    InstanceType: 'ml.m5.large',
    Weight: 1,
    InstanceCount: 1,
    InService: 1
  }));

  it('sends only the variants that were changed', async () => {
    const studio = fakeStudio({
      'aws/sagemaker/UpdateEndpointWeightsAndCapacities': () => ({})
    });
    renderIn(studio, <Traffic endpoint="e" variants={variants} ready={true} />);
    expect(screen.queryByRole('button', { name: 'Apply' })).toBeNull();
    fireEvent.change(screen.getByLabelText('Weight of b as a number'), {
      target: { value: '3' }
    });
    expect(screen.getByText('75 %')).toBeTruthy();
    fireEvent.click(screen.getByRole('button', { name: 'Apply' }));
    await waitFor(() => expect(studio.asked).toHaveLength(1));
    expect(studio.asked[0][1]).toEqual({
      EndpointName: 'e',
      DesiredWeightsAndCapacities: [
        { VariantName: 'b', DesiredWeight: 3, DesiredInstanceCount: 1 }
      ]
    });
  });

  it('does not let all requests go nowhere', () => {
    renderIn(
      fakeStudio({}),
      <Traffic endpoint="e" variants={variants} ready={true} />
    );
    for (const name of ['a', 'b']) {
      fireEvent.change(screen.getByLabelText(`Weight of ${name} as a number`), {
        target: { value: '0' }
      });
    }
    const apply = screen.getByRole('button', { name: 'Apply' });
    expect((apply as HTMLButtonElement).disabled).toBe(true);
  });
});

describe('list', () => {
  it('tells the shares of the variants', () => {
    const weights = (...all: number[]) =>
      all.map((CurrentWeight, index) => ({
        VariantName: `v${index}`,
        CurrentWeight
      }));
    expect(shares(weights(9, 1))).toBe('v0 90 % · v1 10 %');
    expect(shares(weights(1))).toBe('v0');
  });

  it('reads endpoints that do not serve yet', () => {
    const record = {
      Endpoint: {
        EndpointName: 'e',
        EndpointArn: 'arn',
        EndpointStatus: 'Creating',
        EndpointConfigName: 'c',
        CreationTime: 2,
        LastModifiedTime: 2
      }
    };
    expect(endpointRows([record])).toEqual([
      {
        name: 'e',
        status: 'Creating',
        reason: '',
        variants: [],
        createdAt: 2000
      }
    ]);
  });
});
