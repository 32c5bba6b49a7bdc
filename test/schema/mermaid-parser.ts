/** Mermaid's own parser of flowcharts. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';

export interface Diagram {
  /** By id; labels as they are shown. */
  readonly nodes: ReadonlyMap<string, { readonly text: string; readonly classes: readonly string[] }>;
  readonly edges: readonly { readonly start: string; readonly end: string }[];
  readonly groups: ReadonlyMap<string, { readonly text: string; readonly nodes: readonly string[] }>;
}

interface FlowchartData {
  getVertices(): Map<string, { text?: string; classes: string[] }>;
  getEdges(): { start: string; end: string }[];
  getSubGraphs(): { id: string; title: string; nodes: string[] }[];
}

interface Mermaid {
  initialize(options: { startOnLoad: boolean }): void;
  readonly mermaidAPI: {
    getDiagramFromText(text: string): Promise<{ readonly type: string; readonly db: FlowchartData }>;
  };
}

let loaded: Mermaid | undefined;

/** @throws what the parser finds fault with. */
export async function parseFlowchart(text: string): Promise<Diagram> {
  loaded ??= load();
  const { type, db } = await loaded.mermaidAPI.getDiagramFromText(text);
  if (type !== 'flowchart-v2') throw new Error(`This is a ${type}.`);
  const groups = new Map(db.getSubGraphs().map(({ id, title, nodes }) => [id, { text: shown(title), nodes }]));
  const nodes = [...db.getVertices()].filter(([id]) => !groups.has(id));
  return {
    groups,
    nodes: new Map(nodes.map(([id, { text: label = id, classes }]) => [id, { text: shown(label), classes }])),
    edges: db.getEdges().map(({ start, end }) => ({ start, end })),
  };
}

/** It is a script for browsers, of which it needs little to parse: what sanitizes HTML does nothing without a document of its own. */
function load(): Mermaid {
  const file = fileURLToPath(import.meta.resolve('@mermaid-js/tiny'));
  const document = { nodeType: 9, implementation: {}, createElement: () => ({}) };
  const window = { document, Element: Object, addEventListener: () => undefined };
  const context = createContext({ window, document, console, structuredClone, setTimeout, clearTimeout, URL });
  runInContext(readFileSync(file, 'utf8'), context, { filename: file });
  const { mermaid } = context as unknown as { readonly mermaid: Mermaid };
  mermaid.initialize({ startOnLoad: false });
  return mermaid;
}

/** While it parses, it keeps the codes of characters in letters that nobody uses. */
function shown(label: string): string {
  return label.replaceAll(/ﬂ°°(\d+)¶ß/gu, (_, code: string) => String.fromCodePoint(Number(code)));
}
