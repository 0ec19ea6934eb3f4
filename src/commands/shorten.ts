import { isAbsolute, relative } from "node:path";
import { visible } from "../model/visible.ts";
import { homeOf } from "../system/paths.ts";

/** A path as a person would type it from here: relative below the working folder, else with `~`. For people only. */
export function shortenPath(path: string): string {
  return visible(shortened(path));
}

function shortened(path: string): string {
  const below = relative(process.cwd(), path);
  if (below !== "" && !below.startsWith("..") && !isAbsolute(below)) return below;
  const home = homeOf(process.env);
  return path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}
