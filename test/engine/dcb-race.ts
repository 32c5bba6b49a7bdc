/** What racers do to the six examples, and what must hold whoever wins. */
import type { DecisionCommand, EventLog } from 'eventsrc';
import {
  bookRoom,
  confirmSignUp,
  coursesPerStudentMax,
  createInvoice,
  defineCourse,
  orderProduct,
  priceProduct,
  register,
  startSignUp,
  subscribe,
} from './dcb-examples.ts';

const courseCapacity = 7;

/** Everything that a round of a racer tries, all at once. Racers of one round want the same. */
export function racedCommands(racer: string, round: number): readonly DecisionCommand[] {
  const courses = Array.from({ length: coursesPerStudentMax + 2 }, (_, index) => `c${round}-${index}`);
  return [
    ...courses.map((courseId) => defineCourse({ courseId, capacity: courseCapacity })),
    // One student who wants too many courses, and many who want the first.
    ...courses.map((courseId) => subscribe({ courseId, studentId: `keen-${round}` })),
    ...Array.from({ length: 6 }, (_, index) =>
      subscribe({ courseId: courses[0] as string, studentId: `s-${racer}-${index}` }),
    ),
    ...[1, 2, 3].map((n) => register({ username: `name-${round}`, userId: `${racer}-${round}-${n}` })),
    ...[1, 2, 3].map(() => createInvoice({ customer: racer })),
    priceProduct({ productId: `p${round}`, price: 100 }),
    ...[100, 90].map((displayedPrice) => orderProduct({ productId: `p${round}`, displayedPrice })),
    startSignUp({ email: racer, token: `t${round}` }),
    ...[1, 2, 3].map(() => confirmSignUp({ token: `t${round}` })),
    ...[1, 2, 3, 4].map((from) => bookRoom({ room: `r${round}`, from, until: from + 2, guest: racer })),
  ];
}

/** Invariants that are broken in the log, found without the decisions' own code. */
export async function brokenInvariants(log: EventLog): Promise<readonly string[]> {
  const broken: string[] = [];
  const requireThat = (holds: boolean, what: string) => void (holds || broken.push(what));
  const seen = new Set<string>();
  const once = (what: string) => (requireThat(!seen.has(what), `${what} twice`), seen.add(what));
  const counts = new Map<string, number>();
  const count = (what: string) => {
    const next = (counts.get(what) ?? 0) + 1;
    counts.set(what, next);
    return next;
  };
  const nights = new Set<string>();
  let invoice = 0;
  for await (const page of log.read()) {
    for (const event of page) {
      const data = event.data as Record<string, never>;
      switch (event.type) {
        case 'CourseDefined':
          once(`course ${data['courseId']}`);
          break;
        case 'StudentSubscribed':
          requireThat(seen.has(`course ${data['courseId']}`), `subscription to the unknown ${data['courseId']}`);
          once(`subscription ${data['courseId']} ${data['studentId']}`);
          requireThat(count(`course ${data['courseId']}`) <= courseCapacity, `${data['courseId']} is overbooked`);
          requireThat(
            count(`student ${data['studentId']}`) <= coursesPerStudentMax,
            `${data['studentId']} has too many`,
          );
          break;
        case 'AccountRegistered':
          once(`user ${data['username']}`);
          break;
        case 'InvoiceCreated':
          requireThat(data['number'] === ++invoice, `invoice ${data['number']} instead of ${invoice}`);
          break;
        case 'ProductOrdered':
          requireThat(data['price'] === 100, `ordered at ${data['price']}`);
          break;
        case 'SignUpConfirmed':
          requireThat(seen.has(`token ${data['token']}`), `confirmation of the unknown ${data['token']}`);
          once(`confirmation ${data['token']}`);
          break;
        case 'SignUpStarted':
          once(`token ${data['token']}`);
          break;
        case 'RoomBooked':
          for (let night = Number(data['from']); night < Number(data['until']); night++) {
            requireThat(!nights.has(`${data['room']} ${night}`), `${data['room']} is booked twice for night ${night}`);
            nights.add(`${data['room']} ${night}`);
          }
          break;
      }
    }
  }
  return broken;
}
