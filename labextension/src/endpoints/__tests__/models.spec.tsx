import { fireEvent, screen, waitFor } from '@testing-library/react';
import React from 'react';

import { fakeStudio, renderIn } from '../../__tests__/studio';
import { type IFilter, Models } from '../models';

const row = {
  Pinned: false,
  LoadedReplicas: 0,
  MemoryBytes: 0,
  Invocations: 0,
  Hits: 0,
  Errors: 0,
  Size: 2048
};
const found = {
  Models: [
    {
      ...row,
      TargetModel: 'a.tar.gz',
      Status: 'Loaded',
      Pinned: true,
      LoadedReplicas: 1
    },
    {
      ...row,
      TargetModel: 'b.tar.gz',
      Status: 'NotLoaded',
      Problem: 'no model'
    }
  ],
  Total: 2,
  Loaded: 1,
  Replicas: 1,
  VariantName: 'all',
  S3Uri: 's3://towns/models/'
};

function Page(props: { onTest: (model: string) => void }): React.JSX.Element {
  const [filter, setFilter] = React.useState<IFilter>({});
  return (
    <Models
      endpoint="e"
      variant="all"
      filter={filter}
      onFilter={setFilter}
      onTest={props.onTest}
    />
  );
}

it('lists models, loads, pins and tests them, and asks for what is looked for', async () => {
  const asked: [string, object][] = [];
  const note = (name: string) => (body: object) => {
    asked.push([name, body]);
    return name === 'list' ? found : { Replicas: 1 };
  };
  const studio = fakeStudio({
    'aws/studio/ListEndpointModels': note('list'),
    'aws/studio/LoadEndpointModel': note('load'),
    'aws/studio/PinEndpointModel': note('pin')
  });
  const tested: string[] = [];
  renderIn(studio, <Page onTest={model => tested.push(model)} />);
  const unload = await screen.findByRole('button', {
    name: 'Unload: a.tar.gz'
  });
  expect((unload as HTMLButtonElement).disabled).toBe(true);
  expect(screen.getByText('Loaded: pinned')).toBeTruthy();
  expect(screen.getByText('no model')).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: 'Test: b.tar.gz' }));
  fireEvent.click(screen.getByRole('button', { name: 'Load: b.tar.gz' }));
  fireEvent.click(screen.getByRole('button', { name: 'Unpin: a.tar.gz' }));
  fireEvent.change(screen.getByRole('searchbox', { name: 'Name contains' }), {
    target: { value: 'b' }
  });
  await waitFor(() => {
    expect(asked).toContainEqual([
      'load',
      { EndpointName: 'e', VariantName: 'all', TargetModel: 'b.tar.gz' }
    ]);
    expect(asked).toContainEqual([
      'pin',
      {
        EndpointName: 'e',
        VariantName: 'all',
        TargetModel: 'a.tar.gz',
        Pinned: false
      }
    ]);
    expect(asked).toContainEqual([
      'list',
      expect.objectContaining({ NameContains: 'b' })
    ]);
  });
  expect(tested).toEqual(['b.tar.gz']);
});
