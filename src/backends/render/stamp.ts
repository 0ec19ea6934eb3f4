import { createHash } from "node:crypto";
import { specHash } from "../../model/canonical.ts";
import type { UnitFacts } from "./unit.ts";

/**
 * Writes a unit with the hash that it bears: of what it was made from where xy installs it, else of what is in it, so
 * that it is the same wherever the unit is.
 */
export async function stamped(
  { spec, installed }: UnitFacts,
  write: (hash: string) => Promise<string>,
): Promise<string> {
  if (installed) return write(specHash(spec));
  return write(
    createHash("sha256")
      .update(await write(""))
      .digest("hex"),
  );
}
