import { wholeSeconds } from "../../model/units.ts";
import { renderTemplate } from "../unit-text.ts";
import { stamped } from "./stamp.ts";
import { type Limit, secretFaults, textFaults } from "./texts.ts";
import {
  commandWords,
  type Fault,
  plainEnvironment,
  serverIn,
  startsItself,
  type UnitFacts,
  type UnitFormat,
  unitName,
  wordsBehindSecrets,
} from "./unit.ts";

/** Every carriage return is read as a line break. */
const CARRIAGE_RETURN: Limit = { what: "a carriage return", pattern: /\r/ };

/** Characters that `environment=` may change: versions of supervisord disagree about quotes and backslashes. */
const NOT_AS_ENVIRONMENT = /["'\\]/;

export const supervisordUnits: UnitFormat = {
  fileName: (spec) => `${unitName(spec)}.conf`,
  serverOf: (fileName, project) => serverIn(fileName, project, ".conf"),
  isOurs: (text) => /(?:^|\n); xy-project=/.test(text),
  withStart: (text, starts) => text.replace(/(^|\n)autostart=[^\n]*/, `$1autostart=${starts}`),
  faults: (facts) => [
    ...textFaults("supervisord", facts, { everywhere: [CARRIAGE_RETURN] }),
    ...programFaults(facts),
    ...(facts.installed ? [] : secretFaults("supervisord", facts)),
  ],
  render: (facts) => stamped(facts, (hash) => renderTemplate("supervisord.conf.hbs", viewOf(facts, hash))),
};

function viewOf(facts: UnitFacts, hash: string): object {
  const { spec, installed, user } = facts;
  const { restart, stop, logs } = spec;
  const never = restart.policy === "never";
  const environment = plainEnvironment(spec);
  const byEnvironment = environment.filter(({ value }) => !NOT_AS_ENVIRONMENT.test(value));
  return {
    ...spec,
    unit: unitName(spec),
    words: wordsOf(facts),
    user: installed ? user : "",
    files: installed?.logs,
    environment: byEnvironment.map(({ name, value }) => `${name}="${value}"`),
    umask: spec.umask.toString(8).padStart(3, "0"),
    autostart: startsItself(facts),
    autorestart: { "on-failure": "unexpected", always: "true", never: "false" }[restart.policy],
    exitcodes: restart.successExitCodes.join(","),
    startsecs: never ? 0 : 1,
    startretries: never ? 0 : restart.maxRetriesPerMinute,
    signal: stop.signal.replace(/^SIG/, ""),
    grace: wholeSeconds(stop.grace),
    maxSize: logs.maxSize,
    keep: logs.keep,
    // The comment of an installed unit must not change: that would be a change of the unit.
    isEmitted: facts.installed === undefined,
    hash,
  };
}

/** Variables that `environment=` cannot carry are set by `env`, which then executes the program. */
function wordsOf(facts: UnitFacts): string[] {
  const { spec } = facts;
  const odd = plainEnvironment(spec).filter(({ value }) => NOT_AS_ENVIRONMENT.test(value));
  const given = odd.map(({ name, value }) => `${name}=${value}`);
  return [...(odd.length > 0 ? ["/usr/bin/env", ...given] : []), ...wordsBehindSecrets(facts)];
}

/** `env` would take a path with = for a variable. */
function programFaults(facts: UnitFacts): Fault[] {
  // Behind a shell, the path is not an argument of `env`.
  const isBehind = facts.installed?.secretsFile !== undefined;
  if (isBehind || !commandWords(facts)[0]?.includes("=") || wordsOf(facts)[0] !== "/usr/bin/env") return [];
  const message =
    "cannot write the program's path for supervisord: it has a =, and a variable of its env has quotes or " +
    "backslashes; give the program a path without =, or run this server with the agent";
  return [{ path: ["command"], message }];
}
