import type { AuditCheck, AuditReport } from "../../model/audit.ts";
import { CHECKS, type CheckFacts, type CheckId } from "./checks.ts";
import { type AuditPlace, Knocker } from "./knocker.ts";
import { LOOKS } from "./looks.ts";
import { mannerOf } from "./manner.ts";

/**
 * Asks a server as strangers, browsers, and clients that lost their way would, one request after another, and says what it
 * makes of them. No tool is called, and each session that is opened is ended. A string says why it cannot be audited.
 */
export async function audit(
  url: string,
  place: AuditPlace,
  { isExposed, signal }: { readonly isExposed: boolean; readonly signal: AbortSignal },
): Promise<AuditReport | string> {
  const knocker = new Knocker(place, signal);
  try {
    const manner = await mannerOf(knocker);
    if (typeof manner === "string") return manner;
    const checks: AuditCheck[] = [];
    for (const [id, facts] of Object.entries<CheckFacts>(CHECKS)) {
      const found = await LOOKS[id as CheckId]({ knocker, manner, isExposed });
      checks.push({ id, ...facts, ...found });
    }
    const ok = checks.every(({ verdict }) => verdict !== "wrong");
    return { url, server: manner.server, ok, checks };
  } finally {
    await knocker.end();
  }
}
