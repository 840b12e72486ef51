/// <reference types="node" />
import * as fs from 'fs';
import * as path from 'path';

import { configure, fireEvent, screen } from '@testing-library/react';
import React from 'react';

import { filesOf } from '../components/patch';
import { Provenance } from '../components/provenance';
import { loader } from '../notebook/loaders';
import { localPath } from '../notebook/source';
import { things } from '../notebook/things';
import { CommandIDs, type IDragged } from '../tokens';
import { fakeStudio, renderIn } from './studio';

configure({ asyncUtilTimeout: 10_000 });

// tests/codegen runs these files, so what is compared here is known to work. After a change:
// UPDATE_PROGRAMS=1 npm test -- notebook
const LOADERS = path.join(__dirname, '../../../tests/codegen/loaders');

const OBJECTS: Record<string, string> = {
  csv: "s3://loaders/it's ü.csv",
  headless: 's3://loaders/headless.csv',
  tsv: 's3://loaders/a.tsv',
  packed: 's3://loaders/a.csv.gz',
  parquet: 's3://loaders/a.parquet',
  jsonl: 's3://loaders/a.jsonl',
  json: 's3://loaders/a.json',
  archive: 's3://loaders/model.tar.gz',
  image: 's3://loaders/a.png',
  other: 's3://loaders/a.bin',
  folder: 's3://loaders/folder/'
};
const THINGS: Record<string, IDragged> = {
  job: { kind: 'job', name: 'loaded' },
  model: { kind: 'model', name: 'loaded' },
  endpoint: { kind: 'endpoint', name: 'loaded' },
  ...Object.fromEntries(
    Object.entries(OBJECTS).map(([what, name]) => [
      what,
      { kind: 'object', name } as IDragged
    ])
  )
};
const CONTENTS: Record<string, () => Response> = {
  "s3/loaders/it's%20%C3%BC.csv": () => new Response('x,y\n1,2\n'),
  's3/loaders/headless.csv': () => new Response('1,2.5\n3,-4e1\n'),
  's3/loaders/a.tsv': () => new Response('x\ty\n1\t2\n')
};

describe('loader', () => {
  it.each(Object.keys(THINGS))('writes the code of %s', async what => {
    const { client } = fakeStudio({
      ...CONTENTS,
      'aws/studio/GetSampleRequest': () => ({
        Samples: [{ ContentType: 'text/csv', Body: '1,2' }]
      })
    });
    const code = (await loader(client, THINGS[what])) + '\n';
    const file = path.join(LOADERS, `${what}.py`);
    if (process.env['UPDATE_PROGRAMS']) {
      fs.writeFileSync(file, code);
    }
    expect(code).toBe(fs.readFileSync(file, 'utf-8'));
  });

  it('leaves the row to the user where there is no sample', async () => {
    const { client } = fakeStudio({});
    expect(await loader(client, THINGS['endpoint'])).toContain('body = ""  #');
  });
});

describe('things', () => {
  it('are the newest of each kind, and S3', async () => {
    const studio = fakeStudio({
      'aws/studio/QueryResources': ({ Kind }) => ({
        Rows: Kind === 'model' ? [] : [{ Name: `a ${Kind}`, Status: 'Failed' }],
        Total: 1
      })
    });
    const found = await things(
      studio.client,
      'a',
      new AbortController().signal
    );
    expect(found.map(each => `${each.kind} ${each.name}`)).toEqual([
      'job a training-job',
      'endpoint a endpoint',
      'object '
    ]);
    expect(studio.asked[0][1]).toMatchObject({ Text: 'a' });
  });
});

it('finds paths of the machine below the folder of the server', () => {
  expect(localPath('/home/ann/a/b.ipynb', '/home/ann')).toBe('a/b.ipynb');
  expect(localPath('/srv/work/a.ipynb', '/srv/work/')).toBe('a.ipynb');
  expect(localPath('/tmp/srv/work/a.ipynb', '/srv/work')).toBeNull();
  expect(localPath('/a.ipynb', '/')).toBe('a.ipynb');
  expect(localPath('/a.ipynb', '')).toBeNull();
  expect(localPath('/srv/workshop/a.ipynb', '/srv/work')).toBeNull();
});

const PATCH = `diff --git a/model.py b/model.py
index 1..2 100644
--- a/model.py
+++ b/model.py
@@ -1 +1,2 @@
-depth = 3
+depth = 4
+<img src=x onerror=alert(1)>
diff --git a/gone.py b/gone.py
deleted file mode 100644
`;

