import type { Folded } from '../command/boundary.ts';
import { aboutOf } from './about.ts';
import type { About } from './about.ts';
import { checkMomentOf, checkReplayOptions } from './check-options.ts';
import type { ReplayContext } from './context.ts';
import { AllDocuments, Documents, OneDocument } from './documents.ts';
import type { InstanceReplayOptions } from './options.ts';
import { Pace } from './pace.ts';
import { Player } from './player.ts';
import type { Replay, StartReplay } from './replay.ts';
import { scopeOf, selected } from './scope.ts';
import { InstanceState, InstanceStates, NoFold, OwnFold } from './states.ts';
import type { Subject } from './subject.ts';
import type { Target } from './target.ts';
import { Timeline } from './timeline.ts';

/** What begins replays of one engine. */
export function replays(context: ReplayContext): StartReplay {
  // The one place where the types of a subject are set aside: what it is about decides.
  return ((subject: Subject = {}, options: InstanceReplayOptions = {}): Replay<unknown, unknown> => {
    context.checkOpen();
    const about = aboutOf(subject);
    const { select, at, isFromSnapshot } = checkReplayOptions(about, options);
    const scope = scopeOf(about);
    const parts = {
      timeline: new Timeline(context.log, select === undefined ? scope : selected(scope, select)),
      target: targetOf(about, context),
      pace: new Pace(options, context.log.limits),
      at,
      closing: context.closing,
      snapshot: isFromSnapshot && about.kind === 'instance' ? snapshotsOf(about, context) : async () => undefined,
      checkMoment: (moment: Parameters<typeof checkMomentOf>[1]) => checkMomentOf(about, moment, 'to'),
    };
    return new Player(parts, options);
  }) as StartReplay;
}

function snapshotsOf(
  { boundary: { fold, stream } }: Extract<About, { readonly kind: 'instance' }>,
  { newestSnapshot }: ReplayContext,
): (at: Parameters<ReplayContext['newestSnapshot']>[2]) => Promise<Folded | undefined> {
  return (at) => newestSnapshot(fold, stream, at);
}

function targetOf(about: About, { folding, freezes }: ReplayContext): Target<unknown, unknown> {
  switch (about.kind) {
    case 'instance':
      return new InstanceState(folding, about.boundary);
    case 'aggregate':
      return new InstanceStates(folding, about.aggregate);
    case 'documents':
      return new AllDocuments(new Documents(about.projection, freezes));
    case 'document':
      return new OneDocument(new Documents(about.projection, freezes), about.key);
    case 'fold':
      return new OwnFold(about.fold);
    case 'events':
      return new NoFold();
    default:
      return about satisfies never;
  }
}
