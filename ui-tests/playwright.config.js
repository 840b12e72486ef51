// What all flows share. Each starts a Jupyter server and a Studio of its own: see bed.ts.
const baseConfig = require('@jupyterlab/galata/lib/playwright-config');

module.exports = {
  ...baseConfig,
  testDir: 'tests',
  workers: 1,
  // Far longer than anything takes, also on a busy machine.
  timeout: 720_000,
  expect: { timeout: 60_000 },
  reporter: [['list']],
  use: {
    ...baseConfig.use,
    actionTimeout: 60_000,
    viewport: { width: 1280, height: 800 },
    // What turns and breathes is drawn without a graphics card here.
    contextOptions: { reducedMotion: 'reduce' },
    // STUDIO_UI_TRACE=1 keeps what playwright's show-trace shows.
    trace: process.env.STUDIO_UI_TRACE ? 'retain-on-failure' : 'off',
    screenshot: 'only-on-failure',
    video: 'off',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-dev-shm-usage',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--no-first-run',
        '--no-default-browser-check'
      ]
    }
  }
};
