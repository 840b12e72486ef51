import React from 'react';

import type { FigureCache } from './figure';
import type { ProfileModel } from './profile';
import type { ChartSpec, Condition, Source } from '../core/protocol';
import type { IDataArgs } from './state';

/** What the parts of one page share. */
export interface IDataPage {
  source: Source;
  args: IDataArgs;
  set: (changes: Partial<IDataArgs>) => void;
  profile: ProfileModel;
  figures: FigureCache;
  /** Put code into a notebook, below the selected cell. */
  insert: (code: string) => void;
  /** Show the rows that fulfil the conditions. */
  showRows: (filters: Condition[]) => void;
  showColumn: (name: string) => void;
  /** Add a chart to the strip, and show it. */
  addChart: (spec: ChartSpec) => void;
}

export const PageContext = React.createContext<IDataPage | null>(null);

/** The page that a part is on. */
export function usePage(): IDataPage {
  const page = React.useContext(PageContext);
  if (!page) {
    throw new Error('Parts of the data page must be rendered below it.');
  }
  return page;
}
