/** The types of questions to a view: which fields its documents have, and what can be asked of each. */
import type { Json } from '../event/json.ts';
import type { Scalar } from '../store/state-port.ts';

/**
 * Which documents of a view: all that fulfil every field's condition; `{}` is all there are.
 *
 * A field is named by its path, `'address.city'` for one inside another, up to four names deep. It is compared with a
 * value, `{ owner: 'Ada' }`, or by the operators of `Operands`, of which all must hold:
 * `{ balance: { gte: 10, lt: 100 } }`. Of a list, `contains` asks for a scalar, `some` for an object: what is asked of
 * that is a `Where` of its own. A field is compared with a value of its own kind only: `gt` is true of no document
 * without the field, while `ne` and `not` are true of whatever the rest is not true of.
 *
 * Conditions are joined by `and` and `or`, both with a list, and turned round by `not`. A field of the document's own
 * with one of these three names cannot be asked for; one inside another, `'order.not'`, can. Nor can a field with a dot
 * in its name, in this or in any path.
 *
 * Names and values are checked by the compiler, but for what is below a Record's name or a field of any kind, or where
 * a type comes back to itself for the second time. At most 32 levels and 1,000 parts.
 */
export type Where<Doc> = FieldConditions<Doc> & Combinations<Doc>;

/**
 * An order of documents: `{ balance: 'desc' }`; by several fields in their order, or a list of such objects. What is
 * equal is ordered by key. Missing < null < false < true < numbers < strings (by code points) < lists.
 */
export type OrderBy<Doc> = FieldOrders<Doc> | readonly FieldOrders<Doc>[];

/** Paths of a document's fields that hold scalars or lists, up to four names deep: what can be indexed and ordered by. */
export type PathOf<Doc> = ValuePath<Doc, FieldPath<Doc>>;

/** What may be at a path. That there may be nothing is not told: a field that is missing has no value. */
export type ValueAt<Doc, Path extends string> = unknown extends Doc
  ? Json
  : Path extends `${infer Name}.${infer Rest}`
    ? ValueAt<FieldOf<Doc, Name>, Rest>
    : Present<FieldOf<Doc, Path>>;

/** What each operator takes, for a field with these values. Where that is `never`, the field does not have the operator. */
export interface Operands<Value> {
  /** The field is this value. */
  readonly eq: Extract<Value, Scalar>;
  /** The field is not this value, also if there is no such field. */
  readonly ne: Extract<Value, Scalar>;
  /** The field is one of these. */
  readonly in: readonly Extract<Value, Scalar>[];
  /** Numbers by size, strings by code points. */
  readonly gt: Ordered<Value>;
  readonly gte: Ordered<Value>;
  readonly lt: Ordered<Value>;
  readonly lte: Ordered<Value>;
  /** Capitals are other letters, here and in `contains`. */
  readonly startsWith: string;
  /** A text that holds this one, or a list with this element. */
  readonly contains: Containable<Value>;
  /** Whether there is such a field, also if it is null. */
  readonly exists: boolean;
  /** A list with an element, an object, that fulfils all of this. */
  readonly some: Where<ElementObject<Value>>;
}

/** A condition of one field: a value that it is, or operators, at least one, of which all must hold. */
export type FieldCondition<Value> = unknown extends Value
  ? FieldCondition<Json>
  : Extract<Value, Scalar> | { readonly [Name in OperatorOf<Value>]?: Operands<Value>[Name] };

/** How conditions are joined. */
interface Combinations<Doc> {
  /** Every one of these; of none, all documents. */
  readonly and?: readonly Where<Doc>[];
  /** At least one of these; of none, no document. */
  readonly or?: readonly Where<Doc>[];
  /** All that this is not true of. */
  readonly not?: Where<Doc>;
}

type FieldConditions<Doc> = {
  readonly [Path in Exclude<FieldPath<Doc>, keyof Combinations<Doc>>]?: string extends Path
    ? // Any name at all, so that and, or and not are among them.
      FieldCondition<ValueBelow<Doc, Path>> | Combinations<Doc>[keyof Combinations<Doc>]
    : FieldCondition<ValueBelow<Doc, Path>>;
};

type FieldOrders<Doc> = { readonly [Path in PathOf<Doc>]?: 'asc' | 'desc' };

