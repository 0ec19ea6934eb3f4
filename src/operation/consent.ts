import type { ConsentQuestion, Power } from "../model/power.ts";
import { agreementOn, identityOf, isSameFolder, keepTrust, type Origin, writeAgreement } from "./trust.ts";

/** Whether a configuration may execute and send what it can: asked once for each root, whatever it says later. */

export interface Asking {
  /** State folder. */
  readonly state: string;
  /** The person has agreed already, by a flag: for good. */
  readonly trust: boolean;
  /** False where there is nobody to ask. */
  readonly ask: (question: ConsentQuestion) => Promise<boolean>;
  /** Is told the commands for secrets that run now and that nobody was shown. */
  readonly tell: (root: string, unseen: readonly Power[]) => Promise<void>;
}

/** True when a person agrees, or has agreed, to a root with these powers. */
export async function mayUse(origin: Origin, powers: readonly Power[], asking: Asking): Promise<boolean> {
  const { state, trust, ask, tell } = asking;
  const known = agreementOn(state, origin);
  if (known?.to === "all" && !trust) {
    const unseen = powers.filter((power) => isUnseen(power, known.commands));
    if (unseen.length > 0) await tell(origin.named, unseen);
    return true;
  }
  if (powers.length === 0 && !trust) return true;
  const asked = identityOf(origin);
  const agreed = trust || (await ask({ root: origin.named, powers }));
  // What was looked at may not be what is there any more.
  if (!agreed || asked === undefined || !isSameFolder(asked, identityOf(origin))) return false;
  const commands = powers.flatMap((power) => (power.can === "secret" ? [power.command] : []));
  writeAgreement(state, { path: origin.named, folder: asked, to: "all", at: Date.now(), commands });
  return true;
}

/** Agrees to a folder in which there is nothing yet but what the person has just had written. */
export function agreeTo(state: string, folder: string): void {
  const found = identityOf({ named: folder, folder });
  if (found) writeAgreement(state, { path: folder, folder: found, to: "all", at: Date.now(), commands: [] });
}

const isUnseen = (power: Power, shown: readonly string[] | undefined) =>
  power.can === "secret" && shown !== undefined && !shown.includes(power.command);

/** Whether servers of this root may be started without a question about the plan: it was applied or agreed to before. */
export function isSeen(state: string, origin: Origin | undefined): boolean {
  return origin === undefined || agreementOn(state, origin) !== undefined;
}

/** Remembers that somebody had a plan of this root applied. To be called before its project is recorded. */
export function rememberSeen(state: string, origin: Origin | undefined): void {
  keepTrust(state);
  if (origin === undefined || isSeen(state, origin)) return;
  const folder = identityOf(origin);
  if (folder) writeAgreement(state, { path: origin.named, folder, to: "servers", at: Date.now() });
}
