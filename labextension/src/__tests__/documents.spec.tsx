import { Widget } from '@lumino/widgets';
import { act, fireEvent, screen } from '@testing-library/react';
import React from 'react';

import { StudioView } from '../core/documents';
import { fakeStudio } from './studio';

it('fetches the code of a page again when that failed before', async () => {
  const page = jest
    .fn()
    .mockRejectedValueOnce(new Error('Loading chunk 7 failed.'))
    .mockResolvedValue(() => <p>the page</p>);
  const type = { command: 'studio:open-thing', page } as never;
  const said = jest.spyOn(console, 'error').mockImplementation();
  const view = new StudioView(type, {}, fakeStudio({}));
  await act(async () => {
    Widget.attach(view, document.body);
    await Promise.resolve();
  });
  await screen.findByText('Loading chunk 7 failed.');
  fireEvent.click(screen.getByRole('button', { name: 'Retry' }));
  await screen.findByText('the page');
  expect(page).toHaveBeenCalledTimes(2);
  view.dispose();
  said.mockRestore();
});
