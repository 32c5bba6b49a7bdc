import { describe, expect, test } from 'vitest';
import { mermaidFlowchart } from '../../src/schema/mermaid.ts';
import { parseFlowchart } from './mermaid-parser.ts';
import type { Diagram } from './mermaid-parser.ts';
import { empty, hostile, hostileNames, large, shop } from './shop-model.ts';

test('a small shop is drawn as it was', async () => {
  await expect(mermaidFlowchart(shop)).toMatchFileSnapshot('golden/shop.mmd');
});

describe('the parser of Mermaid', () => {
  test('sees commands lead to events, events to views and sagas, and sagas to commands', async () => {
    const arrows = arrowsOf(await parseFlowchart(mermaidFlowchart(shop)));
    expect(arrows).toEqual(
      [
        'command charge > event AccountCharged',
        'command cancel > event OrderCancelled',
        'command cancel > event OrderPlaced',
        'command place > aggregate order',
        'aggregate order > event OrderPlaced',
        'aggregate order > event OrderCancelled',
        'retired OrderDone > event OrderCancelled',
        'event StockCounted > decision reserve',
        'decision reserve > event OrderPlaced',
        'event OrderPlaced > reactor mail',
        'group order > view orders',
        'event OrderPlaced > saga fulfilment',
        'saga fulfilment > activity pack',
        'saga fulfilment > command charge',
        'saga fulfilment > decision reserve',
        'saga fulfilment > saga delivery',
        'saga delivery > activity ship',
      ].sort(),
    );
  });

  test('takes a model with nothing in it', async () => {
    expect((await parseFlowchart(mermaidFlowchart(empty))).nodes.size).toBe(0);
  });

  test('shows names that are out to break it as they are', async () => {
    const drawn = mermaidFlowchart(hostile());
    const { nodes, groups } = await parseFlowchart(drawn);
    const labels = (kind: string) =>
      new Set([...nodes.values()].flatMap(({ text, classes }) => (classes.includes(kind) ? [text] : [])));
    const expected = new Set(hostileNames.map((name) => (name.length > 48 ? `${name.slice(0, 47)}…` : name.trim())));
    for (const kind of ['command', 'aggregate', 'event', 'decision', 'view', 'saga', 'activity'])
      expect(labels(kind), kind).toEqual(expected);
    expect(new Set([...groups.values()].map(({ text }) => text))).toEqual(new Set([...expected, 'other events']));
    // Of the title the parser only sees that it is YAML.
    const [, title = ''] = /^---\ntitle: (.*)\n---\n/u.exec(drawn) ?? [];
    expect(JSON.parse(title)).toBe(hostile().title.replaceAll(/\s+/gu, ' '));
  });

  test('finds fault with a label that is not closed', async () => {
    await expect(parseFlowchart(mermaidFlowchart(shop).replace('"place"', '"place'))).rejects.toThrow('Parse error');
  });
});

test('sixty types of events stay below what Mermaid draws at all, and what anybody can follow', async () => {
  const text = mermaidFlowchart(large());
  const { edges, nodes, groups } = await parseFlowchart(text);
  expect(text.length).toBeLessThan(50_000);
  expect(nodes.size).toBe(60 + 60 + 6 + 10 + 3);
  expect([...groups.values()].map(({ nodes: within }) => within.length)).toEqual(Array(6).fill(21));
  // Each command and event has one; each view one from each aggregate; sagas likewise, and one that starts them.
  expect(edges).toHaveLength(60 + 60 + 60 + 3 * (5 + 9 + 1));
});

function arrowsOf({ nodes, groups, edges }: Diagram): readonly string[] {
  const nameOf = (id: string) => {
    const node = nodes.get(id);
    return node === undefined ? `group ${groups.get(id)?.text}` : `${node.classes.join(' ')} ${node.text}`;
  };
  return edges.map(({ start, end }) => `${nameOf(start)} > ${nameOf(end)}`).sort();
}

test('a model of which Mermaid draws too much by default says so', () => {
  const { aggregates, ...model } = large();
  const { events } = model;
  const handled = events.slice(1);
  const views = Array.from({ length: 9 }, (_, index) => ({
    ...{ name: `view${index}`, version: 1, kind: 'projection' as const },
    ...{ handles: handled.filter((__, place) => place % 2 === 0 || index > 4), from: [] },
  }));
  const warning = /^ {2}%% \d+ arrows: Mermaid draws them if its maxEdges is raised\.$/mu;
  expect(mermaidFlowchart({ ...model, aggregates: [], sagas: [], views })).not.toMatch(warning);
  expect(
    mermaidFlowchart({
      ...model,
      aggregates: [],
      sagas: [],
      views: [...views, ...views.map((view) => ({ ...view, name: `${view.name}b` }))],
    }),
  ).toMatch(warning);
  expect(mermaidFlowchart({ ...model, aggregates })).not.toMatch(warning);
});
