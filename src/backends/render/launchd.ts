import { wholeSeconds } from "../../model/units.ts";
import { renderTemplate } from "../unit-text.ts";
import { stamped } from "./stamp.ts";
import { type Limit, secretFaults, textFaults } from "./texts.ts";
import {
  plainEnvironment,
  serverIn,
  startsItself,
  type UnitFacts,
  type UnitFormat,
  unitName,
  wordsBehindSecrets,
} from "./unit.ts";

const NOT_IN_XML: Limit = {
  what: "a control character, U+FFFE or U+FFFF",
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for.
  pattern: /[\u0001-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/,
};

export const launchdUnits: UnitFormat = {
  fileName: (spec) => `${unitName(spec)}.plist`,
  serverOf: (fileName, project) => serverIn(fileName, project, ".plist"),
  isOurs: (text) => text.includes("<key>XyProject</key>"),
  faults: (facts) => [
    ...textFaults("launchd", facts, { everywhere: [NOT_IN_XML] }),
    ...(facts.installed ? [] : secretFaults("launchd", facts)),
  ],
  render: (facts) => stamped(facts, (hash) => renderTemplate("server.plist.hbs", viewOf(facts, hash))),
};

function viewOf(facts: UnitFacts, hash: string): object {
  const { spec, home, installed, user } = facts;
  const { restart, stop } = spec;
  return {
    ...spec,
    label: unitName(spec),
    words: wordsBehindSecrets(facts),
    environment: plainEnvironment(spec),
    out: installed?.logs?.out ?? `${home}/Library/Logs/${unitName(spec)}.log`,
    err: installed?.logs?.err ?? `${home}/Library/Logs/${unitName(spec)}.log`,
    user: spec.class === "system" ? user : "",
    background: spec.class !== "system" && (installed?.isBackground ?? false),
    grace: wholeSeconds(stop.grace, 1),
    throttle: restart.policy === "never" ? "" : String(wholeSeconds(restart.backoffInitial, 1)),
    always: restart.policy === "always",
    onFailure: restart.policy === "on-failure",
    // An installed unit's text does not say whether it is disabled.
    starts: installed !== undefined || startsItself(facts),
    // The comment of an installed unit must not change: that would be a change of the unit.
    isEmitted: facts.installed === undefined,
    hash,
  };
}
