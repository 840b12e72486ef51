import {
  act,
  configure,
  fireEvent,
  screen,
  waitFor
} from '@testing-library/react';
import React from 'react';

import { fakeStudio, renderIn } from './studio';
import { ApiError } from '../core/errors';
import { Address, crumbs } from '../objects/address';
import { Browser } from '../objects/browser';
import { crc32 } from '../objects/crc32';
import { firstRows } from '../core/csv';
import { type IEntry, Listing, sorted } from '../objects/listing';
import { partSize, sendObject } from '../objects/multipart';
import { createBucket, deleteObjects } from '../objects/operations';
import { Preview } from '../objects/preview';
import type { Put } from '../objects/transport';
import { Uploads } from '../objects/uploads';

configure({ asyncUtilTimeout: 10_000 });

const xml = (text: string) => () => new Response(text);
const object = (key: string, size = 1) =>
  `<Contents><Key>${encodeURIComponent(key)}</Key><Size>${size}</Size>` +
  '<LastModified>2026-11-01T00:00:00Z</LastModified><ETag>"e"</ETag></Contents>';
const listed = (content: string, next = '') =>
  `<ListBucketResult>${next && `<NextContinuationToken>${next}</NextContinuationToken>`}` +
  `${content}</ListBucketResult>`;

/** Answers of a bucket whose listing has two pages. */
function twoPages(
  content: { first: string } = { first: object('a.csv') }
): (body: unknown, request: Request) => Response {
  return (_, request) => {
    const token = new URL(request.url).searchParams.get('continuation-token');
    return new Response(
      token ? listed(object('z.csv', 9)) : listed(content.first, 'page 2')
    );
  };
}

const names = (entries: ReadonlyArray<IEntry>) =>
  entries.map(entry => entry.name);

describe('Listing', () => {
  it('fetches page by page, and all that it has anew when an event says so', async () => {
    const content = { first: object('a.csv') };
    const studio = fakeStudio({ 's3/b': twoPages(content) });
    const listing = new Listing(studio.client, studio.feed, {
      bucket: 'b',
      prefix: '',
      filter: ''
    });
    await waitFor(() => expect(names(listing.entries)).toEqual(['a.csv']));
    expect(listing.complete).toBe(false);
    listing.more();
    await waitFor(() =>
      expect(names(listing.entries)).toEqual(['a.csv', 'z.csv'])
    );
    expect(listing.complete).toBe(true);

    content.first = object('a.csv') + object('new.csv');
    studio.emit({ type: 'object', Bucket: 'other', Prefix: '' });
    studio.emit({ type: 'object', Bucket: 'b', Prefix: '' });
    await waitFor(() =>
      expect(names(listing.entries)).toEqual(['a.csv', 'new.csv', 'z.csv'])
    );
    expect(studio.asked.length).toBe(4);
    listing.dispose();
  });

  it('says what failed and keeps what it has', async () => {
    let fails = false;
    const studio = fakeStudio({
      's3/b': () =>
        new Response(
          fails
            ? '<Error><Code>AccessDenied</Code><Message>No.</Message></Error>'
            : listed(object('a.csv')),
          { status: fails ? 403 : 200 }
        )
    });
    const place = { bucket: 'b', prefix: '', filter: '' };
    const listing = new Listing(studio.client, studio.feed, place);
    await waitFor(() => expect(names(listing.entries)).toEqual(['a.csv']));
    fails = true;
    listing.refresh();
    await waitFor(() => expect(listing.error).toBeInstanceOf(ApiError));
    expect(names(listing.entries)).toEqual(['a.csv']);
    fails = false;
    listing.refresh();
    await waitFor(() => expect(listing.error).toBeNull());
    listing.dispose();
  });

  it('leaves out the folder itself and sorts folders first', async () => {
    const page = listed(
      object('p/') +
        object('p/10.csv', 5) +
        object('p/9.csv', 7) +
        '<CommonPrefixes><Prefix>p/zoo/</Prefix></CommonPrefixes>'
    );
    const studio = fakeStudio({ 's3/b': xml(page) });
    const place = { bucket: 'b', prefix: 'p/', filter: '' };
    const listing = new Listing(studio.client, studio.feed, place);
    await waitFor(() => expect(listing.complete).toBe(true));
    const by = (column: string, descending: boolean) =>
      names(sorted(listing.entries, { by: column, descending }));
    expect(by('name', false)).toEqual(['zoo/', '9.csv', '10.csv']);
    expect(by('size', false)).toEqual(['zoo/', '10.csv', '9.csv']);
    expect(by('name', true)).toEqual(['zoo/', '10.csv', '9.csv']);
    listing.dispose();
  });
});

