import type { Message } from "../bridge/message.ts";
import { isObject } from "../model/object.ts";
import { inHeader, ownVersion } from "./rules.ts";

/** Arguments of tools that versions without sessions want repeated in headers. A tool's schema says which: `x-mcp-header`. */

interface Mirror {
  /** Keys that lead to the argument. */
  readonly path: readonly string[];
  readonly header: string;
}

/** Most tools whose arguments are known, and how deep arguments are looked for. */
const MOST_TOOLS = 10_000;
const DEEPEST = 20;
/** What can be a part of a header's name. */
const TOKEN = /^[\w!#$%&'*+.^`|~-]{1,100}$/;
const PRIMITIVES: readonly unknown[] = ["string", "integer", "boolean"];

export class Mirrored {
  readonly #tools = new Map<string, readonly Mirror[]>();

  /** Learns from the result of `tools/list`. */
  learn(result: unknown): void {
    const tools: unknown = isObject(result) ? result.tools : undefined;
    for (const tool of Array.isArray(tools) ? tools : []) {
      if (!isObject(tool) || typeof tool.name !== "string") continue;
      const mirrors = mirrorsIn(tool.inputSchema, []);
      if (mirrors.length === 0) this.#tools.delete(tool.name);
      else if (this.#tools.size < MOST_TOOLS) this.#tools.set(tool.name, mirrors);
    }
  }

  headersOf(message: Message): Record<string, string> {
    if (message.kind !== "request" || message.method !== "tools/call" || ownVersion(message) === undefined)
      return {};
    const { name, arguments: given } = message.params;
    const mirrors = typeof name === "string" ? (this.#tools.get(name) ?? []) : [];
    return Object.fromEntries(
      mirrors.flatMap(({ path, header }) => {
        const value = path.reduce<unknown>((at, key) => (isObject(at) ? at[key] : undefined), given);
        const isSaid = typeof value === "string" || typeof value === "boolean" || Number.isSafeInteger(value);
        return isSaid ? [[`Mcp-Param-${header}`, inHeader(String(value))]] : [];
      }),
    );
  }
}

function mirrorsIn(schema: unknown, path: readonly string[]): Mirror[] {
  const properties = isObject(schema) ? schema.properties : undefined;
  if (!isObject(properties) || path.length > DEEPEST) return [];
  return Object.entries(properties).flatMap(([key, property]) => {
    if (!isObject(property)) return [];
    const { type, "x-mcp-header": header } = property;
    const here = [...path, key];
    const isOne = typeof header === "string" && TOKEN.test(header) && PRIMITIVES.includes(type);
    return [...(isOne ? [{ path: here, header }] : []), ...mirrorsIn(property, here)];
  });
}
