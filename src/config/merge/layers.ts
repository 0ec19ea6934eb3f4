import { isObject } from "../../model/object.ts";
import type { KeyPath, Source } from "../place.ts";
import { mergeFields, says } from "./fields.ts";
import { asWhen, type Matched, matches } from "./when.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What one place says about a server. In a list of layers, later ones win. */
export interface Layer {
  readonly value: Fields;
  readonly source: Source;
}

/** All layers together, without conditions. */
export function merged(layers: readonly Layer[]): Record<string, unknown> {
  return layers.reduce<Record<string, unknown>>((base, { value }) => mergeFields(base, value), {});
}

/** The last layer that sets something at this path. */
export function saidBy(layers: readonly Layer[], path: KeyPath): Source | undefined {
  return layers.findLast(({ value }) => says(value, path))?.source;
}

/** The `on` blocks of a part of a file that hold on this machine, in the order of the file. `part`: of each block. */
export function blocksFor({ value, source }: Layer, machine: Matched, part?: string): Layer[] {
  const blocks: readonly unknown[] = Array.isArray(value.on) ? value.on : [];
  return blocks.flatMap((block, i): Layer[] => {
    if (!isObject(block) || !holds(block, machine)) return [];
    const at = [...source.at, "on", i];
    if (part === undefined) return [{ value: withBlocks(plain(block)), source: { ...source, at } }];
    const inner = block[part];
    return isObject(inner) ? [{ value: withBlocks(inner), source: { ...source, at: [...at, part] } }] : [];
  });
}

/** A block that names no machines applies to none; that is reported elsewhere. */
const holds = (block: Fields, machine: Matched): boolean =>
  isObject(block.when) && Object.keys(block.when).length > 0 && matches(asWhen(block.when), machine);

/** A kind of check is the same as a word and as a block with that alone, which is all that KDL has. */
function withBlocks({ readiness, liveness, ...fields }: Fields): Fields {
  const block = (probe: unknown) => (typeof probe === "string" ? { type: probe } : probe);
  return {
    ...fields,
    ...(readiness !== undefined && { readiness: block(readiness) }),
    ...(liveness !== undefined && { liveness: block(liveness) }),
  };
}

/** Without its conditions, and without the blocks for some machines. */
export function plain({ when: _, on: __, ...fields }: Fields): Fields {
  return fields;
}
