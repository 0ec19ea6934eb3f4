import { visible } from "../model/visible.ts";
import type { Screen } from "./screen.ts";

/** A file for editors, and what became of it. */
interface RefreshedFile {
  readonly file: string;
  readonly state: "renewed" | "current" | "kept" | "failed";
  readonly from?: string;
  readonly why?: string;
}

interface Refreshed {
  readonly root: string;
  readonly files: readonly RefreshedFile[];
}

/** What `xy init --refresh` of this version did: a line for each file. */
export function refreshedView(
  { root, files }: Refreshed,
  version: string,
  { shorten = (path) => path }: Screen,
): string {
  if (files.length === 0)
    return `There is nothing to renew: ${visible(shorten(root))} has no types or schemas of xy for editors.\n`;
  return files.map((file) => `${lineOf(file, version, shorten)}\n`).join("");
}

function lineOf(
  { file, state, from, why }: RefreshedFile,
  version: string,
  shorten: (path: string) => string,
) {
  const name = visible(shorten(file));
  switch (state) {
    case "renewed":
      return `renewed ${name} (was from ${from === undefined ? "an earlier xy" : `xy ${visible(from)}`}, is from xy ${version})`;
    case "current":
      return `current ${name}`;
    case "kept":
      return `kept    ${name}: ${visible(why ?? "")}`;
    case "failed":
      return `failed  ${name}: ${visible(why ?? "")}`;
  }
}
