import { meantBy, unknownKey } from "../check/keys.ts";
import { type KeyPath, locate, type Places, type Position } from "../place.ts";
import { KdlFindings } from "./kdl-findings.ts";
import {
  argumentKey,
  excessMessage,
  isDependencies,
  isListOfOnBlocks,
  isNamedMap,
  kdlKeys,
  kebabPath,
  sameLineMessage,
} from "./kdl-nodes.ts";
import type { KdlArgument, KdlNode } from "./kdl-parser.ts";
import { type ListShape, listPart, type ObjectShape, objectPart, type Shape, takesScalar } from "./shape.ts";
import { duplicateMessage } from "./yaml.ts";

/** Nodes that mean true when they have no value. */
const FLAGS = ["mcp"];
/** Nodes that may be repeated: their values are joined. */
const REPEATED = ["include"];
/** A word that may have settings beside it; also the key for those settings. */
const AUTO = "auto";
const SECRET_KINDS = ["env", "file", "command"];

type Fields = Map<string, unknown>;

/** Reads nodes by the schema. One decoder reads one file, or one server whose name was taken. */
export class KdlDecoder {
  readonly found = new KdlFindings();
  /** Servers whose names were taken already: they may be for other machines. */
  readonly again: { readonly value: unknown; readonly meant: string[]; readonly places: Places }[] = [];

  /** The nodes inside a block, as an object; `taken`: keys that are set already, and where. */
  block(
    nodes: readonly KdlNode[],
    shape: ObjectShape,
    path: KeyPath,
    taken = new Map<string, Position>(),
  ): unknown {
    const known = kdlKeys(shape);
    const fields: Fields = new Map();
    const blocks = new Map<string, Fields>();
    for (const node of nodes) {
      const key = known.get(node.name);
      const of = key === undefined ? undefined : shape.keys.get(key);
      if (node.annotation !== undefined) this.found.annotation(node.annotation, node.position);
      if (key === undefined || of === undefined) {
        const { message } = unknownKey(node.name, kebabPath(path), known, "kebab");
        this.found.problem(node.position, message);
        this.found.mean(meantBy([unknownKey(node.name, path, known, "kebab")]));
      } else if (isNamedMap(of)) this.#named(node, of.value, [...path, key], blocks, key);
      else if (REPEATED.includes(key)) this.#repeated(node, [...path, key], fields, key);
      else if (isListOfOnBlocks(of)) this.#on(node, of, [...path, key], fields, key);
      else if (isDependencies(of)) this.#dependencies(node, of, [...path, key], fields, key);
      else if (this.found.first(taken, node)) fields.set(key, this.#field(node, of, [...path, key], known));
    }
    for (const [key, entries] of blocks) fields.set(key, Object.fromEntries(entries));
    return Object.fromEntries(fields);
  }

  #field(node: KdlNode, shape: Shape, path: KeyPath, siblings: ReadonlyMap<string, string>): unknown {
    this.found.place(path, node.arguments[0]?.position ?? node.position);
    const object = objectPart(shape);
    if (shape.kind === "map") return this.#map(node, shape.value, path);
    if (object?.keys.has("secret")) return this.#secret(node, siblings);
    if (object && FLAGS.includes(node.name) && node.arguments.length + node.entries.length === 0) return true;
    if (object?.keys.has(AUTO) && node.arguments.length > 0 && node.entries.length > 0)
      return this.#auto(node, object, path, siblings);
    if (object && (node.arguments.length === 0 || argumentKey(object) !== undefined || !takesScalar(shape))) {
      return this.#object(node, object, path, siblings);
    }
    const list = listPart(shape);
    if (list && !(takesScalar(shape) && node.arguments.length === 1)) return this.#list(node, list, path);
    return this.#scalar(node, siblings);
  }

