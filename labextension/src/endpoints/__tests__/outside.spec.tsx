import { fireEvent, screen, waitFor } from '@testing-library/react';
import React from 'react';

import { fakeStudio, renderIn } from '../../__tests__/studio';
import { requestOf } from '../keyform';
import { Outside } from '../outside';
import { OUTSIDE } from '../snippets';

const NO_LIMITS = {
  name: 'shop',
  rate: '',
  burst: '',
  quota: '',
  period: 'Day',
  expires: '',
  origins: ''
};

it('says of a new key what the form says, and no more', () => {
  expect(requestOf('e', NO_LIMITS)).toEqual({
    ApplicationKeyName: 'shop',
    EndpointNames: ['e']
  });
  const all = requestOf('e', {
    ...NO_LIMITS,
    rate: '0.5',
    burst: '3',
    quota: '100',
    period: 'Week',
    expires: '2030-01-31',
    origins: 'https://a.example, https://b.example:8443'
  });
  expect(all).toMatchObject({
    RateLimit: { RequestsPerSecond: 0.5, Burst: 3 },
    Quota: { Requests: 100, Period: 'Week' },
    AllowedOrigins: ['https://a.example', 'https://b.example:8443']
  });
  const end = new Date(1000 * Number(all.ExpirationTime));
  expect([end.getDate(), end.getHours()]).toEqual([31, 23]);
});

it('quotes what is sent for each language', () => {
  const call = {
    url: 'http://h/endpoints/e/invocations',
    contentType: 'text/csv',
    body: 'it\'s "1"\n2'
  };
  const [curl, python, javascript] = OUTSIDE.map(each => each.text(call));
  expect(curl).toContain(`--data-binary 'it'\\''s "1"\n2'`);
  expect(python).toContain('data="it\'s \\"1\\"\\n2".encode()');
  expect(javascript).toContain('body: "it\'s \\"1\\"\\n2"');
});

it('shows keys with their quotas, requests, the description and the access log', async () => {
  const tagged: object[] = [];
  const studio = fakeStudio({
    'aws/studio/DescribeEndpointApi': () => ({
      EndpointName: 'e',
      Url: 'http://h/endpoints/e/invocations',
      ContentTypes: ['text/csv'],
      AccessLogDays: 0,
      Document: JSON.stringify({
        paths: {
          '/endpoints/e/invocations': {
            post: {
              parameters: [{ name: 'X-H', description: 'A header.' }],
              requestBody: { content: { 'text/csv': {} } },
              responses: { 429: { description: 'Too fast.' } }
            }
          }
        }
      })
    }),
    'aws/studio/ListApplicationKeys': () => ({
      ApplicationKeys: [
        {
          ApplicationKeyName: 'shop',
          ApplicationKeyArn: 'arn',
          ApplicationKeyStatus: 'Active',
          EndpointNames: ['e'],
          KeyPrefix: 'studio_abcd',
          CreatedBy: 'ann',
          Quota: { Requests: 10, Period: 'Week' },
          Used: 9,
          Remaining: 1
        }
      ]
    }),
    'aws/studio/GetSampleRequest': () => ({
      Samples: [{ ContentType: 'text/csv', Body: '1,2' }],
      ContentTypes: ['text/csv'],
      Origin: 'TrainingData'
    }),
    'aws/sagemaker/AddTags': (body: object) => {
      tagged.push(body);
      return { Tags: [] };
    }
  });
  renderIn(studio, <Outside endpoint="e" arn="the-arn" />);
  await screen.findByText('9 of 10 this week', { selector: 'span' });
  expect(screen.getByRole('button', { name: 'Revoke shop' })).toBeDefined();
  expect(
    screen.getByLabelText('curl', { selector: 'pre' }).textContent
  ).toContain("'1,2'");
  expect(screen.getByText('Too fast.')).toBeDefined();
  fireEvent.click(screen.getByRole('checkbox'));
  await waitFor(() =>
    expect(tagged).toEqual([
      {
        ResourceArn: 'the-arn',
        Tags: [{ Key: 'studio:access-log', Value: 'on' }]
      }
    ])
  );
});