it('takes patches apart', () => {
  expect(
    filesOf(PATCH).map(({ name, added, removed }) => [name, added, removed])
  ).toEqual([
    ['model.py', 2, 1],
    ['gone.py', 0, 0]
  ]);
  expect(filesOf('')).toEqual([]);
});

describe('Provenance', () => {
  const arn = 'arn:aws:sagemaker:us-east-1:000000000000:training-job/j';
  const found = {
    Kind: 'notebook',
    Path: '/home/ann/trees.ipynb',
    Cell: { Id: 'c1', ExecutionCount: 7, Source: 'fit(', SourceLength: 9000 },
    Git: {
      Root: '/home/ann',
      Commit: '0123456789abcdef',
      Branch: 'trunk',
      Subject: '<b>bold</b>',
      Dirty: true,
      Patch: PATCH,
      PatchBytes: 250,
      PatchTotalBytes: 5000,
      UntrackedFiles: [{ Path: 'new.py', Bytes: 3 }],
      UntrackedCount: 2
    },
    Python: {
      Version: '3.11.7',
      Packages: [{ Name: 'boto3', Version: '1.44' }],
      PackageCount: 1
    },
    RecordedAt: 1795293674
  };

  it('shows all of it, says what was cut, and opens the notebook at the cell', async () => {
    const studio = fakeStudio({
      'aws/studio/GetProvenance': () => ({ Arn: arn, Provenance: found })
    });
    const open = jest.fn();
    studio.commands.addCommand(CommandIDs.openSource, {
      execute: args => open(args)
    });
    const { container } = renderIn(studio, <Provenance arn={arn} />);
    fireEvent.click(
      await screen.findByRole('button', { name: 'trees.ipynb [7]' })
    );
    expect(open).toHaveBeenCalledWith({
      path: '/home/ann/trees.ipynb',
      cell: 'c1'
    });
    expect(container.textContent).toContain('<b>bold</b>');
    expect(container.querySelector('b, img')).toBeNull();
    expect(screen.getByText('Cell (4 of 9,000)')).toBeTruthy();
    expect(screen.getByText(/the first 250 B of 5.0 kB/)).toBeTruthy();
    expect(screen.getByText(/2 files that git does not know/)).toBeTruthy();
    expect(screen.getByText('+depth = 4').className).toBe('jp-mod-added');
  });

  it('shows what a job ran with, also where nobody knows where it came from', async () => {
    const studio = fakeStudio({
      'aws/studio/GetProvenance': () => ({
        Arn: arn,
        Execution: {
          Image: { Uri: 'python:3.11', Digest: 'sha256:aaaabbbbccccdddd' },
          Python: { Version: '3.11', Packages: [], PackageCount: 0 },
          EnvironmentDigest: 'eeeeffff0000111122223333',
          Inputs: [
            {
              ChannelName: '<i>train</i>',
              Uri: 's3://b/train',
              Objects: 2,
              Bytes: 1500,
              Digest: 'sha256:444455556666'
            }
          ],
          Hardware: { Cpu: 'EPYC', Cores: 8, MemoryInMB: 1000, Gpus: ['H200'] },
          Allotted: { Cpus: 2, Gpus: 1 },
          Seeds: [{ Name: 'random_seed', Value: '7' }]
        }
      })
    });
    const { container } = renderIn(studio, <Provenance arn={arn} />);
    expect(await screen.findByText('Input <i>train</i>')).toBeTruthy();
    expect(container.textContent).toContain('2 objects, 1.5 kB');
    expect(container.textContent).toContain('EPYC, 8 cores, 1.0 GB, H200');
    expect(container.textContent).toContain('2 cores, 1 GPU');
    expect(screen.getByText('aaaabbbbcccc').title).toBe(
      'sha256:aaaabbbbccccdddd'
    );
    expect(screen.getByText('random_seed')).toBeTruthy();
    expect(screen.getByText(/is not recorded/)).toBeTruthy();
  });

  it('says when nothing was recorded, and shows it once it is', async () => {
    let known = false;
    const studio = fakeStudio({
      'aws/studio/GetProvenance': () =>
        known ? { Arn: arn, Provenance: found } : { Arn: arn }
    });
    renderIn(studio, <Provenance arn={arn} />);
    expect(await screen.findByText(/is not recorded/)).toBeTruthy();
    known = true;
    studio.emit({
      type: 'resource',
      Kind: 'training-job',
      Name: 'j',
      Arn: arn,
      Status: 'InProgress',
      Change: 'changed',
      At: 0
    });
    expect(await screen.findByText('0123456789')).toBeTruthy();
  });
});
