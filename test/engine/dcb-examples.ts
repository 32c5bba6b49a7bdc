/** The worked examples of the Dynamic Consistency Boundary specification (https://dcb.events/examples). */
import { z } from 'zod';
import { defineDecision, reject } from 'eventsrc';

const id = z.string().min(1);

const courseEvents = {
  CourseDefined: z.object({ courseId: id, capacity: z.int() }),
  CourseCapacityChanged: z.object({ courseId: id, capacity: z.int() }),
  StudentSubscribed: z.object({ courseId: id, studentId: id }),
};

export const coursesPerStudentMax = 5;

export const defineCourse = defineDecision({
  name: 'define_course',
  events: courseEvents,
  input: z.object({ courseId: id, capacity: z.int().positive() }),
  query: ({ courseId }) => [{ types: ['CourseDefined'], tags: [`course:${courseId}`] }],
  initialState: false,
  evolve: { CourseDefined: () => true, CourseCapacityChanged: 'ignore', StudentSubscribed: 'ignore' },
  decide: (exists, { courseId, capacity }) =>
    exists
      ? reject('course_exists')
      : [
          {
            stream: `course-${courseId}`,
            type: 'CourseDefined',
            data: { courseId, capacity },
            tags: [`course:${courseId}`],
          },
        ],
});

interface Subscriptions {
  readonly capacity: Readonly<Record<string, number>>;
  readonly pairs: readonly { readonly courseId: string; readonly studentId: string }[];
}

/** A course has no more students than places, a student no more than five courses, and neither twice. */
export const subscribe = defineDecision({
  name: 'subscribe',
  events: courseEvents,
  input: z.object({ courseId: id, studentId: id }),
  query: ({ courseId, studentId }) => [
    { tags: [`course:${courseId}`] },
    { types: ['StudentSubscribed'], tags: [`student:${studentId}`] },
  ],
  initialState: (): Subscriptions => ({ capacity: {}, pairs: [] }),
  evolve: {
    CourseDefined: (state, { data }) => ({
      ...state,
      capacity: { ...state.capacity, [data.courseId]: data.capacity },
    }),
    CourseCapacityChanged: (state, { data }) => ({
      ...state,
      capacity: { ...state.capacity, [data.courseId]: data.capacity },
    }),
    StudentSubscribed: (state, { data }) => ({ ...state, pairs: [...state.pairs, data] }),
  },
  decide: ({ capacity, pairs }, { courseId, studentId }) => {
    const places = capacity[courseId];
    if (places === undefined) return reject('course_unknown');
    const students = pairs.filter((pair) => pair.courseId === courseId);
    const courses = pairs.filter((pair) => pair.studentId === studentId);
    if (students.some((pair) => pair.studentId === studentId)) return reject('already_subscribed');
    if (students.length >= places) return reject('course_full', { places });
    if (courses.length >= coursesPerStudentMax) return reject('too_many_courses', { coursesPerStudentMax });
    return [
      {
        stream: `course-${courseId}`,
        type: 'StudentSubscribed',
        data: { courseId, studentId },
        tags: [`course:${courseId}`, `student:${studentId}`],
      },
    ];
  },
});

const userEvents = {
  AccountRegistered: z.object({ username: id }),
  AccountClosed: z.object({ username: id }),
};

/** A user name becomes free again three days after its account was closed. */
export const nameRetentionMs = 3 * 24 * 3_600_000;

export const register = defineDecision({
  name: 'register',
  events: userEvents,
  input: z.object({ username: id, userId: id }),
  query: ({ username }) => [{ tags: [`username:${username}`] }],
  initialState: (): { readonly takenUntil: number } => ({ takenUntil: 0 }),
  evolve: {
    AccountRegistered: () => ({ takenUntil: Number.MAX_SAFE_INTEGER }),
    AccountClosed: (_state, { recordedAt }) => ({ takenUntil: recordedAt + nameRetentionMs }),
  },
  decide: ({ takenUntil }, { username, userId }, { now }) =>
    now < takenUntil
      ? reject('username_taken')
      : [
          {
            stream: `user-${userId}`,
            type: 'AccountRegistered',
            data: { username },
            tags: [`username:${username}`],
          },
        ],
});

/** Numbers without gaps: each invoice has the number after the last. */
export const createInvoice = defineDecision({
  name: 'create_invoice',
  events: { InvoiceCreated: z.object({ number: z.int(), customer: id }) },
  input: z.object({ customer: id }),
  query: () => [{ types: ['InvoiceCreated'] }],
  initialState: 0,
  evolve: { InvoiceCreated: (_last, { data }) => data.number },
  decide: (last, { customer }) => [
    { stream: `invoice-${last + 1}`, type: 'InvoiceCreated', data: { number: last + 1, customer } },
  ],
});

