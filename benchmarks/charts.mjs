// Measures the charts of a comparison in a browser: `node charts.mjs URL LINES POINTS` prints figures
// as JSON. See bench_charts.py.
import { launched, opened, painted } from './browser.mjs';

const [base, lines, points] = process.argv.slice(2);
const TIMES = 5;
/** Whoever asks for charts has looked at the table that long. */
const LOOK_MS = 1000;

const browser = await launched();
const page = await opened(browser, base);
const row = '[data-studio-kind=component]';
await page.evaluate(painted, { command: 'studio:compare', row });
await page.waitForTimeout(LOOK_MS);
const tab = name => page.getByRole('tab', { name, exact: true });
const charts = () => page.evaluate(drawn, ['Charts', lines]);
const figures = {
  first: [await charts()],
  painted: [],
  drawn: [],
  seen: []
};
const cdp = await page.context().newCDPSession(page);
await cdp.send('Performance.enable');
for (let time = 0; time < TIMES; time++) {
  // Whoever leaves the pane lets go of its series: coming back asks for all of them.
  await tab('Parallel').click();
  await page.waitForSelector('.jp-StudioPlot', { state: 'detached' });
  figures.painted.push(await charts());
  const before = await busy();
  await page.getByRole('slider', { name: 'Smoothing' }).fill(`0.${time + 1}`);
  await frame();
  figures.drawn.push((await busy()) - before);
  figures.seen.push(await page.evaluate(seen, Number(points) + time));
}
await browser.close();
const middle = all => all.sort((one, other) => one - other)[all.length >> 1];
console.log(
  JSON.stringify(
    Object.fromEntries(
      Object.entries(figures).map(([name, all]) => [name, middle(all)])
    )
  )
);

/** Seconds from the press of a tab to the frame with all lines on the canvas; in the page. */
function drawn([name, wanted]) {
  const tab = [...document.querySelectorAll('.jp-StudioView [role=tab]')].find(
    each => each.textContent === name
  );
  const begun = performance.now();
  tab.click();
  return new Promise(resolve => {
    const look = () =>
      document
        .querySelector('.jp-StudioPlot canvas')
        ?.dataset.drawn?.startsWith(`${wanted} `)
        ? setTimeout(() => resolve((performance.now() - begun) / 1000))
        : requestAnimationFrame(look);
    look();
  });
}

async function frame() {
  await page.evaluate(
    () => new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)))
  );
}

/** Seconds that the main thread has worked. */
async function busy() {
  const { metrics } = await cdp.send('Performance.getMetrics');
  return metrics.find(({ name }) => name === 'TaskDuration').value;
}

/** Seconds from the answer to a point until it is on the canvas. */
async function seen(step) {
  const { baseUrl } = window.jupyterapp.serviceManager.serverSettings;
  const token = /_xsrf=([^;]*)/.exec(document.cookie)?.[1] ?? '';
  const blob = numbers =>
    btoa(String.fromCharCode(...new Uint8Array(numbers.buffer)));
  const end = () =>
    Number(
      document
        .querySelector('.jp-StudioPlot canvas')
        .dataset.drawn.split(' ')[1]
    );
  const body = {
    TrialComponentName: 'line-000',
    Series: [
      {
        MetricName: 'loss',
        Steps: blob(BigInt64Array.of(BigInt(step))),
        Timestamps: blob(BigInt64Array.of(BigInt(Date.now()))),
        Values: blob(Float64Array.of(1))
      }
    ]
  };
  const before = end();
  const answer = await fetch(
    `${baseUrl}studio/api/aws/studio/PutTrialComponentMetrics`,
    {
      method: 'POST',
      headers: { 'X-XSRFToken': token },
      body: JSON.stringify(body)
    }
  );
  if (!answer.ok) {
    throw new Error(await answer.text());
  }
  const begun = performance.now();
  return new Promise(resolve => {
    const look = () =>
      end() > before
        ? requestAnimationFrame(() =>
            resolve((performance.now() - begun) / 1000)
          )
        : requestAnimationFrame(look);
    look();
  });
}