describe('Browser', () => {
  it('remembers where it was', () => {
    const studio = fakeStudio({ 's3/': xml('<x/>'), 's3/b': xml(listed('')) });
    const browser = new Browser(studio);
    const at = () => `${browser.place.bucket}/${browser.place.prefix}`;
    browser.go({});
    browser.go({ bucket: 'b' });
    browser.go({ bucket: 'b', prefix: 'x/y/' });
    browser.go({ bucket: 'b', prefix: 'x/y/', filter: 'z' });
    browser.up();
    expect(at()).toBe('b/x/');
    browser.back();
    expect(browser.place).toEqual({ bucket: 'b', prefix: 'x/y/', filter: 'z' });
    browser.back();
    expect(at()).toBe('b/');
    browser.forward();
    expect(at()).toBe('b/x/y/');
    browser.go({ bucket: 'b', prefix: 'q/' });
    expect(browser.canGoForward).toBe(false);
    browser.up();
    browser.up();
    expect(at()).toBe('/');
    browser.dispose();
  });
});

describe('Address', () => {
  it('is made of places, also of odd keys', () => {
    const place = { bucket: 'b', prefix: 'a//c/', filter: '' };
    expect(crumbs(place).map(crumb => crumb.prefix)).toEqual([
      undefined,
      '',
      'a/',
      'a//',
      'a//c/'
    ]);
  });

  it('can be typed', async () => {
    const go = jest.fn();
    const place = { bucket: 'b', prefix: 'p/', filter: '' };
    renderIn(fakeStudio({}), <Address place={place} onGo={go} />);
    fireEvent.click(screen.getByRole('button', { name: 'Edit' }));
    const input = screen.getByRole('textbox');
    expect((input as HTMLInputElement).value).toBe('s3://b/p/');
    fireEvent.change(input, { target: { value: 's3://c/x/y' } });
    fireEvent.submit(input);
    expect(go).toHaveBeenCalledWith({ bucket: 'c', prefix: 'x/', filter: 'y' });
  });
});

describe('Preview', () => {
  it.each(['evil.html', 'evil.svg', 'evil.txt'])(
    'shows %s as text',
    async key => {
      const evil = '<svg onload="window.pwned = 1"></svg>';
      const studio = fakeStudio({ [`s3/b/${key}`]: xml(evil) });
      const { container } = renderIn(
        studio,
        <Preview bucket="b" objectKey={key} size={evil.length} />
      );
      expect((await screen.findByText(evil)).tagName).toBe('PRE');
      expect(container.querySelector('svg, img, iframe, object')).toBeNull();
    }
  );

  it('shows rows of CSV, and how many', async () => {
    const text = 'a,b\n1,"<b>x</b>"\n';
    const studio = fakeStudio({ 's3/b/d.csv': xml(text) });
    renderIn(studio, <Preview bucket="b" objectKey="d.csv" size={500} />);
    expect(await screen.findByText('<b>x</b>')).toBeTruthy();
    expect(screen.getByText('The first 2 rows')).toBeTruthy();
  });

  it('has nothing to show of bytes', async () => {
    const studio = fakeStudio({ 's3/b/x.bin': xml('a\0b') });
    renderIn(studio, <Preview bucket="b" objectKey="x.bin" size={3} />);
    expect(await screen.findByText(/no preview/)).toBeTruthy();
  });
});

