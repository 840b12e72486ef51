import { fireEvent, screen, waitFor } from '@testing-library/react';
import React from 'react';

import { fakeStudio, renderIn } from '../../__tests__/studio';
import { Verdict } from '../verdict';
import { firstTest, requestOf } from '../verdictform';

const variants = ['blue', 'green'].map(name => ({
  VariantName: name,
  ModelName: `model-${name}`,
  InstanceType: 'ml.m5.large',
  Weight: 1,
  InstanceCount: 1
}));

const arm = {
  Weight: 1,
  Requests: 400,
  Errors: 0,
  Feedbacks: 300,
  LateFeedbacks: 2,
  Samples: 300
};

const test = {
  VariantTestName: 'discount',
  VariantTestArn: 'arn',
  VariantTestStatus: 'TreatmentWon',
  EndpointName: 'offers',
  ControlVariant: 'blue',
  TreatmentVariant: 'green',
  Metric: 'Conversion',
  CreationTime: 1_790_000_000,
  EndTime: 1_790_003_600,
  MinimumEffect: 0.05,
  Summary: 'green converts 12 % better than blue.',
  Arms: [
    { ...arm, VariantName: 'blue', Role: 'Control', Mean: 0.25 },
    { ...arm, VariantName: 'green', Role: 'Treatment', Mean: 0.28 }
  ],
  Samples: 600,
  Guardrails: [{ Metric: 'Errors', MaxWorsening: 0.2, State: 'Held' }],
  ImbalancePValue: 0.0001,
  Unbalanced: true,
  History: [],
  Series: []
};

const page = <Verdict endpoint="offers" variants={variants} ready={true} />;

function studioWith(tests: object[], more: Record<string, () => unknown> = {}) {
  return fakeStudio({
    'aws/studio/ListVariantTests': () => ({ VariantTests: tests }),
    'aws/studio/DescribeVariantTest': () => test,
    ...more
  });
}

it('says the verdict in words, warns of arms that lose requests, and promotes after asking', async () => {
  const studio = studioWith([test], {
    'aws/studio/PromoteTreatment': () => ({})
  });
  renderIn(studio, page);
  expect(await screen.findByText(test.Summary)).toBeTruthy();
  expect(screen.getByRole('alert').textContent).toContain('not comparable');
  expect(screen.getByRole('cell', { name: '28 %' })).toBeTruthy();
  expect(screen.getByText('Errors at most 20 % worse')).toBeTruthy();
  const promoted = () =>
    studio.asked.filter(([path]) => path.endsWith('PromoteTreatment'));
  fireEvent.click(screen.getByRole('button', { name: 'Promote green…' }));
  expect(promoted()).toHaveLength(0);
  const sure = () => document.querySelector('.jp-Dialog .jp-mod-warn');
  await waitFor(() => expect(sure()).toBeTruthy());
  fireEvent.click(sure()!);
  await waitFor(() =>
    expect(promoted()).toEqual([
      ['aws/studio/PromoteTreatment', { VariantTestName: 'discount' }]
    ])
  );
});

it('offers a test where two variants take requests, and nothing elsewhere', async () => {
  renderIn(studioWith([]), page);
  expect(
    await screen.findByRole('button', { name: 'Start a test…' })
  ).toBeTruthy();
  const { container } = renderIn(
    studioWith([]),
    <Verdict endpoint="one" variants={variants.slice(0, 1)} ready={true} />
  );
  await Promise.resolve();
  expect(container.querySelector('section')).toBeNull();
});

it('asks for what the form says', () => {
  const first = firstTest('t', ['blue', 'green']);
  expect(requestOf('offers', first)).toMatchObject({
    ControlVariant: 'blue',
    TreatmentVariant: 'green',
    MinimumEffect: 0.05,
    MaximumDurationInSeconds: 1_209_600,
    Guardrails: [
      { Metric: 'Errors', MaxWorsening: 0.2 },
      { Metric: 'ModelLatency', MaxWorsening: 0.2 }
    ]
  });
  const latency = { ...first, metric: 'ModelLatency' as const, errors: 0 };
  expect(requestOf('offers', latency).Guardrails).toEqual([]);
  const value = { ...first, metric: 'Value' as const, lessIsBetter: true };
  expect(requestOf('offers', value).Direction).toBe('Decrease');
});
