import React from 'react';

import { colorAt, Palette } from '../components/chart/palette';
import { useTheme } from '../components/chart/theme';
import { useView, useViewStore } from './hooks';
import type { IViewStore } from './store';

const palettes = new WeakMap<IViewStore, Palette>();

/** The palette of the view: what has a colour in one pane has it in all. */
export function usePalette(): Palette {
  const store = useViewStore();
  let palette = palettes.get(store);
  if (!palette) {
    palette = new Palette();
    palettes.set(store, palette);
  }
  return palette;
}

/**
 * The colours of components by their names: given in the view, else the component's own (`own`),
 * else of the palette.
 */
export function useColors(
  names: readonly string[],
  own: (at: number) => string | undefined
): ReadonlyMap<string, string> {
  const palette = usePalette();
  const given = useView(state => state.colors);
  const theme = useTheme();
  return React.useMemo(
    () => {
      const places = palette.places(names);
      return new Map(
        names.map((name, at) => [
          name,
          given[name] ?? own(at) ?? colorAt(document.body, places[at])
        ])
      );
    },
    // The theme has the colours.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [palette, names, own, given, theme]
  );
}