describe('deleteObjects', () => {
  it('asks with a checksum, in packs, and tells how to undo', async () => {
    const headers: (string | null)[] = [];
    const studio = fakeStudio({
      's3/b': (_, request) => {
        headers.push(request.headers.get('x-amz-checksum-crc32'));
        return new Response(
          '<DeleteResult><Deleted><Key>k</Key><DeleteMarker>true</DeleteMarker>' +
            '<DeleteMarkerVersionId>m</DeleteMarkerVersionId></Deleted>' +
            '<Error><Key>l</Key><Code>AccessDenied</Code></Error></DeleteResult>'
        );
      }
    });
    const keys = Array.from({ length: 1001 }, (_, i) => ({ key: `<${i}>&` }));
    const done = await deleteObjects(studio.client, 'b', keys);
    expect(done.markers[0]).toEqual({ key: 'k', version: 'm' });
    expect(done.errors[0]).toEqual({ key: 'l', message: 'AccessDenied' });
    expect(studio.asked.length).toBe(2);
    const sent = studio.asked[1][1] as string;
    expect(sent).toContain('<Key>&lt;1000&gt;&amp;</Key>');
    expect(headers[1]).toBe(crc32(new TextEncoder().encode(sent)));
  });
});

it('computes CRC-32 as S3 does', () => {
  expect(crc32(new TextEncoder().encode('123456789'))).toBe('y/Q5Jg==');
});

describe('firstRows', () => {
  it('reads quotes, both ends of lines, and leaves out a cut row', () => {
    const text = 'a,"b,""c"\r\n"x\ny",2\nlast';
    expect(firstRows(text, ',', 9, false)).toEqual([
      ['a', 'b,"c'],
      ['x\ny', '2']
    ]);
    expect(firstRows(text, ',', 9, true)[2]).toEqual(['last']);
    expect(firstRows(text, ',', 1, true).length).toBe(1);
  });
});

describe('sendObject', () => {
  const big = {
    size: 40 * 2 ** 20,
    type: '',
    slice: (a: number, b: number) => ({ size: Math.min(b, 40 * 2 ** 20) - a })
  } as unknown as Blob;
  const begun = '<x><UploadId>u1</UploadId></x>';

  it('sends large objects in parts, and a part again', async () => {
    const sent: string[] = [];
    let fails = 1;
    const put: Put = async (_, to, bytes, __, onProgress) => {
      const part = to.query!['partNumber'];
      if (part === '2' && fails-- > 0) {
        throw new ApiError('SlowDown', 'Slow down.', 503);
      }
      sent.push(`${part}:${bytes.size}`);
      onProgress(bytes.size);
      return `"e${part}"`;
    };
    const studio = fakeStudio({ 's3/b/k': xml(begun) });
    const progress: number[] = [];
    await sendObject(studio.client, { bucket: 'b', key: 'k' }, big, {
      put,
      replace: false,
      onProgress: count => progress.push(count),
      signal: new AbortController().signal
    });
    expect(sent.sort()).toEqual(['1:16777216', '2:16777216', '3:8388608']);
    expect(Math.max(...progress)).toBe(big.size);
    expect(studio.asked[1][1]).toContain(
      '<Part><PartNumber>3</PartNumber><ETag>"e3"</ETag></Part>'
    );
  });

  it('leaves nothing behind when it fails', async () => {
    const methods: string[] = [];
    const studio = fakeStudio({
      's3/b/k': (_, request) => {
        methods.push(request.method);
        return new Response(begun);
      }
    });
    const put: Put = () =>
      Promise.reject(new ApiError('AccessDenied', 'No.', 403));
    const sending = {
      put,
      replace: true,
      onProgress: () => undefined,
      signal: new AbortController().signal
    };
    await expect(
      sendObject(studio.client, { bucket: 'b', key: 'k' }, big, sending)
    ).rejects.toMatchObject({ code: 'AccessDenied' });
    await waitFor(() => expect(methods).toEqual(['POST', 'DELETE']));
  });

  it('keeps within ten thousand parts', () => {
    expect(partSize(5 * 2 ** 40)).toBeGreaterThanOrEqual(
      (5 * 2 ** 40) / 10_000
    );
    expect(partSize(20 * 2 ** 20)).toBe(16 * 2 ** 20);
  });
});

