import { specHash } from "../../model/canonical.ts";
import { renderTemplate } from "../unit-text.ts";
import { type Limit, secretFaults, textFaults } from "./texts.ts";
import {
  plainEnvironment,
  secretNames,
  type UnitFacts,
  type UnitFormat,
  unitName,
  wholeSeconds,
} from "./unit.ts";

const NOT_IN_XML: Limit = {
  what: "a control character, U+FFFE or U+FFFF",
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for.
  pattern: /[\u0001-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/,
};

export const launchdUnits: UnitFormat = {
  fileName: (spec) => `${unitName(spec)}.plist`,
  isOurs: (text) => text.includes("<key>XyProject</key>"),
  faults: ({ spec, envFiles }) => [
    ...textFaults("launchd", spec, { everywhere: [NOT_IN_XML] }),
    ...secretFaults("launchd", secretNames(spec), envFiles),
  ],
  render: (facts) => renderTemplate("server.plist.hbs", viewOf(facts)),
};

function viewOf({ spec, home }: UnitFacts): object {
  const { restart, stop, program, args } = spec;
  const starts = spec.wanted === "start";
  return {
    ...spec,
    label: unitName(spec),
    words: [program, ...args],
    environment: plainEnvironment(spec),
    log: `${home}/Library/Logs/${unitName(spec)}.log`,
    grace: wholeSeconds(stop.grace, 1),
    throttle: restart.policy === "never" ? "" : String(wholeSeconds(restart.backoffInitial, 1)),
    always: restart.policy === "always",
    onFailure: restart.policy === "on-failure",
    starts,
    hash: specHash(spec),
  };
}
