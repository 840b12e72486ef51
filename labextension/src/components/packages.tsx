import React from 'react';

import type { studio } from '../wire';
import { useStudio } from './hooks';
import { Code } from './parts';

/** The packages of a Python environment, or those that a job installed, as requirements. */
export function Packages(props: {
  python: studio.ProvenancePython;
  installed?: boolean;
}): React.JSX.Element | null {
  const { Packages: packages, PackageCount: count } = props.python;
  const { trans } = useStudio();
  return packages ? (
    <details>
      <summary>
        {props.installed
          ? trans._n(
              '%1 package installed by the job',
              '%1 packages installed by the job',
              packages.length
            )
          : trans._n('%1 package', '%1 packages', count ?? packages.length)}
        {cut(packages.length, count, trans)}
      </summary>
      <Code
        code={packages
          .map(({ Name: name, Version: version }) => `${name}==${version}`)
          .join('\n')}
        label={trans.__('Packages')}
      />
    </details>
  ) : null;
}

/** ` (4 of 9,000)` where not all is shown. */
export function cut(
  shown: number,
  total: number | undefined,
  trans: ReturnType<typeof useStudio>['trans']
): string {
  return total !== undefined && shown < total
    ? ` (${trans.__('%1 of %2', shown.toLocaleString(), total.toLocaleString())})`
    : '';
}
