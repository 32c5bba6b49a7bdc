/**
 * Deposits into wallets at a place until it is killed, so fast that snapshots are written all the time; prints a line for every round.
 */
import { backendAt } from '../support/place.ts';
import { defineWallet, openWallets } from '../snapshot/wallet.ts';

const wallet = defineWallet();
const engine = await openWallets(backendAt(process.argv.slice(2)), wallet);
for (let round = 1; ; round++) {
  const ids = ['a', 'b', 'c', 'd'];
  await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      engine.execute(wallet.commands.note(ids[index % 4] as string, { text: `${'x'.repeat(2_000)} ${round}` })),
    ),
  );
  console.log(String(round));
}
