// What the figures that are taken in a browser have in common.
import { createRequire } from 'node:module';

const { chromium } = createRequire(
  new URL('../ui-tests/package.json', import.meta.url)
)('@playwright/test');

/** Chromium without a graphics card and without what it does in the background. */
export function launched() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run'
    ]
  });
}

/** JupyterLab as it is when it has just been opened. */
export async function opened(browser, base) {
  const page = await browser.newPage({
    viewport: { width: 1280, height: 800 }
  });
  await page.goto(`${base}/lab?reset`);
  await page.waitForFunction(() => window.jupyterapp?.shell, null, {
    timeout: 120_000
  });
  await page.evaluate(() => window.jupyterapp.restored);
  return page;
}

/** Seconds from a command to the first frame with values in rows; runs in the page. */
export function painted({ command, row, args = {} }) {
  const begun = performance.now();
  void window.jupyterapp.commands.execute(command, args);
  return new Promise(resolve => {
    const look = () =>
      document.querySelector(`${row} [role=gridcell]:not(:empty)`)
        ? requestAnimationFrame(() =>
            resolve((performance.now() - begun) / 1000)
          )
        : requestAnimationFrame(look);
    look();
  });
}

/** Frames a second while the whole table passes by, and again from its beginning; in the page. */
export async function scrolled([duration, row, axis, step]) {
  // What was scrolled a moment ago may not have its rows yet.
  while (!document.querySelector(row)) {
    await new Promise(requestAnimationFrame);
  }
  const scroller = document
    .querySelector(row)
    .closest('.jp-StudioGrid-scroller');
  return new Promise(resolve => {
    let frames = 0;
    const begun = performance.now();
    const frame = now => {
      frames++;
      const before = scroller[axis];
      scroller[axis] += step;
      if (scroller[axis] === before) {
        scroller[axis] = 0;
      }
      if (now - begun < duration) {
        requestAnimationFrame(frame);
      } else {
        scroller[axis] = 0;
        resolve((1000 * frames) / (performance.now() - begun));
      }
    };
    requestAnimationFrame(frame);
  });
}
