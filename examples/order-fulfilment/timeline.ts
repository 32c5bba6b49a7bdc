import type { EffectProgress, Engine, SagaStatus } from 'eventsrc';
import { bad, faint, good, line } from '../narrator.ts';
import { fulfilment } from './fulfilment.ts';

/** What a sale went through, step by step: its steps are events, so it is replayed as any aggregate. @param afterVersion only what came later. */
export async function showTimeline(engine: Engine, id: string, afterVersion: number): Promise<void> {
  for await (const { event, before, state } of engine.replay({ aggregate: fulfilment.instances, id })) {
    if (event.version <= afterVersion || state === null) continue;
    const after = `${faint(`+${((state.changedAt - state.startedAt) / 1_000).toFixed(3)} s`)}  `;
    for (const effect of Object.values(state.effects))
      showEffect(effect, before?.effects[effect.key], after, event.metadata.actor);
    if (state.status !== before?.status) showStatus(state.status, before?.status, after);
  }
}

/** What has become of an effect since the step before. */
function showEffect(now: EffectProgress, before: EffectProgress | undefined, after: string, actor = ''): void {
  const { key, kind, status, attempt, failures, failure, lost, result } = now;
  const name = after + key.replace('~', 'undo: ');
  if (lost > (before?.lost ?? 0)) bad(`${name}: whoever made attempt ${before?.attempt} is gone`);
  if (failures > (before?.failures ?? 0)) {
    const again = status === 'failed' ? '' : faint(` (attempt ${attempt}; there will be another)`);
    bad(`${name}: ${failure?.code === 'error' ? failure.message : failure?.code}${again}`);
  }
  if (status === 'completed' && before?.status !== 'completed') {
    const came = kind === 'command' ? '' : faint(` ${JSON.stringify(result)}`);
    good(`${name}${came}${actor === '' ? '' : ` by ${actor}`}`);
  }
}

function showStatus(now: SagaStatus, before: SagaStatus | undefined, after: string): void {
  if (now === 'compensating' && before === 'running') line(`  ${after}what was done is undone, the last first`);
  if (now === 'stuck') bad(`${after}stuck: it gets no further until somebody acts`);
}
