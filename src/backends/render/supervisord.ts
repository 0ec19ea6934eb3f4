import { specHash } from "../../model/canonical.ts";
import { renderTemplate } from "../unit-text.ts";
import { type Limit, secretFaults, textFaults } from "./texts.ts";
import {
  type Fault,
  plainEnvironment,
  secretNames,
  type UnitFacts,
  type UnitFormat,
  unitName,
  wholeSeconds,
} from "./unit.ts";

/** Every carriage return is read as a line break. */
const CARRIAGE_RETURN: Limit = { what: "a carriage return", pattern: /\r/ };

/** What `environment=` changes: versions of supervisord disagree about quotes and backslashes in it. */
const NOT_AS_ENVIRONMENT = /["'\\]/;

export const supervisordUnits: UnitFormat = {
  fileName: (spec) => `${unitName(spec)}.conf`,
  isOurs: (text) => /^; xy-project=/m.test(text),
  faults: ({ spec, envFiles }) => [
    ...textFaults("supervisord", spec, { everywhere: [CARRIAGE_RETURN] }),
    ...programFaults(spec),
    ...secretFaults("supervisord", secretNames(spec), envFiles),
  ],
  render: (facts) => renderTemplate("supervisord.conf.hbs", viewOf(facts)),
};

function viewOf({ spec }: UnitFacts): object {
  const { restart, stop, logs } = spec;
  const never = restart.policy === "never";
  const environment = plainEnvironment(spec);
  const byEnvironment = environment.filter(({ value }) => !NOT_AS_ENVIRONMENT.test(value));
  return {
    ...spec,
    unit: unitName(spec),
    words: wordsOf(spec),
    environment: byEnvironment.map(({ name, value }) => `${name}="${value}"`),
    umask: spec.umask.toString(8).padStart(3, "0"),
    autostart: spec.wanted === "start",
    autorestart: { "on-failure": "unexpected", always: "true", never: "false" }[restart.policy],
    exitcodes: restart.successExitCodes.join(","),
    startsecs: never ? 0 : 1,
    startretries: never ? 0 : restart.maxRetriesPerMinute,
    signal: stop.signal.replace(/^SIG/, ""),
    grace: wholeSeconds(stop.grace),
    maxSize: logs.maxSize,
    keep: logs.keep,
    hash: specHash(spec),
  };
}

/** What `environment=` cannot carry is given by `env`, which becomes the program. */
function wordsOf(spec: UnitFacts["spec"]): string[] {
  const odd = plainEnvironment(spec).filter(({ value }) => NOT_AS_ENVIRONMENT.test(value));
  const given = odd.map(({ name, value }) => `${name}=${value}`);
  return [...(odd.length > 0 ? ["/usr/bin/env", ...given] : []), spec.program, ...spec.args];
}

/** `env` would take such a path for one more variable. */
function programFaults(spec: UnitFacts["spec"]): Fault[] {
  if (!spec.program.includes("=") || wordsOf(spec)[0] !== "/usr/bin/env") return [];
  const message =
    "cannot write the program's path for supervisord: it has a =, and a variable of its env has quotes or " +
    "backslashes; give the program a path without =, or run this server with the agent";
  return [{ path: ["command"], message }];
}
