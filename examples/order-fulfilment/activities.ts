/** How the activities of the saga are done: by calls to the world outside, each under the key that it comes with. */
import { FinalError } from 'eventsrc';
import type { AnyImplementation } from 'eventsrc';
import { charge, refund, send } from './fulfilment.ts';
import type { Outside } from './outside.ts';

/** What the demo wants to see of it. */
interface Witness {
  /** The payment service has charged, and nobody here knows. */
  readonly charged?: () => void;
  /** The payment service was asked what became of a charge. */
  readonly asked?: (wasCharged: boolean) => void;
}

export function activitiesIn(outside: Outside, { charged, asked }: Witness = {}): readonly AnyImplementation[] {
  return [
    charge.implement(
      ({ card, amount }, { idempotencyKey: key }) => {
        if (card === 'stolen') throw new FinalError('card_declined');
        const deed = outside.once({ key, kind: 'charged', amount });
        charged?.();
        return { charged: deed.amount };
      },
      {
        // Asked before another attempt, where nobody knows what became of one.
        reconcile: (_input, { idempotencyKey }) => {
          const deed = outside.find(idempotencyKey);
          asked?.(deed !== undefined);
          return deed === undefined ? { kind: 'not_found' } : { kind: 'completed', output: { charged: deed.amount } };
        },
      },
    ),
    refund.implement(({ card, chargeKey }, { idempotencyKey: key }) => {
      if (card === 'closed') throw new FinalError('account_closed');
      const { amount = 0 } = outside.find(chargeKey) ?? {};
      return { refunded: outside.once({ key, kind: 'refunded', amount }).amount };
    }),
    send.implement(({ town, tickets }, { idempotencyKey: key }) => {
      if (town === 'Atlantis') throw new FinalError('no_such_town');
      outside.once({ key, kind: 'sent', amount: tickets });
      return { sentTo: town };
    }),
  ];
}