/**
 * Paths of all fields. Below a name that stands for many, as a Record's, and where a type comes back to itself for the
 * second time, they may be anything: all that there are would be too many for the compiler.
 * @typeParam Above what the names before it lead through, each as a tuple.
 */
type FieldPath<Value, Above extends List = []> = unknown extends Value
  ? string
  : Above['length'] extends 4
    ? never
    : NamedPath<Value, readonly [...Above, readonly [ObjectOf<Value>]]>;

type NamedPath<Value, Above extends List> =
  ObjectOf<Value> extends infer One
    ? One extends unknown
      ? { [Name in NameOf<One>]: Name | PathBelow<FieldOf<One, Name>, Name, Above> }[NameOf<One>]
      : never
    : never;

type PathBelow<Field, Name extends string, Above extends List> =
  IsPattern<Name> extends true
    ? never
    : unknown extends Field
      ? `${Name}.${string}`
      : [ObjectOf<Field>] extends [never]
        ? never
        : IsAgain<Field, Above> extends true
          ? `${Name}.${string}`
          : `${Name}.${FieldPath<Field, Above>}`;

type IsAgain<Field, Above extends List> = Above extends readonly [unknown, unknown, ...List]
  ? readonly [ObjectOf<Field>] extends Above[number]
    ? true
    : false
  : false;

type ObjectOf<Value> = Exclude<Value, Scalar | List | undefined>;

/** A path has dots between names, so that no name has any. */
type NameOf<Value> = Exclude<`${keyof Value & (string | number)}`, `${string}.${string}` | ''>;

/** Scalars and lists have properties, but no fields. */
type FieldOf<Value, Name extends string> =
  ObjectOf<Value> extends infer One
    ? One extends unknown
      ? Name extends keyof One
        ? One[Name]
        : Name extends `${infer Index extends number}`
          ? Index extends keyof One
            ? One[Index]
            : never
          : never
      : never
    : never;

type Present<Value> = unknown extends Value ? Json : Exclude<Value, undefined>;

/** Whether it stands for many names: that of an index signature. */
type IsPattern<Name extends string> = {} extends Record<Name, 1> ? true : false;

/** A path that stands for many leads to fields inside of those that it names, too: nobody knows to what. */
type ValueBelow<Doc, Path extends string> =
  IsPattern<Path> extends true
    ? HoldsObject<ValueAt<Doc, Path>> extends false
      ? ValueAt<Doc, Path>
      : Json
    : ValueAt<Doc, Path>;

/** Also of a path that leads to nothing known. */
type HoldsObject<Value> = [Value] extends [never] ? true : [ObjectOf<Value>] extends [never] ? false : true;

type ValuePath<Doc, Path extends string> = Path extends unknown
  ? IsPattern<Path> extends true
    ? Path
    : HoldsOnlyObjects<ValueAt<Doc, Path>> extends true
      ? never
      : Path
  : never;

/** Also if it may be null; one that is always null is waiting for a value. */
type HoldsOnlyObjects<Value> = [Value] extends [null]
  ? false
  : [Extract<Value, Exclude<Scalar, null> | List>] extends [never]
    ? true
    : false;

type List = readonly unknown[];

/** Operators that make sense for values. */
type OperatorOf<Value> = 'exists' | (Value extends unknown ? OperatorOfOne<Value> : never);

type Equality = 'eq' | 'ne' | 'in';
type Ordering = 'gt' | 'gte' | 'lt' | 'lte';
type OperatorOfOne<Value> = Value extends null | boolean
  ? Equality
  : Value extends number
    ? Equality | Ordering
    : Value extends string
      ? Equality | Ordering | 'startsWith' | 'contains'
      : Value extends readonly (infer Element)[]
        ? OperatorOfList<Element>
        : never;
type OperatorOfList<Element> = unknown extends Element
  ? 'contains' | 'some'
  : Element extends Scalar
    ? 'contains'
    : Element extends List | undefined
      ? never
      : 'some';

/** A bound need not be a value that the field may have. */
type Ordered<Value> = Value extends number ? number : Value extends string ? string : never;

type Containable<Value> = Value extends string
  ? string
  : Value extends readonly (infer Element)[]
    ? Extract<unknown extends Element ? Json : Element, Scalar>
    : never;

type ElementObject<Value> = Value extends readonly (infer Element)[]
  ? unknown extends Element
    ? unknown
    : ObjectOf<Element>
  : never;
