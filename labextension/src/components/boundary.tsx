import React from 'react';

import { Problem } from './empty';
import { StudioContext } from './hooks';

/** Keeps a mistake in one page from taking the others with it. */
export class Boundary extends React.Component<
  React.PropsWithChildren,
  { error: Error | null }
> {
  static contextType = StudioContext;

  state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  render(): React.ReactNode {
    const { error } = this.state;
    return error ? (
      <Problem error={error} retry={() => this.setState({ error: null })} />
    ) : (
      this.props.children
    );
  }
}
