import type { Ended } from "./exchange.ts";
import type { Nowhere } from "./remote.ts";

/** Why there is no answer, for whoever waits for it: a sentence that begins with the server's name. */

/** Most that is quoted of an answer that is no message. */
const LONGEST_QUOTE = 200;

export function why(name: string, ended: Ended | Nowhere): string {
  switch (ended.kind) {
    case "nowhere":
      return ended.why;
    case "unreachable":
      return `cannot reach ${name}: ${ended.why}; \`xy why ${name}\` says what it is doing`;
    case "broken":
      return `lost the answer of ${name}: ${ended.why}; \`xy logs ${name}\` shows its last words`;
    case "over":
      return `${name} ended its answer without answering`;
    case "aborted":
      return `${name} did not answer in time`;
    case "refused":
      return refused(name, ended);
  }
}

function refused(name: string, { status, body }: Extract<Ended, { kind: "refused" }>): string {
  if (status === 401)
    return `${name} refuses the call (401): it wants a token, or another one than xy knows; \`xy connect --token-env\` names the variable that has it`;
  const text = body.replaceAll(/\s+/g, " ").trim();
  // A page of HTML says nothing to anybody here.
  const quote = text === "" || text.startsWith("<") ? "" : `: ${text.slice(0, LONGEST_QUOTE)}`;
  return `${name} refuses the call (status ${status})${quote}`;
}
