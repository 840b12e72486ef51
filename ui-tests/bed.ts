import { execFile, spawn, type ChildProcess } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import {
  expect,
  galata,
  test as base,
  type IJupyterLabPageFixture
} from '@jupyterlab/galata';
import type { BrowserContext, Page, Response } from '@playwright/test';

export { expect };
export type { IJupyterLabPageFixture };

const execute = promisify(execFile);
const python = process.env.PYTHON ?? 'python';
const TOKEN = 'token-of-the-flows';
const PATIENCE_MS = 120_000;
const STOP_MS = 10_000;

/** A Jupyter server with a home of Studio's own, as processes that a flow may kill. */
export class Bed {
  readonly folder = mkdtempSync(join(tmpdir(), 'studio-ui-'));
  readonly home = join(this.folder, 'home');
  readonly work = join(this.folder, 'work');
  readonly log = join(this.folder, 'jupyter.log');

  /** The URL of the Jupyter server, with the base URL, without a slash at the end. */
  get url(): string {
    return `http://127.0.0.1:${this._port}/user/ann`;
  }

  async start(): Promise<void> {
    mkdirSync(this.work, { recursive: true });
    this._port ||= await freePort();
    const log = openSync(this.log, 'a');
    this._jupyter = spawn(
      python,
      [
        ...['-m', 'jupyterlab', `--port=${this._port}`],
        `--config=${join(__dirname, 'jupyter_server_config.py')}`,
        `--IdentityProvider.token=${TOKEN}`,
        `--ServerApp.root_dir=${this.work}`
      ],
      { env: this._environment, stdio: ['ignore', log, log] }
    );
    closeSync(log);
    await until(async () => {
      if (this._jupyter!.exitCode !== null) {
        throw new Error(readFileSync(this.log, 'utf8'));
      }
      return (await this.request('GET', 'api/status')).ok;
    });
    await until(async () => (await this.status()).ready);
  }

