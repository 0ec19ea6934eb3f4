import type { Plugin } from "rolldown";

/** A module counts as common when at least this share of the commands loads it. */
const SHARE = 0.4;
/** What no command should have to load just to start. */
const NEVER = /\/node_modules\/zod\//;

interface Imports {
  readonly importedIds: readonly string[];
}

/**
 * Finds what nearly all commands share, to be bundled as one file: each file that Node loads costs about a millisecond,
 * whatever is in it. Schemas stay out, and zod with them: many commands import them, but few runs need them.
 */
export class CommonChunk {
  readonly #common = new Set<string>();

  /** Looks at the graph of modules once it is complete. */
  readonly plugin: Plugin;

  constructor() {
    const find = (modules: ReadonlyMap<string, Imports>, commands: readonly string[]) =>
      this.#find(modules, commands);
    this.plugin = {
      name: "common-chunk",
      buildEnd() {
        const modules = new Map<string, Imports>();
        const commands: string[] = [];
        for (const id of this.getModuleIds()) {
          const info = this.getModuleInfo(id);
          if (info === null) continue;
          modules.set(id, info);
          if (info.isEntry && id.includes("/src/commands/")) commands.push(id);
        }
        find(modules, commands);
      },
    };
  }

  has(id: string): boolean {
    return this.#common.has(id);
  }

  #find(modules: ReadonlyMap<string, Imports>, commands: readonly string[]): void {
    const counts = new Map<string, number>();
    for (const command of commands)
      for (const id of reachable(command, modules)) counts.set(id, (counts.get(id) ?? 0) + 1);
    for (const [id, count] of counts) {
      const isShared = id.includes("/src/") && count >= SHARE * commands.length;
      if (isShared && ![...reachable(id, modules)].some((one) => NEVER.test(one))) this.#common.add(id);
    }
  }
}

/** A module and all that is loaded with it. */
function reachable(from: string, modules: ReadonlyMap<string, Imports>): ReadonlySet<string> {
  const found = new Set([from]);
  // The set grows while it is walked: what is added is visited too.
  for (const id of found) for (const next of modules.get(id)?.importedIds ?? []) found.add(next);
  return found;
}
