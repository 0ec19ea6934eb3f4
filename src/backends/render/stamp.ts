import { createHash } from "node:crypto";
import { specHash } from "../../model/canonical.ts";
import type { UnitFacts } from "./unit.ts";

/**
 * Renders a unit with its hash: of the spec if xy installs the unit, otherwise of the unit's own text, so that the hash is
 * the same on every machine.
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
