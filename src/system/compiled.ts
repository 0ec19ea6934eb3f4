import { join } from "node:path";
import { type Environment, pathsOf } from "./paths.ts";
import { privateCache } from "./private-folder.ts";

/** Of `node:module`, from Node 22.1 on. */
interface Loader {
  enableCompileCache?(folder: string): unknown;
  getCompileCacheDir?(): string | undefined;
}

/**
 * Has Node keep what it compiles, which halves the start-up. Not in its usual folder, which is a shared one under /tmp;
 * and nowhere when the account's cache is not its alone, as what is there is run unseen. A folder that the environment
 * names (NODE_COMPILE_CACHE) Node itself has gone by before anything of xy runs.
 */
export function keepCompiled(env: Environment, loader: Loader): void {
  if (loader.enableCompileCache === undefined || loader.getCompileCacheDir?.() !== undefined) return;
  const folder = cacheIn(env);
  if (folder !== undefined) loader.enableCompileCache(folder);
}

function cacheIn(env: Environment): string | undefined {
  try {
    return privateCache(join(pathsOf(env).cache, "compiled"));
  } catch {
    // Nobody knows where the home folder is: help has to come all the same.
    return undefined;
  }
}
