import { LabIcon } from '@jupyterlab/ui-components';

import studioSvg from '../style/icons/studio.svg';

/** Stands for Studio as a whole. */
export const studioIcon = new LabIcon({
  name: 'studio:studio',
  svgstr: studioSvg
});
