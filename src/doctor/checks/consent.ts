import { discover, userFolder } from "../../config/find/discover.ts";
import type { Finding } from "../../model/finding.ts";
import { shellWord } from "../../model/text.ts";
import { keptAgreements } from "../../operation/trust.ts";
import { peekRecord } from "../../system/files.ts";
import { isSamePath, leadsToSame } from "../../system/projects.ts";
import { counted, row } from "../check.ts";

interface ConsentFacts {
  /** How many configurations somebody has agreed to. */
  readonly agreed: number;
  /** Those that are not there any more. */
  readonly gone: readonly string[];
  /** The configuration that commands use here. */
  readonly here:
    | { readonly is: "none" }
    /** Not to be used before a person has done something. */
    | { readonly is: "unsafe"; readonly text: string }
    /** `own`: nobody is asked about it. */
    | {
        readonly is: "found";
        readonly folder: string;
        readonly config: string;
        readonly agreed: boolean;
        readonly own: boolean;
      };
}

export const consentCheck = row<ConsentFacts>({
  id: "consent",
  title: "Consent",
  about:
    "whether what you have agreed to is still there, and whether the configuration here is safe and agreed to",
  needsState: true,
  async look({ state = "", search }) {
    const all = keptAgreements(state, peekRecord);
    const gone = all.filter(({ isThere }) => !isThere).map(({ path }) => path);
    const facts = { agreed: all.length, gone };
    if (search === undefined) return { ...facts, here: { is: "none" } };
    const found = await discover(search);
    if (!found.ok) {
      const text = found.problems.map(({ message }) => message).join("; ");
      return { ...facts, here: found.unsafe ? { is: "unsafe", text } : { is: "none" } };
    }
    const { named, folder, config } = found.value;
    const agreed = all.some(({ path, isThere }) => isThere && leadsToSame(path, named));
    return {
      ...facts,
      here: { is: "found", folder: named, config, agreed, own: isSamePath(folder, userFolder(search)) },
    };
  },
  judge(facts) {
    return { summary: summaryOf(facts), findings: findingsOf(facts) };
  },
});

function summaryOf({ agreed }: ConsentFacts): string {
  return agreed === 0 ? "nothing agreed to yet" : `agreed to ${counted(agreed, "configuration")}`;
}

/** What a message of the search says to run. */
const commandIn = (text: string) => / run: (.*)$/s.exec(text)?.[1] ?? null;

function findingsOf({ gone, here }: ConsentFacts): Finding[] {
  const found: Finding[] = gone.map((path) => ({
    id: "consent.gone",
    severity: "note",
    what: `you agreed to a configuration that is not there any more: ${path}`,
    why: "It was removed, or another folder is there now, about which xy asks again.",
    mend: `xy trust --revoke ${shellWord(path)}`,
  }));
  if (here.is === "unsafe")
    found.push({
      id: "consent.unsafe",
      severity: "error",
      what: here.text.replace(/; run: .*$/s, ""),
      why: "Whoever can write to it decides what runs here, so every command refuses it.",
      mend: commandIn(here.text),
    });
  if (here.is === "found" && !here.own && !here.agreed)
    found.push({
      id: "consent.open",
      severity: "note",
      what: `you have not agreed to the configuration here: ${here.folder}`,
      why: "If it can run or send anything, this lists that, and asks you once.",
      mend: `xy check --config ${shellWord(here.config)}`,
    });
  return found;
}