  /** `port "auto" prefer=8765` */
  #auto(node: KdlNode, shape: ObjectShape, path: KeyPath, siblings: ReadonlyMap<string, string>): unknown {
    const read = this.#object(node, shape, path, siblings, AUTO) as Record<string, unknown>;
    return read[AUTO] === AUTO ? { ...read, [AUTO]: true } : read;
  }

  #object(
    node: KdlNode,
    shape: ObjectShape,
    path: KeyPath,
    siblings: ReadonlyMap<string, string>,
    key = argumentKey(shape),
  ): unknown {
    const [first, ...more] = node.arguments;
    const excess = key === undefined ? first : more[0];
    const nearby = new Map([...siblings, ...kdlKeys(shape)]);
    if (excess) this.found.problem(excess.position, excessMessage(node, excess, nearby, key !== undefined));
    if (key === undefined || !first) return this.block(node.entries, shape, path);
    this.found.place([...path, key], first.position);
    const rest = this.block(node.entries, shape, path, new Map([[key, first.position]]));
    return { [key]: this.#value(first), ...(rest as object) };
  }

  /** `server "name" { … }`, as often as there are servers. */
  #named(node: KdlNode, shape: Shape, path: KeyPath, blocks: Map<string, Fields>, key: string): void {
    const [name, more] = node.arguments;
    if (!name || typeof name.value !== "string" || more) {
      this.found.problem(
        (more ?? name ?? node).position,
        `cannot find the name of this ${node.name}: write ${node.name} "name" { … }`,
      );
      return;
    }
    const own = [...path, name.value];
    const entries = blocks.get(key) ?? new Map<string, unknown>();
    blocks.set(key, entries);
    if (entries.has(name.value) && key === "servers") {
      this.#again(node, shape as ObjectShape, own, name);
      return;
    }
    if (entries.has(name.value)) {
      this.found.problem(name.position, duplicateMessage(name.value, locate(this.found.places, own)));
      return;
    }
    this.found.place(own, name.position);
    entries.set(name.value, this.block(node.entries, shape as ObjectShape, own));
  }

  /** `include "a.kdl" "b/*.kdl"`, any number of times. */
  #repeated(node: KdlNode, path: KeyPath, fields: Fields, key: string): void {
    const items = (fields.get(key) ?? []) as unknown[];
    if (!fields.has(key)) this.found.place(path, node.position);
    if (node.arguments.length === 0)
      this.found.problem(
        node.position,
        `cannot leave ${node.name} without a value: write ${node.name} followed by its value`,
      );
    const [entry] = node.entries;
    if (entry)
      this.found.problem(entry.position, `cannot use ${entry.name} here: ${node.name} takes values only`);
    for (const argument of node.arguments) {
      this.found.place([...path, items.length], argument.position);
      items.push(this.#value(argument));
    }
    fields.set(key, items);
  }

  #again(node: KdlNode, shape: ObjectShape, path: KeyPath, { value: name, position }: KdlArgument): void {
    const other = new KdlDecoder();
    other.found.place(path, position);
    const server = other.block(node.entries, shape, path);
    for (const { message, ...at } of other.found.problems) this.found.problem(at, message);
    const { meant, places } = other.found;
    this.again.push({ value: { servers: { [String(name)]: server } }, meant, places });
  }

  /** `on host="work" { … }`, as often as there are machines: its properties are conditions, and the braces hold the settings. */
  #on(node: KdlNode, shape: ListShape, path: KeyPath, fields: Fields, key: string): void {
    const object = objectPart(shape.item) as ObjectShape;
    const conditions = object.keys.get("when") as ObjectShape;
    const items = (fields.get(key) ?? []) as unknown[];
    if (!fields.has(key)) this.found.place(path, node.position);
    const own = [...path, items.length];
    this.found.place(own, node.position);
    const [excess] = node.arguments;
    if (excess)
      this.found.problem(
        excess.position,
        `cannot use ${JSON.stringify(excess.value)} here: ${node.name} is a block; write ${node.name} host="…" { … }`,
      );
    const properties = node.entries.slice(0, node.properties);
    const known = kdlKeys(object);
    const misplaced = properties.filter(({ name }) => !conditions.keys.has(name) && known.has(name));
    for (const { name, position } of misplaced)
      this.found.problem(
        position,
        `cannot use ${name} as a condition: put it inside the braces, as in ${node.name} host="…" { ${name} …; }`,
      );
    const words = properties.filter((property) => !misplaced.includes(property));
    const children = node.entries.slice(node.properties);
    const at = { ...node, name: "when", arguments: [], entries: [] };
    const written = children.find(({ name }) => name === "when");
    const when = { ...(written ?? at), entries: [...words, ...(written?.entries ?? [])] };
    const rest = children.filter((child) => child !== written);
    items.push(this.block(properties.length > 0 || written ? [when, ...rest] : rest, object, own));
    fields.set(key, items);
  }

  /** `depends-on "a" "b" condition="started"`, as often as there are conditions. */
  #dependencies(node: KdlNode, shape: ListShape, path: KeyPath, fields: Fields, key: string): void {
    const object = objectPart(shape.item) as ObjectShape;
    const items = (fields.get(key) ?? []) as unknown[];
    if (!fields.has(key)) this.found.place(path, node.position);
    if (node.arguments.length === 0) {
      this.found.problem(
        node.position,
        `cannot leave ${node.name} without a server: write ${node.name} "name"`,
      );
    }
    const added = node.arguments.map((argument, i) => {
      const own = [...path, items.length + i];
      this.found.place(own, argument.position);
      // Problems with the properties are reported once, not once per name.
      const rest = i === 0 || node.entries.length === 0 ? this.block(node.entries, object, own) : undefined;
      return { argument, rest };
    });
    const shared = added[0]?.rest;
    const value = (argument: KdlArgument) =>
      node.entries.length === 0
        ? this.#value(argument)
        : { server: this.#value(argument), ...(shared as object) };
    for (const { argument } of added) items.push(value(argument));
    fields.set(key, items);
  }

  #map(node: KdlNode, shape: Shape, path: KeyPath): unknown {
    const [excess] = node.arguments;
    if (excess) this.found.problem(excess.position, excessMessage(node, excess, new Map(), false));
    const taken = new Map<string, Position>();
    const fields = node.entries.flatMap((entry) => {
      if (entry.annotation !== undefined) this.found.annotation(entry.annotation, entry.position);
      return this.found.first(taken, entry)
        ? [[entry.name, this.#field(entry, shape, [...path, entry.name], new Map())]]
        : [];
    });
    return Object.fromEntries(fields);
  }

  #list(node: KdlNode, shape: ListShape, path: KeyPath): unknown {
    const [entry] = node.entries;
    if (entry)
      this.found.problem(entry.position, `cannot use ${entry.name} here: ${node.name} takes values only`);
    return node.arguments.map((argument, i) => {
      this.found.place([...path, i], argument.position);
      return shape.item.kind === "scalar" ? this.#value(argument) : undefined;
    });
  }

  /** A value of `env`: a text, or a reference by its type annotation. */
  #secret(node: KdlNode, siblings: ReadonlyMap<string, string>): unknown {
    const [argument] = node.arguments;
    const kind = argument?.annotation;
    if (!argument || kind === undefined) return this.#scalar(node, siblings);
    const value = this.#scalar(
      { ...node, arguments: node.arguments.map(({ annotation: _, ...rest }) => rest) },
      siblings,
    );
    if (SECRET_KINDS.includes(kind)) return { secret: { [kind]: value } };
    this.found.annotation(kind, argument.position, `write (env), (file) or (command)`);
    return value;
  }

  #scalar(node: KdlNode, siblings: ReadonlyMap<string, string>): unknown {
    const [argument, excess] = node.arguments;
    if (!argument) {
      const message =
        node.entries.length > 0 ? `cannot use a block for ${node.name}: write a single value` : undefined;
      this.found.problem(
        node.position,
        message ?? `cannot leave ${node.name} without a value: write ${node.name} followed by its value`,
      );
      return undefined;
    }
    const [entry] = node.entries;
    if (excess) this.found.problem(excess.position, excessMessage(node, excess, siblings, true));
    else if (entry)
      this.found.problem(entry.position, sameLineMessage(node.name, entry.name, siblings.has(entry.name)));
    return this.#value(argument);
  }

  #value(argument: KdlArgument): unknown {
    if (argument.annotation !== undefined) this.found.annotation(argument.annotation, argument.position);
    return argument.value;
  }
}
