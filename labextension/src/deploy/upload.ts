import { ServerConnection } from '@jupyterlab/services';

import type { Client } from '../core/client';
import { ApiError } from '../core/errors';

/** Copy a file of the Jupyter server to the default bucket; its S3 URI. */
export async function upload(
  client: Client,
  url: string,
  name: string
): Promise<string> {
  const response = await ServerConnection.makeRequest(url, {}, client.settings);
  if (!response.ok) {
    throw await ServerConnection.ResponseError.create(response);
  }
  const { Bucket: bucket } = await client.call(
    'studio',
    'DescribeDefaults',
    {}
  );
  await ensureBucket(client, bucket);
  const key = `uploads/${stamp(new Date())}/${name}`;
  await client.s3('PUT', bucket, key, {}, { body: await response.blob() });
  return `s3://${bucket}/${key}`;
}

async function ensureBucket(client: Client, bucket: string): Promise<void> {
  try {
    await client.s3('PUT', bucket);
  } catch (error) {
    const known = error instanceof ApiError && error.status === 409;
    if (!known) {
      throw error;
    }
  }
}

/** 2026-11-21T20-10-00: a folder of its own for every upload. */
function stamp(at: Date): string {
  return at.toISOString().slice(0, 19).replace(/:/g, '-');
}
