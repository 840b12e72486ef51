import { fireEvent, screen, waitFor } from '@testing-library/react';
import React from 'react';
import { ReadableStream } from 'stream/web';

import { fakeStudio, renderIn } from '../../__tests__/studio';
import { endpointRows, shares } from '../list';
import { Captured, Shadows } from '../recordings';
import { moved } from '../split';
import { TestConsole } from '../test';
import { ColdStarts } from '../coldstarts';
import { Traffic } from '../traffic';
import type { studio } from '../../wire';
import { failure, part } from './messages';

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

function Console(props: {
  answers?: string;
  request?: object;
}): React.JSX.Element {
  const [request, setRequest] = React.useState(props.request);
  return (
    <TestConsole
      endpoint="e"
      variants={['a', 'b']}
      many={false}
      ready={true}
      answers={props.answers}
      request={request}
      onRequest={setRequest}
    />
  );
}

const NO_LOADS = { 'aws/studio/ListLoadTests': () => ({ LoadTests: [] }) };

describe('TestConsole', () => {
  beforeEach(() => sessionStorage.clear());

  it('sends the sample with Ctrl+Enter and shows the answer as text', async () => {
    let sent: Request | undefined;
    const studio = fakeStudio({
      ...NO_LOADS,
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

  it('waits for an answer in S3, and says why there is none', async () => {
    const asked: Request[] = [];
    const ends: object[] = [
      { Status: 'Completed', OutputLocation: 's3://b/answers/1.out' },
      { Status: 'Failed', Reason: 'No such object.' }
    ];
    const studio = fakeStudio({
      ...NO_LOADS,
      'aws/studio/GetSampleRequest': () => sample,
      'endpoints/e/async-invocations': (_, request) => {
        asked.push(request);
        return new Response('{"InferenceId": "i"}', {
          status: 202,
          headers: { 'X-Amzn-SageMaker-OutputLocation': 's3://b/answers/1.out' }
        });
      },
      'aws/studio/ListAsyncInvocations': () => ({
        Invocations: [{ InferenceId: 'i', ...ends[asked.length - 1] }]
      }),
      's3/b/answers/1.out': () => new Response('the answer')
    });
    const view = renderIn(studio, <Console answers="s3://b/answers" />);
    await screen.findByDisplayValue('1,2');
    fireEvent.click(screen.getByRole('button', { name: 'Send' }));
    expect(await screen.findByText('the answer')).toBeTruthy();
    expect(screen.getByText('s3://b/answers/1.out')).toBeTruthy();
    const header = (name: string) =>
      asked[asked.length - 1].headers.get(`x-amzn-sagemaker-${name}`);
    expect(header('content-type')).toBe('text/csv');
    expect(header('inputlocation')).toBeNull();
    view.unmount();
    const given = { input: 's3://b/in' };
    renderIn(studio, <Console answers="s3://b/answers" request={given} />);
    fireEvent.click(screen.getByRole('button', { name: 'Send' }));
    expect(await screen.findByText('No such object.')).toBeTruthy();
    expect(screen.getByText('Failures are not stored.')).toBeTruthy();
    expect(header('inputlocation')).toBe('s3://b/in');
  });

  it('shows an answer while it grows, until it is stopped', async () => {
    let piece: (data: Uint8Array) => void = () => undefined;
    let end = () => undefined as void;
    const studio = fakeStudio({
      ...NO_LOADS,
      'aws/studio/GetSampleRequest': () => sample,
      'endpoints/e/invocations-response-stream': () => {
        const body = new ReadableStream({
          start(controller) {
            piece = data => controller.enqueue(data);
            end = () => controller.close();
          }
        });
        const headers = { 'X-Amzn-SageMaker-Content-Type': 'text/plain' };
        return new Response(body as never, { headers });
      }
    });
    renderIn(studio, <Console />);
    const body = await screen.findByDisplayValue('1,2');
    const stream = screen.getByRole('checkbox', { name: 'Stream the answer' });
    fireEvent.click(stream);
    fireEvent.keyDown(body, { key: 'Enter', ctrlKey: true });
    await waitFor(() =>
      expect(studio.asked.map(([route]) => route)).toContain(
        'endpoints/e/invocations-response-stream'
      )
    );
    piece(part('the sun '));
    expect(await screen.findByText('the sun')).toBeTruthy();
    piece(part('and the moon'));
    expect(await screen.findByText('the sun and the moon')).toBeTruthy();
    expect(screen.getByText('Answering…')).toBeTruthy();
    expect(screen.getByRole('button', { name: 'Stop' })).toBeTruthy();
    piece(failure);
    end();
    expect(await screen.findByText('Broken off')).toBeTruthy();
    expect(screen.getByRole('alert').textContent).toContain('it broke');
    expect(screen.queryByRole('button', { name: 'Stop' })).toBeNull();
  });

  it('follows the content type with the sample until the user writes', async () => {
    const studio = fakeStudio({
      ...NO_LOADS,
      'aws/studio/GetSampleRequest': () => sample
    });
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

describe('ColdStarts', () => {
  it('says where the time went, and what is still to come', () => {
    const phases = [
      { Name: 'Notice', StartTime: 10, EndTime: 10.012 },
      { Name: 'Begin', StartTime: 10.012 }
    ];
    const starts = [{ VariantName: 'a', StartTime: 10, Phases: phases }];
    renderIn(fakeStudio({}), <ColdStarts starts={starts} />);
    const bar = screen.getByRole('list', { name: 'Phases' });
    expect(bar.textContent).toContain('Noticed12 ms');
    expect(bar.textContent).toContain('to come');
    expect(screen.getByRole('cell', { name: '12 ms' })).toBeTruthy();
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

  it('says whether what may sleep is awake', () => {
    const size = { MemorySizeInMB: 2048, MaxConcurrency: 5 };
    const serverless = { ...variants[0], InstanceType: undefined };
    const shown = (InstanceCount: number, InService: number) => {
      const one = { ...serverless, Sleeps: true, Serverless: size };
      const { unmount } = renderIn(
        fakeStudio({}),
        <Traffic
          endpoint="e"
          variants={[{ ...one, InstanceCount, InService }]}
          replicas={[]}
          ready={true}
        />
      );
      const cells = screen.getAllByRole('cell').map(each => each.textContent);
      unmount();
      return cells.slice(1);
    };
    const [type, limit] = ['serverless, 2 GiB', '5 requests at once'];
    expect(shown(0, 0)).toEqual([type, limit, 'Asleep']);
    expect(shown(1, 0)).toEqual([type, limit, 'Waking']);
    expect(shown(2, 1)).toEqual([type, limit, '1 awake']);
  });

  const traffic = (replicas: studio.EndpointReplica[] = []) => (
    <Traffic
      endpoint="e"
      variants={variants}
      replicas={replicas}
      ready={true}
    />
  );

  it('moves weight between neighbours by the border of the bar', async () => {
    const studio = fakeStudio({
      'aws/sagemaker/UpdateEndpointWeightsAndCapacities': () => ({})
    });
    renderIn(studio, traffic());
    const border = screen.getByRole('slider', { name: 'Border of a and b' });
    for (let press = 0; press < 10; press++) {
      fireEvent.keyDown(border, { key: 'ArrowRight' });
    }
    expect(border.getAttribute('aria-valuenow')).toBe('60');
    fireEvent.click(screen.getByRole('button', { name: 'Apply' }));
    await waitFor(() => expect(studio.asked).toHaveLength(1));
    expect(studio.asked[0][1]).toMatchObject({
      DesiredWeightsAndCapacities: [
        { VariantName: 'a', DesiredWeight: 1.2 },
        { VariantName: 'b', DesiredWeight: 0.8 }
      ]
    });
  });

  it('says what ails a replica', () => {
    renderIn(
      fakeStudio({}),
      traffic([
        { VariantName: 'a', Number: 1, Health: 'Healthy' },
        {
          VariantName: 'a',
          Number: 2,
          Health: 'Ejected',
          Reason: 'It answers 500.'
        }
      ])
    );
    expect(screen.getByText('It answers 500.')).toBeTruthy();
    expect(screen.getByText('Instance 1: healthy')).toBeTruthy();
  });

  it('sends only the variants that were changed', async () => {
    const studio = fakeStudio({
      'aws/sagemaker/UpdateEndpointWeightsAndCapacities': () => ({})
    });
    renderIn(studio, traffic());
    expect(screen.queryByRole('button', { name: 'Apply' })).toBeNull();
    fireEvent.change(screen.getByLabelText('Weight of b as a number'), {
      target: { value: '3' }
    });
    expect(screen.getAllByText('75 %')).toHaveLength(2);
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
    renderIn(fakeStudio({}), traffic());
    for (const name of ['a', 'b']) {
      fireEvent.change(screen.getByLabelText(`Weight of ${name} as a number`), {
        target: { value: '0' }
      });
    }
    const apply = screen.getByRole('button', { name: 'Apply' });
    expect((apply as HTMLButtonElement).disabled).toBe(true);
  });
});

describe('a bar of weights', () => {
  const parts = [1, 2, 1].map((weight, index) => ({
    name: `v${index}`,
    weight
  }));
  const weights = (index: number, at: number) =>
    moved(parts, index, at).map(each => each.weight);

  it('changes two neighbours, and their sum never', () => {
    expect(weights(0, 0.5)).toEqual([2, 1, 1]);
    expect(weights(1, 1)).toEqual([1, 3, 0]);
    expect(weights(1, 0)).toEqual([1, 0, 3]);
    expect(weights(0, 0.333)).toEqual([1.32, 1.68, 1]);
  });
});

describe('what is recorded', () => {
  it('shows counts and the latest differences as text', () => {
    renderIn(
      fakeStudio({}),
      <Shadows
        shadows={[
          {
            VariantName: 's',
            Compared: 4,
            Same: 3,
            Different: 1,
            Failed: 0,
            Dropped: 2,
            LargestDifference: 0.25,
            Examples: [
              {
                Time: 1,
                Outcome: 'Different',
                ProductionVariant: 'v',
                Input: '<img src=x>',
                Output: '1',
                ShadowOutput: '1.25',
                Status: 200,
                ShadowStatus: 200,
                ModelLatency: 1000,
                ShadowModelLatency: 2000,
                Difference: 0.25
              }
            ]
          }
        ]}
      />
    );
    expect(screen.getByText('3 (75 %)')).toBeTruthy();
    expect(screen.getByText('<img src=x>')).toBeTruthy();
  });

  it('leads to the folder of captured data, and says what S3 refuses', () => {
    const studio = fakeStudio({});
    renderIn(
      studio,
      <Captured
        capture={{
          CaptureStatus: 'Started',
          SamplingPercentage: 50,
          S3Uri: 's3://b/p/e/',
          Captured: 7,
          Dropped: 0,
          StoredObjects: 0,
          Problem: 'NoSuchBucket: none'
        }}
      />
    );
    expect(screen.getByRole('alert').textContent).toContain('NoSuchBucket');
    expect(screen.getByText('s3://b/p/e/')).toBeTruthy();
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
