/** Models to render: a small shop, and one whose names are out to break what they are put into. */
import type { EventModel, ModelVersion } from '../../src/schema/event-model.ts';

const registeredAt = Date.UTC(2026, 0, 5);
const base = { up: false, down: false };

export const shop: EventModel = {
  title: 'Shop',
  version: '1.4.0',
  description: 'Orders of a small shop.',
  aggregates: [
    {
      name: 'order',
      commands: [
        {
          name: 'place',
          input: { type: 'object', properties: { customer: { type: 'string' } }, required: ['customer'] },
        },
        { name: 'cancel', emits: ['OrderPlaced', 'OrderCancelled'] },
      ],
    },
    { name: 'account', commands: [{ name: 'charge', input: true, emits: ['AccountCharged'] }] },
  ],
  decisions: [
    {
      name: 'reserve',
      input: { type: 'object', properties: { sku: { type: 'string' } } },
      reads: [{ owner: '', type: 'StockCounted' }],
      events: [
        { owner: '', type: 'StockCounted' },
        { owner: 'order', type: 'OrderPlaced' },
      ],
    },
  ],
  events: [
    {
      owner: 'order',
      type: 'OrderPlaced',
      newest: 2,
      retired: false,
      versions: [
        {
          ...base,
          version: 2,
          up: true,
          down: true,
          fingerprint: 'b'.repeat(64),
          schema: {
            type: 'object',
            description: 'Somebody has bought something.',
            properties: {
              customer: { type: 'string', description: 'Who | pays' },
              total: { $ref: '#/$defs/Money' },
              lines: {
                type: 'array',
                items: {
                  type: 'object',
                  properties: {
                    sku: { type: 'string' },
                    price: { $ref: '#/$defs/Money' },
                    count: { type: 'integer', minimum: 1 },
                  },
                  required: ['sku', 'price', 'count'],
                },
              },
            },
            required: ['customer', 'lines', 'total'],
            additionalProperties: false,
            $defs: {
              Money: {
                type: 'object',
                properties: { amount: { type: 'number', exclusiveMinimum: 0 }, currency: { enum: ['EUR', 'USD'] } },
                required: ['amount', 'currency'],
              },
            },
          },
        },
        {
          ...base,
          version: 1,
          fingerprint: 'a'.repeat(64),
          registeredAt,
          schema: {
            type: 'object',
            properties: { customer: { type: 'string' }, total: { type: 'number' } },
            required: ['total'],
          },
        },
      ],
    },
    { owner: 'order', type: 'OrderCancelled', newest: 1, retired: false, versions: [{ ...base, version: 1 }] },
    {
      owner: 'order',
      type: 'OrderDone',
      newest: 1,
      retired: true,
      readAs: ['OrderCancelled'],
      versions: [{ ...base, version: 1, schema: { type: 'object' } }],
    },
    {
      owner: 'account',
      type: 'AccountCharged',
      newest: 1,
      retired: false,
      versions: [{ ...base, version: 1, schema: { type: 'object', properties: { cause: { $ref: '#' } } } }],
    },
    {
      owner: '',
      type: 'StockCounted',
      newest: 1,
      retired: false,
      versions: [
        {
          ...base,
          version: 1,
          schema: { type: 'object', properties: { at: { type: 'string', format: 'date-time' } } },
        },
      ],
    },
  ],
  views: [
    {
      name: 'orders',
      version: 3,
      kind: 'projection',
      handles: [
        { owner: 'order', type: 'OrderPlaced' },
        { owner: 'order', type: 'OrderCancelled' },
        { owner: 'order', type: '$deleted' },
      ],
      from: ['order'],
    },
    { name: 'mail', version: 1, kind: 'reactor', handles: [{ owner: 'order', type: 'OrderPlaced' }], from: ['order'] },
  ],
  sagas: [
    {
      name: 'fulfilment',
      version: 2,
      startsOn: [{ owner: 'order', type: 'OrderPlaced' }],
      handles: [
        { owner: 'order', type: 'OrderPlaced' },
        { owner: '', type: 'approved' },
      ],
      activities: ['pack'],
      commands: ['account.charge', 'reserve'],
      children: ['delivery'],
    },
    { name: 'delivery', version: 1, startsOn: [], handles: [], activities: ['ship'], children: [] },
  ],
};

