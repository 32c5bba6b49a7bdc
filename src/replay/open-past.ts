import type { AnyProjection } from '../projection/projection.ts';
import type { Moment } from '../store/moment.ts';
import type { ReplayContext } from './context.ts';
import { diff, history, why } from './diff.ts';
import type { DiffOptions, HistoryOptions, Past, WhyOptions } from './past.ts';
import { pastView } from './past-view.ts';
import type { PastViewOptions } from './past-view.ts';
import type { InstanceSubject, Subject } from './subject.ts';
import { whatIf } from './what-if.ts';
import type { GivenWhatIf } from './what-if.ts';

/** What looks into the past of one engine. */
export function pastOf(context: ReplayContext): Past {
  // The one place where the types of a subject are set aside: what it is about decides.
  return {
    history: (aggregate: InstanceSubject['aggregate'], id: string, options: HistoryOptions = {}) => {
      context.checkOpen();
      return history(context, { aggregate, id }, options);
    },
    diff: async (subject: Subject, options: DiffOptions) => {
      context.checkOpen();
      return diff(context, subject, options);
    },
    why: async (subject: Subject, field: string, options: WhyOptions = {}) => {
      context.checkOpen();
      return why(context, subject, field, options);
    },
    whatIf: async (subject: Subject, options: GivenWhatIf) => {
      context.checkOpen();
      return whatIf(context, subject, options);
    },
    view: async (projection: AnyProjection, at: Moment, options: PastViewOptions = {}) => {
      context.checkOpen();
      return pastView(context, projection, at, options);
    },
  } as Past;
}
