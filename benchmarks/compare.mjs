// Measures Compare with more components and columns than fit anywhere: `node compare.mjs URL COLUMNS`
// prints figures as JSON. COLUMNS is a file of the table's columns. See bench_compare.py.
import { readFileSync } from 'node:fs';

import { launched, opened, painted, scrolled } from './browser.mjs';

const [base, file] = process.argv.slice(2);
const columns = JSON.parse(readFileSync(file, 'utf8'));
const ROW = '[data-studio-kind=component]';
const SCROLL_MS = 4000;
const [DOWN, ASIDE] = [240, 60];

const browser = await launched();
const page = await opened(browser, base);
const figures = {};
const sort = [{ field: 'created_at', descending: false }];
const args = { columns: columns.map(field => ({ field })), sort };
figures.paint = await page.evaluate(painted, {
  command: 'studio:compare',
  row: ROW,
  args
});
figures.down = await page.evaluate(scrolled, [
  SCROLL_MS,
  ROW,
  'scrollTop',
  DOWN
]);
figures.aside = await page.evaluate(scrolled, [
  SCROLL_MS,
  ROW,
  'scrollLeft',
  ASIDE
]);
await page.locator('summary', { hasText: 'Columns' }).click();
const fields = page.getByRole('grid', { name: 'Fields' });
await fields.getByRole('row').nth(1).waitFor();
figures.picked = await timed(
  () => page.getByRole('searchbox', { name: 'Find fields' }).fill('m977'),
  () => fields.getByText('m977', { exact: false }).first().waitFor()
);
await page.keyboard.press('Escape');
const asked = `metric.${columns.at(-1).split('.')[1]} > .5`;
await page.locator('.jp-StudioQuery-editor .cm-content').click();
await page.keyboard.type(asked, { delay: 5 });
await page.keyboard.press('Escape'); // the list of completions
figures.filtered = await timed(
  () => page.keyboard.press('Enter'),
  () =>
    page.waitForFunction(() =>
      /^[\d,]+ of 100,000/.test(
        document.querySelector('.jp-StudioQuery-count')?.textContent ?? ''
      )
    )
);
await page.evaluate(async () => {
  await window.jupyterapp.commands.execute('studio:compare', {});
});
const tab = name => page.getByRole('tab', { name, exact: true }).last();
figures.parallel = await timed(
  () => tab('Parallel').click(),
  () =>
    page.waitForFunction(
      () =>
        document.querySelector('.jp-StudioParallel-lines canvas')?.dataset.drawn
    )
);
figures.importance = await timed(
  () => tab('Scatter').click(),
  () =>
    page
      .getByText(/learned from/)
      .first()
      .waitFor({ timeout: 60_000 })
);
const cdp = await page.context().newCDPSession(page);
await cdp.send('HeapProfiler.collectGarbage');
const { usedSize } = await cdp.send('Runtime.getHeapUsage');
figures.heap = usedSize / 2 ** 20;
await browser.close();
console.log(JSON.stringify(figures));

/** Seconds from the beginning of `act` to the frame after `seen`. */
async function timed(act, seen) {
  const begun = performance.now();
  await act();
  await seen();
  await page.evaluate(() => new Promise(done => requestAnimationFrame(done)));
  return (performance.now() - begun) / 1000;
}
