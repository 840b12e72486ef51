import { frameCode } from '../table/actions';
import cell from './frame.json';

describe('the cell that reads a view into a DataFrame', () => {
  it('is the one that the tests of studio.query run', () => {
    expect(frameCode(cell.view, cell.fields).split('\n')).toEqual(cell.code);
  });

  it('names no components where the view is about all', () => {
    const code = frameCode({ query: '', names: null }, ['status']);
    expect(code).toContain(
      '    "",\n    fields=[\n        "status",\n    ],\n)'
    );
  });
});
