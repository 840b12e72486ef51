import {
  act,
  configure,
  fireEvent,
  screen,
  waitFor
} from '@testing-library/react';

import { pickS3 } from '../components/s3picker';
import { listFolder, parseS3 } from '../core/s3';
import { fakeStudio } from './studio';

const BUCKETS =
  '<ListAllMyBucketsResult><Owner><ID>1</ID></Owner><Buckets><Bucket><Name>data</Name>' +
  '<CreationDate>2026-11-01T00:00:00Z</CreationDate></Bucket></Buckets></ListAllMyBucketsResult>';
const FOLDER =
  '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>data</Name>' +
  '<NextContinuationToken>t</NextContinuationToken><Contents><Key>a+b%01.csv</Key><Size>7</Size>' +
  '<LastModified>2026-11-01T00:00:00Z</LastModified><ETag>"e"</ETag></Contents>' +
  '<CommonPrefixes><Prefix>sales/</Prefix></CommonPrefixes></ListBucketResult>';

beforeAll(() => {
  // jsdom lays nothing out; the grid needs a height to have rows.
  Object.defineProperty(HTMLElement.prototype, 'clientHeight', {
    value: 400
  });
  Object.defineProperty(HTMLElement.prototype, 'clientWidth', { value: 800 });
});

test('URIs are taken apart', () => {
  expect(parseS3(' s3://b/a/k ')).toEqual({ bucket: 'b', key: 'a/k' });
  expect(parseS3('s3://b')).toEqual({ bucket: 'b', key: '' });
  expect(parseS3('https://b/a')).toBeNull();
});

test('a folder is listed with any key', async () => {
  const { client } = fakeStudio({ 's3/data': () => new Response(FOLDER) });
  expect(await listFolder(client, 'data', '')).toEqual({
    folders: ['sales/'],
    objects: [
      {
        key: 'a b\u0001.csv',
        size: 7,
        modified: Date.parse('2026-11-01T00:00:00Z'),
        etag: 'e'
      }
    ],
    next: 't'
  });
});

configure({ asyncUtilTimeout: 10_000 });

test('the picker walks into a bucket and returns the object', async () => {
  const studio = fakeStudio({
    's3/': () => new Response(BUCKETS),
    's3/data': () => new Response(FOLDER)
  });
  let picked: Promise<string | null>;
  act(() => {
    picked = pickS3(studio, { title: 'Open data' });
  });
  fireEvent.doubleClick(await screen.findByText('data/'));
  fireEvent.doubleClick(await screen.findByText('a b\u0001.csv'));
  await waitFor(() => picked);
  expect(await picked!).toBe('s3://data/a b\u0001.csv');
});
