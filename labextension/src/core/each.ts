import { Notification } from '@jupyterlab/apputils';

import { told } from './errors';

const AT_ONCE = 4;
const MOST_TOLD = 3;

/** Do it to each, a few at a time; those that failed are told together. */
export async function forEach(
  names: string[],
  act: (name: string) => Promise<unknown>,
  failed: string
): Promise<void> {
  const left = [...names];
  const errors: string[] = [];
  const worker = async () => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      try {
        await act(name);
      } catch (error) {
        errors.push(`${name}: ${told(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  if (errors.length) {
    const rest = errors.length - MOST_TOLD;
    const texts = errors.slice(0, MOST_TOLD);
    Notification.error(
      `${failed}: ${texts.join(' ')}${rest > 0 ? ` +${rest}` : ''}`,
      { autoClose: false }
    );
  }
}
