import { dirname, join, normalize } from "node:path";
import { parseAst } from "rolldown/parseAst";

/** Path, relative to the project, of a source file, and its text. */
export type Sources = ReadonlyMap<string, string>;

/** Which rooms, or single files, of src/ a room may import; "types of" allows `import type` only. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  model: [],
  config: ["model"],
  supervisor: ["model"],
  reconciler: ["model", "types of backends/backend.ts"],
  rpc: ["model"],
  views: ["model"],
  system: ["model"],
  probes: ["model", "system"],
  bridge: ["model", "system"],
  clients: ["model", "system"],
  completion: ["model", "system"],
  connect: ["model", "system", "probes", "bridge"],
  backends: ["model", "rpc", "system", "probes"],
  agent: ["model", "supervisor", "rpc", "system", "probes"],
  importing: ["model", "config"],
  operation: [
    "model",
    "config",
    "importing",
    "reconciler",
    "system",
    "clients",
    "types of backends/backend.ts",
  ],
  doctor: ["model", "config", "rpc", "system", "clients", "backends", "operation"],
  commands: [
    "model",
    "doctor",
    "config",
    "supervisor",
    "reconciler",
    "rpc",
    "views",
    "system",
    "backends",
    "operation",
    "importing",
    "bridge",
    "clients",
    "connect",
    "probes",
  ],
  // src/main.ts
  "": ["commands", "model"],
};

/** Where the clock, timers, randomness, the process and the console may be touched. */
const IMPURE = new Set([
  "agent",
  "backends",
  "bridge",
  "clients",
  "connect",
  "doctor",
  "probes",
  "views",
  "commands",
  "completion",
  "system",
  "operation",
  "",
]);

/** Entry point of a worker thread: its `process` is the thread's. */
const THREAD = "src/config/read/worker.ts";

/**
 * The agent runs for months, even while an upgrade replaces the files of its package, so it loads everything at its start.
 * Packages are bundled into its one file, and may be evaluated later.
 */
const LOADED_AT_START = new Set(["agent", "supervisor", "probes", "rpc", "system", "model"]);

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
  readonly dynamic: boolean;
}

interface File {
  readonly path: string;
  readonly room: string;
  readonly imports: readonly Import[];
  readonly touches: ReadonlySet<string>;
  readonly defaultExport: boolean;
}

/** All violations of the rules, each as `file: what`. */
export function breaches(sources: Sources): string[] {
  const files = [...sources].map(([path, text]) => describe(path, text));
  return [...files.flatMap(breachesOf), ...cycles(files)].sort();
}

function breachesOf(file: File): string[] {
  const found: string[] = [];
  if (!(file.room in MAY_IMPORT)) found.push(`${file.path}: is in no known room of src/`);
  for (const one of file.imports) {
    const target = resolve(file, one);
    if (target !== undefined && !mayImport(file.room, target, one.typeOnly)) {
      found.push(`${file.path}: may not import ${target}`);
    }
    if (target !== undefined && !target.endsWith(".ts") && !target.endsWith(".json")) {
      found.push(`${file.path}: ${one.specifier} should name a file with its extension`);
    }
    const isFile = one.specifier.startsWith(".");
    if (one.dynamic && isFile && !one.typeOnly && LOADED_AT_START.has(file.room)) {
      found.push(`${file.path}: may not import ${one.specifier} dynamically`);
    }
  }
  if (!IMPURE.has(file.room) && file.path !== THREAD) {
    for (const name of file.touches) found.push(`${file.path}: may not use ${name}`);
  }
  if (file.defaultExport && file.room !== "commands") {
    found.push(`${file.path}: may not have a default export`);
  }
  return found;
}

function mayImport(from: string, target: string, typeOnly: boolean): boolean {
  const room = roomOf(target);
  if (!target.startsWith("src/")) return from === "" && target === "package.json";
  if (room === from) return true;
  const allowed = MAY_IMPORT[from] ?? [];
  return allowed.includes(room) || (typeOnly && allowed.includes(`types of ${target.slice("src/".length)}`));
}

/** Path of what a relative import names; undefined for packages. */
function resolve(file: File, { specifier }: Import): string | undefined {
  return specifier.startsWith(".") ? normalize(join(dirname(file.path), specifier)) : undefined;
}

function roomOf(path: string): string {
  const [top, room, ...rest] = path.split("/");
  return top === "src" && rest.length > 0 ? (room ?? "") : "";
}

/** Cycles of imports, types included; each once, from its first file in order of names. */
function cycles(files: readonly File[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const found = new Set<string>();
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const seen = trail.indexOf(path);
    if (seen >= 0) found.add(fromFirst(trail.slice(seen)));
    if (seen >= 0 || done.has(path)) return;
    const file = byPath.get(path);
    for (const one of file?.imports ?? []) {
      const target = file && resolve(file, one);
      if (target !== undefined) visit(target, [...trail, path]);
    }
    done.add(path);
  };
  for (const path of [...byPath.keys()].sort()) visit(path, []);
  return [...found];
}

function fromFirst(cycle: readonly string[]): string {
  const first = cycle.indexOf([...cycle].sort()[0] ?? "");
  const turned = [...cycle.slice(first), ...cycle.slice(0, first)];
  return `${turned[0]}: imports itself: ${[...turned, turned[0]].join(" -> ")}`;
}

interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

function describe(path: string, text: string): File {
  const imports: Import[] = [];
  const touches = new Set<string>();
  let defaultExport = false;
  const program = parseAst(text, { lang: "ts", sourceType: "module" }, path) as unknown as Node;
  walk(program, undefined, new Set(), (node, parent, bound) => {
    const one = importOf(node);
    if (one !== undefined) imports.push(one);
    const touched = touchOf(node, parent);
    if (touched !== undefined && !bound.has(touched)) touches.add(touched);
    if (node.type === "ExportDefaultDeclaration") defaultExport = true;
  });
  for (const { specifier } of imports)
    if (/^node:(process|timers|console)/.test(specifier)) touches.add(specifier);
  return { path, room: roomOf(path), imports, touches, defaultExport };
}

function importOf(node: Node): Import | undefined {
  switch (node.type) {
    case "ImportDeclaration":
      return imported(node, allTypes(node, "importKind"), false);
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration":
      return imported(node, allTypes(node, "exportKind"), false);
    case "ImportExpression":
      return imported(node, false, true);
    case "TSImportType":
      return imported(node, true, true);
    default:
      return undefined;
  }
}

function imported(node: Node, typeOnly: boolean, dynamic: boolean): Import | undefined {
  const source = (node.source ?? node.argument) as { value?: unknown } | undefined | null;
  return typeof source?.value === "string" ? { specifier: source.value, typeOnly, dynamic } : undefined;
}

/** `import type …`, or `import { type A, type B } …`. */
function allTypes(node: Node, kind: "importKind" | "exportKind"): boolean {
  const specifiers = (node.specifiers ?? []) as readonly Node[];
  return node[kind] === "type" || (specifiers.length > 0 && specifiers.every((one) => one[kind] === "type"));
}

const GLOBALS = new Set(["process", "console", "setTimeout", "setInterval", "setImmediate", "performance"]);
const MEMBERS = new Set(["Date.now", "Math.random"]);

/** What is impure about a node, if its name is that of the global. */
function touchOf(node: Node, parent: Node | undefined): string | undefined {
  if (
    node.type === "NewExpression" &&
    nameOf(node.callee) === "Date" &&
    (node.arguments as unknown[]).length === 0
  ) {
    return "new Date()";
  }
  if (node.type === "MemberExpression") {
    const member = `${nameOf(node.object)}.${nameOf(node.property)}`;
    if (MEMBERS.has(member)) return member;
  }
  const name = nameOf(node);
  return name !== undefined && GLOBALS.has(name) && isValue(node, parent) ? name : undefined;
}

/** Not the name of a property, a key, a type member or an import. */
function isValue(node: Node, parent: Node | undefined): boolean {
  if (parent === undefined || /^(TS|Import|Export)/.test(parent.type)) return false;
  if (parent.type === "MemberExpression") return parent.object === node || parent.computed === true;
  if (parent.type === "Property") return parent.value === node;
  return !["PropertyDefinition", "MethodDefinition"].includes(parent.type) || parent.value === node;
}

function nameOf(node: unknown): string | undefined {
  const { type, name } = (node ?? {}) as { type?: string; name?: string };
  return type === "Identifier" ? name : undefined;
}

type Visit = (node: Node, parent: Node | undefined, bound: ReadonlySet<string>) => void;

/** Visits every node, with the names that the functions around it (or the module) bind to something of their own. */
function walk(node: Node, parent: Node | undefined, outer: ReadonlySet<string>, visit: Visit): void {
  const bound = opensScope(node) ? new Set([...outer, ...namesBoundIn(node)]) : outer;
  visit(node, parent, bound);
  for (const child of childrenOf(node)) walk(child, node, bound, visit);
}

function childrenOf(node: Node): Node[] {
  const values = Object.values(node).flatMap((value): unknown[] => (Array.isArray(value) ? value : [value]));
  return values.filter((value): value is Node => typeof (value as Node | null)?.type === "string");
}

function opensScope(node: Node): boolean {
  return node.type === "Program" || /Function/.test(node.type);
}

/** Parameters, and whatever is declared before the next function. */
function namesBoundIn(scope: Node): string[] {
  const parameters = ((scope.params ?? []) as readonly Node[]).flatMap(namesOf);
  const declared = (node: Node): string[] => [
    ...(node.type === "VariableDeclarator" ? namesOf(node.id as Node) : []),
    ...(node.type === "CatchClause" && node.param ? namesOf(node.param as Node) : []),
    ...(opensScope(node) ? [] : childrenOf(node).flatMap(declared)),
  ];
  return [...parameters, ...childrenOf(scope).flatMap(declared)];
}

/** The names in a pattern such as `{ a, b: [c = 1], ...rest }`. */
function namesOf(pattern: Node): string[] {
  const name = nameOf(pattern);
  if (name !== undefined) return [name];
  if (pattern.type === "AssignmentPattern") return namesOf(pattern.left as Node);
  if (pattern.type === "Property") return namesOf(pattern.value as Node);
  return childrenOf(pattern).flatMap(namesOf);
}