describe('Uploads', () => {
  const file = (key: string, size: number) => ({
    key,
    size,
    read: async () => ({ size, type: 'text/csv' }) as Blob
  });

  it("sends two files at a time, tells how far it is, and takes no other object's place", async () => {
    const waiting = new Map<string, (etag: string) => void>();
    const headers: Record<string, string>[] = [];
    const put: Put = (_, to, bytes, given, onProgress) =>
      new Promise(resolve => {
        headers.push(given);
        onProgress(bytes.size / 2);
        waiting.set(to.key, resolve);
      });
    const uploads = new Uploads(fakeStudio({}).client, put);
    const over = uploads.add(
      'b',
      [file('1', 10), file('2', 20), file('3', 30)],
      key => key === '2'
    );
    await waitFor(() => expect(waiting.size).toBe(2));
    expect(uploads.totals).toMatchObject({
      files: 3,
      done: 0,
      size: 60,
      sent: 15,
      busy: true
    });
    expect(headers[0]['If-None-Match']).toBe('*');
    expect(headers[1]['If-None-Match']).toBeUndefined();
    waiting.get('1')!('e');
    await waitFor(() => expect(waiting.size).toBe(3));
    waiting.get('2')!('e');
    waiting.get('3')!('e');
    expect(await over).toBe(true);
    expect(uploads.totals).toMatchObject({ done: 3, sent: 60, busy: false });
    uploads.clear();
    expect(uploads.items).toEqual([]);
    uploads.dispose();
  });

  it('offers to replace what is there already', async () => {
    const put: Put = (_, __, ___, headers) =>
      headers['If-None-Match']
        ? Promise.reject(new ApiError('PreconditionFailed', 'There.', 412))
        : Promise.resolve('e');
    const uploads = new Uploads(fakeStudio({}).client, put);
    expect(await uploads.add('b', [file('1', 10)], () => false)).toBe(false);
    expect(uploads.items[0]).toMatchObject({ state: 'failed', taken: true });
    uploads.retry(0, true);
    await waitFor(() => expect(uploads.items[0].state).toBe('done'));
    uploads.dispose();
  });

  it('stops when it is told to', async () => {
    const put: Put = (_, __, ___, ____, _____, signal) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(new Error('aborted')))
      );
    const uploads = new Uploads(fakeStudio({}).client, put);
    const over = uploads.add('b', [file('1', 10), file('2', 1)], () => true);
    await waitFor(() => expect(uploads.items[1].state).toBe('sending'));
    act(() => uploads.cancelAll());
    expect(await over).toBe(false);
    expect(uploads.totals).toMatchObject({ size: 0, busy: false });
    uploads.dispose();
  });
});

it('names the region of a bucket where S3 wants it', async () => {
  const bodies: unknown[] = [];
  for (const region of ['us-east-1', 'eu-central-1']) {
    const studio = fakeStudio({
      status: () => ({ region }),
      's3/sales': body => {
        bodies.push(body);
        return new Response('');
      }
    });
    await createBucket(studio.client, 'sales');
  }
  expect(bodies[0]).toBeUndefined();
  expect(bodies[1]).toContain(
    '<LocationConstraint>eu-central-1</LocationConstraint>'
  );
});
