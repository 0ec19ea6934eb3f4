import type { ConsentQuestion, Power } from "../model/power.ts";
import type { EnvValue } from "../model/spec-parts.ts";
import { isCode } from "../system/files.ts";
import { isSamePath, type ProjectRecord, rootNamed } from "../system/projects.ts";
import { agreementOn, identityOf, isSameFolder, keepTrust, type Origin, writeAgreement } from "./trust.ts";

/** Whether a configuration may execute and send what it can: asked once for each root, whatever it says later. */

export interface Asking {
  /** State folder. */
  readonly state: string;
  /** The person has agreed already, by a flag: for good. */
  readonly trust: boolean;
  /** False if there is nobody to ask. */
  readonly ask: (question: ConsentQuestion) => Promise<boolean>;
  /** Gets what will be run or sent and was not shown before. */
  readonly tell: (root: string, unseen: readonly Power[]) => Promise<void>;
  /** Called if the agreement cannot be stored, and so holds for this command only. */
  readonly unkept: (why: string) => void;
}

/** True when a person agrees, or has agreed, to a root with these powers. */
export async function mayUse(origin: Origin, powers: readonly Power[], asking: Asking): Promise<boolean> {
  const { state, trust, ask, tell, unkept } = asking;
  const known = agreementOn(state, origin);
  if (known?.to === "all" && !trust) {
    const unseen = powers.filter((power) => known.shown?.includes(signatureOf(power)) === false);
    if (unseen.length > 0) await tell(origin.named, unseen);
    return true;
  }
  if (powers.length === 0 && !trust) return true;
  const asked = identityOf(origin);
  const agreed = trust || (await ask({ root: origin.named, powers }));
  // What was looked at may not be what is there any more.
  if (!agreed || asked === undefined || !isSameFolder(asked, identityOf(origin))) return false;
  // What was shown are these powers, and not its servers: those have a plan's question.
  const seen = trust || isSeen(state, origin);
  const shown = powers.map(signatureOf);
  try {
    writeAgreement(state, { path: origin.named, folder: asked, to: "all", seen, at: Date.now(), shown });
  } catch (error) {
    if (!["EACCES", "EROFS", "EPERM"].some((code) => isCode(error, code))) throw error;
    unkept((error as Error).message);
  }
  return true;
}

/** The same for the same power, wherever it is said. */
const signatureOf = ({ place: _, ...power }: Power): string => JSON.stringify(power);

/**
 * The same of what was applied before: its commands for secrets run again when it is brought back, also when somebody has
 * taken the agreement to its root back since.
 */
export async function mayBringBack(
  specs: readonly { readonly env: Readonly<Record<string, EnvValue>> }[],
  clients: readonly { readonly client: string; readonly scope: string }[],
  { root, config }: Pick<ProjectRecord, "root" | "config">,
  asking: Asking & { readonly ownRoot: string },
): Promise<boolean> {
  if (isSamePath(root, asking.ownRoot)) return true;
  const values = specs.flatMap(({ env }) => Object.values(env));
  const powers = values.flatMap((value): Power[] =>
    typeof value === "string" || !("command" in value.secret)
      ? []
      : [{ can: "secret", command: value.secret.command, place: { file: config } }],
  );
  const written = clients.flatMap(({ client, scope }): Power[] =>
    scope === "project" ? [] : [{ can: "client", client, place: { file: config } }],
  );
  const asked = new Map([...powers, ...written].map((power) => [signatureOf(power), power]));
  return mayUse({ named: rootNamed(config), folder: root }, [...asked.values()], asking);
}

/** Agrees to a folder in which there is nothing yet but what the person has just had written. */
export function agreeTo(state: string, folder: string): void {
  const found = identityOf({ named: folder, folder });
  if (found)
    writeAgreement(state, { path: folder, folder: found, to: "all", seen: true, at: Date.now(), shown: [] });
}

/** Whether servers of this root may be started without a question about the plan: it was applied or agreed to before. */
export function isSeen(state: string, origin: Origin | undefined): boolean {
  if (origin === undefined) return true;
  const known = agreementOn(state, origin);
  return known !== undefined && (known.to === "servers" || known.seen === true);
}

/** Remembers that a plan of this root was applied. Call it before its project is recorded. */
export function rememberSeen(state: string, origin: Origin | undefined): void {
  keepTrust(state);
  if (origin === undefined || isSeen(state, origin)) return;
  const known = agreementOn(state, origin);
  const folder = identityOf(origin);
  if (known) writeAgreement(state, { ...known, seen: true });
  else if (folder) writeAgreement(state, { path: origin.named, folder, to: "servers", at: Date.now() });
}
