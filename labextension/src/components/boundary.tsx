import React from 'react';

import { Problem } from './empty';
import { StudioContext } from './hooks';

/** Keeps a mistake in one page from taking the others with it. `retry` is told of each new try. */
export class Boundary extends React.Component<
  React.PropsWithChildren<{ retry?: () => void }>,
  { error: Error | null }
> {
  static contextType = StudioContext;

  state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  private _retry = (): void => {
    this.props.retry?.();
    this.setState({ error: null });
  };

  render(): React.ReactNode {
    const { error } = this.state;
    return error ? (
      <Problem error={error} retry={this._retry} />
    ) : (
      this.props.children
    );
  }
}
