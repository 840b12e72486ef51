import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';
import React from 'react';

const MARKDOWN = 'text/markdown';

/** Markdown as JupyterLab shows it: what could run is taken out. */
export function Markdown(props: {
  source: string;
  rendermime: IRenderMimeRegistry;
}): React.JSX.Element {
  const { source, rendermime } = props;
  const host = React.useRef<HTMLDivElement>(null);
  // Taken away while its place is still in the page.
  React.useLayoutEffect(() => {
    const renderer = rendermime.createRenderer(MARKDOWN);
    const model = rendermime.createModel({
      data: { [MARKDOWN]: source },
      trusted: false
    });
    Widget.attach(renderer, host.current!);
    void renderer.renderModel(model);
    return () => renderer.dispose();
  }, [source, rendermime]);
  return <div className="jp-StudioComponent-markdown" ref={host} />;
}
