import { ReadableStream } from 'stream/web';

import { frames } from '../frames';
import { failure, part } from './messages';

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
    const bytes = [part('sun '), part(''), part('møøn'), failure].flatMap(
      each => [...each]
    );
    expect(await read(bytes, size)).toEqual([
      ['PayloadPart', false, 'sun '],
      ['PayloadPart', false, ''],
      ['PayloadPart', false, 'møøn'],
      ['ModelStreamError', true, '{"Message": "it broke"}']
    ]);
  });

  it('say when the body ends inside of one', async () => {
    await expect(read([...part('sun')].slice(0, -1), 5)).rejects.toThrow(
      'broke off'
    );
  });
});
