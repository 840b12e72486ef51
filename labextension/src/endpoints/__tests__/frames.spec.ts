import { ReadableStream } from 'stream/web';

import { frames } from '../frames';

const encoder = new TextEncoder();

/** A message as AWS encodes it; the checksums are not looked at. */
function message(headers: Record<string, string>, data: string): number[] {
  const named = Object.entries(headers).flatMap(([name, value]) => [
    name.length,
    ...encoder.encode(name),
    7,
    ...sized(value.length, 2),
    ...encoder.encode(value)
  ]);
  const payload = [...encoder.encode(data)];
  const length = 16 + named.length + payload.length;
  return [
    ...sized(length, 4),
    ...sized(named.length, 4),
    ...[0, 0, 0, 0],
    ...named,
    ...payload,
    ...[0, 0, 0, 0]
  ];
}

function sized(value: number, bytes: number): number[] {
  return Array.from(
    { length: bytes },
    (_, at) => (value >> (8 * (bytes - 1 - at))) & 255
  );
}

const part = (data: string) =>
  message({ ':message-type': 'event', ':event-type': 'PayloadPart' }, data);
const failure = message(
  { ':message-type': 'exception', ':exception-type': 'ModelStreamError' },
  '{"Message": "it broke"}'
);

async function read(bytes: number[], size: number) {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) {
        controller.enqueue(new Uint8Array(bytes.slice(at, at + size)));
      }
      controller.close();
    }
  });
  const found: [string, boolean, string][] = [];
  for await (const { kind, failed, data } of frames(body as never)) {
    found.push([kind, failed, new TextDecoder().decode(data)]);
  }
  return found;
}

describe('frames', () => {
  it.each([1, 7, 10_000])('are found in reads of %s bytes', async size => {
    const bytes = [...part('sun '), ...part(''), ...part('møøn'), ...failure];
    expect(await read(bytes, size)).toEqual([
      ['PayloadPart', false, 'sun '],
      ['PayloadPart', false, ''],
      ['PayloadPart', false, 'møøn'],
      ['ModelStreamError', true, '{"Message": "it broke"}']
    ]);
  });

  it('say when the body ends inside of one', async () => {
    await expect(read(part('sun').slice(0, -1), 5)).rejects.toThrow(
      'broke off'
    );
  });
});