const productEvents = {
  ProductPriced: z.object({ productId: id, price: z.int() }),
  ProductOrdered: z.object({ productId: id, price: z.int() }),
};

/** A displayed price is honoured for ten minutes after it was changed. */
export const priceGraceMs = 10 * 60_000;

interface Prices {
  readonly current: number | undefined;
  readonly replaced: readonly { readonly price: number; readonly at: number }[];
}

export const priceProduct = defineDecision({
  name: 'price_product',
  events: productEvents,
  input: z.object({ productId: id, price: z.int() }),
  query: ({ productId }) => [{ types: ['ProductPriced'], tags: [`product:${productId}`] }],
  initialState: 0,
  evolve: { ProductPriced: (_state, { data }) => data.price, ProductOrdered: 'ignore' },
  decide: (_current, { productId, price }) => [
    {
      stream: `product-${productId}`,
      type: 'ProductPriced',
      data: { productId, price },
      tags: [`product:${productId}`],
    },
  ],
});

export const orderProduct = defineDecision({
  name: 'order_product',
  events: productEvents,
  input: z.object({ productId: id, displayedPrice: z.int() }),
  query: ({ productId }) => [{ types: ['ProductPriced'], tags: [`product:${productId}`] }],
  initialState: (): Prices => ({ current: undefined, replaced: [] }),
  evolve: {
    ProductPriced: ({ current, replaced }, { data, recordedAt }) => ({
      current: data.price,
      replaced: current === undefined ? replaced : [...replaced, { price: current, at: recordedAt }],
    }),
    ProductOrdered: 'ignore',
  },
  decide: ({ current, replaced }, { productId, displayedPrice }, { now, newId }) => {
    const isValid =
      displayedPrice === current ||
      replaced.some(({ price, at }) => price === displayedPrice && now - at <= priceGraceMs);
    if (!isValid) return reject('price_invalid', { current: current ?? null });
    return [
      {
        stream: `order-${newId()}`,
        type: 'ProductOrdered',
        data: { productId, price: displayedPrice },
        tags: [`product:${productId}`],
      },
    ];
  },
});

const tokenEvents = {
  SignUpStarted: z.object({ email: id, token: id }),
  SignUpConfirmed: z.object({ token: id }),
};

export const tokenLifeMs = 60 * 60_000;

export const startSignUp = defineDecision({
  name: 'start_sign_up',
  events: tokenEvents,
  input: z.object({ email: id, token: id }),
  query: ({ token }) => [{ types: ['SignUpStarted'], tags: [`token:${token}`] }],
  initialState: false,
  evolve: { SignUpStarted: () => true, SignUpConfirmed: 'ignore' },
  decide: (exists, { email, token }) =>
    exists
      ? reject('token_exists')
      : [{ stream: `sign_up-${token}`, type: 'SignUpStarted', data: { email, token }, tags: [`token:${token}`] }],
});

/** A token confirms once, within an hour. */
export const confirmSignUp = defineDecision({
  name: 'confirm_sign_up',
  events: tokenEvents,
  input: z.object({ token: id }),
  query: ({ token }) => [{ tags: [`token:${token}`] }],
  initialState: (): { readonly startedAt: number | undefined; readonly used: boolean } => ({
    startedAt: undefined,
    used: false,
  }),
  evolve: {
    SignUpStarted: (state, { recordedAt }) => ({ ...state, startedAt: recordedAt }),
    SignUpConfirmed: (state) => ({ ...state, used: true }),
  },
  decide: ({ startedAt, used }, { token }, { now }) => {
    if (startedAt === undefined) return reject('token_unknown');
    if (used) return reject('token_used');
    if (now - startedAt > tokenLifeMs) return reject('token_expired');
    return [{ stream: `sign_up-${token}`, type: 'SignUpConfirmed', data: { token }, tags: [`token:${token}`] }];
  },
});

/** No two bookings of a room overlap. Nights are days since some day; `until` is the day of departure. */
export const bookRoom = defineDecision({
  name: 'book_room',
  events: { RoomBooked: z.object({ room: id, from: z.int(), until: z.int(), guest: id }) },
  input: z.object({ room: id, from: z.int(), until: z.int(), guest: id }),
  query: ({ room }) => [{ tags: [`room:${room}`] }],
  initialState: (): readonly { readonly from: number; readonly until: number }[] => [],
  evolve: { RoomBooked: (bookings, { data }) => [...bookings, data] },
  decide: (bookings, { room, from, until, guest }) =>
    bookings.some((booking) => from < booking.until && booking.from < until)
      ? reject('room_taken')
      : [{ stream: `room-${room}`, type: 'RoomBooked', data: { room, from, until, guest }, tags: [`room:${room}`] }],
});

export const dcbDecisions = [
  defineCourse,
  subscribe,
  register,
  createInvoice,
  priceProduct,
  orderProduct,
  startSignUp,
  confirmSignUp,
  bookRoom,
] as const;