export const empty: EventModel = {
  title: 'Empty',
  version: '1',
  aggregates: [],
  decisions: [],
  events: [],
  views: [],
  sagas: [],
};

export const hostileNames = [
  '__proto__',
  'constructor',
  'end',
  'subgraph',
  'a"b',
  'a`b``c',
  'a|b\\|c\\',
  'x[y](z){w}<script>alert(1)</script>',
  '%%{init: {"theme":"dark"}}%%',
  '#quot; #35; &amp; ;',
  'style a:b#c;d',
  'click a href "javascript:alert(1)"',
  '**bold** _it_ ~~x~~ $$y$$ [l](http://x) ![i](x)',
  '1. first',
  '- item',
  'fa:fa-ban',
  'a/b~c#d%20e?f',
  'Größe 訂單 📦',
  '-->',
  ':::event',
  '{id}',
  ' ',
  'long'.repeat(60),
];

/** A hostile name for everything that has one. @param fields names of fields, by the type that they are in. */
export function hostile(fields: (type: string) => string = (type) => type): EventModel {
  const versionOf = (type: string) => hostileVersion(type, fields(type));
  return {
    title: hostileNames.join(' \n'),
    version: '"1|2"',
    description: hostileNames.join('\n'),
    aggregates: hostileNames.map((name) => ({
      name,
      commands: [{ name, input: versionOf(name).schema ?? true }],
    })),
    decisions: hostileNames.map((name) => ({ name, reads: refs(name), events: refs(name) })),
    events: hostileNames.flatMap((type) =>
      [type, ''].map((owner) => ({ owner, type, newest: 1, retired: false, versions: [versionOf(type)] })),
    ),
    views: hostileNames.map((name) => ({ name, version: 1, kind: 'projection', handles: refs(name), from: [name] })),
    sagas: hostileNames.map((name) => ({
      name,
      version: 1,
      startsOn: refs(name),
      handles: refs(name),
      activities: [name],
      commands: [`${name}.${name}`],
      children: [name],
    })),
  };
}

function refs(name: string): readonly { readonly owner: string; readonly type: string }[] {
  return [
    { owner: name, type: name },
    { owner: '', type: name },
  ];
}

/** A field and a definition of that name, and one that refers to it. */
function hostileVersion(name: string, field: string): ModelVersion {
  const pointer = encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'));
  return {
    version: 1,
    ...base,
    schema: {
      type: 'object',
      description: name,
      properties: Object.fromEntries([
        [field, { type: 'string', title: name, description: name }],
        ['again', { $ref: `#/$defs/${pointer}` }],
      ]),
      required: [field, 'again'],
      $defs: Object.fromEntries([[name, { enum: [name] }]]),
    },
  };
}

/** What is too much to look at unless arrows are put together: six aggregates with ten types of events each, and who handles them all. */
export function large(): EventModel {
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
  const owners = numbers(6).map((index) => `aggregate${index}`);
  const types = numbers(10).map((index) => `SomethingOfNumber${index}HasHappened`);
  const all = owners.flatMap((owner) => types.map((type) => ({ owner, type })));
  return {
    ...empty,
    aggregates: owners.map((name) => ({ name, commands: numbers(10).map((index) => ({ name: `command${index}` })) })),
    events: all.map((ref) => ({ ...ref, newest: 1, retired: false, versions: [{ version: 1, ...base }] })),
    views: numbers(10).map((index) => ({
      name: `view${index}`,
      version: 1,
      kind: 'projection',
      handles: all,
      from: owners,
    })),
    sagas: numbers(3).map((index) => ({
      ...{ name: `saga${index}`, version: 1, handles: all, startsOn: all.slice(index, index + 1) },
      ...{ activities: [], children: [] },
    })),
  };
}
