import React from 'react';

import { useStudio } from '../components/hooks';
import { Status } from '../components/parts';
import { approvalOf } from './actions';

const TONES: Record<string, string> = {
  Approved: 'good',
  Rejected: 'bad',
  PendingManualApproval: 'warn'
};

/** Whether a version may be deployed. */
export function Approval(props: { status: string }): React.JSX.Element {
  const { trans } = useStudio();
  return (
    <Status
      status={approvalOf(props.status, trans)}
      tone={TONES[props.status] ?? 'none'}
    />
  );
}
