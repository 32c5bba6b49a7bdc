import type { CommandReceipt } from 'eventsrc';
import { bad, faint, good } from '../narrator.ts';

/** Says what was asked for and what came of it. */
export function tell(asked: string, receipt: CommandReceipt<{ readonly type: string }>): void {
  switch (receipt.kind) {
    case 'accepted': {
      const types = receipt.events.map(({ type }) => type).join(', ');
      const again = receipt.duplicate ? ' (the kept receipt of the first time: nothing was done again)' : '';
      return good(`${asked}: ${types} ${faint(`version ${receipt.version}${again}`)}`);
    }
    case 'rejected':
      return bad(`${asked}: rejected, ${receipt.code} ${faint(JSON.stringify(receipt.details ?? {}))}`);
    case 'invalid': {
      const issues = receipt.issues.map(({ path, message }) => `${String(path)}: ${message}`).join('; ');
      return bad(`${asked}: invalid, ${issues}`);
    }
    case 'conflict':
      return bad(`${asked}: conflict, ${receipt.stream} is at version ${receipt.actual}`);
    default:
      return receipt satisfies never;
  }
}