  /** End the Jupyter server; Studio goes on. */
  async stop(): Promise<void> {
    const jupyter = this._jupyter!;
    if (jupyter.exitCode !== null || jupyter.signalCode !== null) {
      return;
    }
    const ended = new Promise(resolve => jupyter.once('exit', resolve));
    jupyter.kill('SIGTERM');
    // Threads of its own (anyio's) may keep it for ever when it has just read a notebook.
    const patience = setTimeout(() => jupyter.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(patience);
  }

  /** End everything. */
  async close(): Promise<void> {
    await this.stop();
    await this.studio('stop', '--all');
    if (!process.env.STUDIO_UI_KEEP) {
      await rm(this.folder, { recursive: true, force: true });
    }
  }

  /** Run the `studio` command for this home; what it prints. */
  async studio(...args: string[]): Promise<string> {
    const command = ['-P', '-m', 'studio.cli', ...args, '--home', this.home];
    const done = await execute(python, command, { env: this._environment });
    return done.stdout;
  }

  /** Kill the control plane, as the kernel would for want of memory. */
  killStudio(): void {
    const known = readFileSync(join(this.home, 'pid.json'), 'utf8');
    process.kill((JSON.parse(known) as { pid: number }).pid, 'SIGKILL');
  }

  /** A request of the Jupyter server by its user, outside of any browser. */
  request(
    method: string,
    path: string,
    body?: BodyInit
  ): Promise<globalThis.Response> {
    const headers = { Authorization: `token ${TOKEN}` };
    return fetch(`${this.url}/${path}`, { method, headers, body });
  }

  async status(): Promise<{ ready: boolean }> {
    const answer = await this.request('GET', 'studio/api/status');
    return (await answer.json()) as { ready: boolean };
  }

  /** Call an operation, as another program would; raises with what AWS says. */
  async call(
    operation: string,
    request: object = {},
    service = 'sagemaker'
  ): Promise<Record<string, unknown>> {
    const path = `studio/api/aws/${service}/${operation}`;
    const answer = await this.request('POST', path, JSON.stringify(request));
    const text = await answer.text();
    if (!answer.ok) {
      throw new Error(text);
    }
    return JSON.parse(text || '{}') as Record<string, unknown>;
  }

  /** Store an object; its bucket is made. */
  async put(bucket: string, key: string, body: BodyInit): Promise<void> {
    await this.request('PUT', `studio/api/s3/${bucket}`);
    const path = `studio/api/s3/${bucket}/${encodeURI(key)}`;
    const answer = await this.request('PUT', path, body);
    expect(answer.ok).toBeTruthy();
  }

  /** Log a browser in: it has a cookie then, as people's have. */
  async login(context: BrowserContext): Promise<void> {
    await context.request.get(`${this.url}/api/status?token=${TOKEN}`);
  }

  private get _environment(): NodeJS.ProcessEnv {
    const kept = Object.entries(process.env).filter(
      ([name]) => !/^(AWS_|STUDIO_|SAGEMAKER_)/.test(name)
    );
    return {
      ...Object.fromEntries(kept),
      HOME: this.folder,
      JUPYTER_CONFIG_DIR: join(this.folder, 'config'),
      JUPYTER_DATA_DIR: join(this.folder, 'data'),
      JUPYTER_RUNTIME_DIR: join(this.folder, 'runtime'),
      JUPYTERLAB_SETTINGS_DIR: join(this.folder, 'settings'),
      JUPYTERLAB_WORKSPACES_DIR: join(this.folder, 'workspaces'),
      STUDIO_HOME: this.home
    };
  }

  private _port = 0;
  private _jupyter: ChildProcess | null = null;
}

interface IFetched {
  /** Answers with scripts of Studio's, since before the page was there. */
  scripts: Response[];
}

/** Galata's test, on a bed of the file's own; nothing between browser and server is mocked. */
export const test = base.extend<IFetched, { bed: Bed }>({
  bed: [
    async ({}, use) => {
      const bed = new Bed();
      await bed.start();
      await use(bed);
      await bed.close();
    },
    { scope: 'worker', timeout: 2 * PATIENCE_MS }
  ],
  baseURL: async ({ bed }, use) => use(bed.url),
  context: async ({ bed, context, scripts }, use) => {
    context.on('response', response => {
      if (response.url().includes('/extensions/jupyter-ml-studio/')) {
        scripts.push(response);
      }
    });
    await bed.login(context);
    await use(context);
  },
  scripts: async ({}, use) => use([]),
  tmpPath: async ({ bed }, use) => {
    mkdirSync(join(bed.work, 'flow'), { recursive: true });
    await use('flow');
  },
  mockConfig: false,
  mockState: false,
  mockUser: false,
  kernels: async ({}, use) => use(null as never),
  sessions: async ({}, use) => use(null as never),
  terminals: async ({}, use) => use(null as never),
  mockSettings: galata.DEFAULT_SETTINGS,
  waitForApplication: async ({}, use) => use(page => ready(page))
});

/** Another browser's JupyterLab. */
export async function openLab(
  bed: Bed,
  context: BrowserContext,
  path = 'lab'
): Promise<Page> {
  await bed.login(context);
  const page = await context.newPage();
  await page.goto(`${bed.url}/${path}`);
  await ready(page);
  return page;
}

/** The path of a page of Studio: `link('open-job', { name })`. */
export function link(command: string, args: object = {}): string {
  return `lab?studio=${command}&args=${encodeURIComponent(JSON.stringify(args))}`;
}

/** Open a page of Studio's by its command. */
export async function open(
  page: Page,
  command: string,
  args: object = {}
): Promise<void> {
  await run(page, `studio:${command}`, args);
}

/** Run a command of JupyterLab's. */
export async function run(
  page: Page,
  command: string,
  args: object = {}
): Promise<void> {
  await page.evaluate(
    async ([id, given]) => {
      const { jupyterapp } = window as unknown as { jupyterapp: IApp };
      await jupyterapp.commands.execute(id, given);
    },
    [command, args] as const
  );
}

/** Wait until JupyterLab has stored what is open, which it does a moment late: `text` is in it. */
export async function stored(bed: Bed, text: string): Promise<void> {
  await expect
    .poll(async () => (await bed.request('GET', 'lab/api/workspaces')).text())
    .toContain(text);
}

interface IApp {
  restored: Promise<void>;
  commands: { execute(id: string, args: object): Promise<unknown> };
}

/** Wait until JupyterLab can be used. */
export async function ready(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const { jupyterapp } = window as unknown as { jupyterapp?: IApp };
    return jupyterapp?.restored.then(() => true);
  });
}

async function until(look: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      if (await look()) {
        return;
      }
    } catch (error) {
      if (!(error instanceof TypeError)) {
        throw error; // fetch says TypeError when nobody listens yet
      }
    }
    if (Date.now() > deadline) {
      throw new Error('it never came true');
    }
    await new Promise(resolve => setTimeout(resolve, 100));
  }
}

function freePort(): Promise<number> {
  return new Promise(resolve => {
    const probe = createServer();
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
