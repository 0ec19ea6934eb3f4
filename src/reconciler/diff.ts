import { canonicalJson, knownOnly, startHash } from "../model/canonical.ts";
import { type FormerName, settlePlaces, usable, withPlacesOf } from "../model/former.ts";
import type { Observed } from "../model/observed.ts";
import { own as ownOf } from "../model/own.ts";
import type { Change, Desired, Reason } from "../model/plan.ts";
import type { ServerSpec } from "../model/spec.ts";
import { isUp } from "../model/states.ts";
import { decide } from "./decide.ts";
import { fieldChanges, settleSecrets } from "./fields.ts";

/**
 * The difference between what is declared and what exists: one change for each server, in name order, including `none`.
 * A server that is recorded with another backend than the declared one gets two: removed there, then added here. A server
 * that no configuration has declared gets none. Servers of other projects are ignored. Pure; does not use the clock.
 */
export function diff(desired: Desired, observed: readonly Observed[]): Change[] {
  const own = observed.filter(({ project }) => project === desired.project);
  const names = new Set([...desired.servers, ...own].map(({ name }) => name));
  return [...names].sort().flatMap((name) => {
    const spec = desired.servers.find((server) => server.name === name);
    const records = own.filter((server) => server.name === name);
    return spec === undefined
      ? records
          .filter((record) => !isLeft(record, desired))
          .map((record) => removal(record, notDeclared(desired, name)))
      : diffServer(spec, records, desired.former ?? []);
  });
}

/** A person added it, and no configuration declares it. */
function isLeft({ kept, name }: Observed, { servers, leavesNothing }: Desired): boolean {
  return kept === true && !leavesNothing && !servers.some((server) => server.name === name);
}

/** Servers that no configuration has declared and that the plan leaves alone, in name order. */
export function keptServers(desired: Desired, observed: readonly Observed[]): Observed[] {
  const kept = observed.filter((one) => one.project === desired.project && isLeft(one, desired));
  return kept.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function notDeclared({ elsewhere = {} }: Desired, name: string): Reason {
  const why = ownOf(elsewhere, name);
  return { kind: "not-declared", ...(why !== undefined && { elsewhere: why }) };
}

function diffServer(spec: ServerSpec, records: readonly Observed[], former: readonly FormerName[]): Change[] {
  const here = records.find(({ backend }) => backend === spec.backend);
  if (spec.wanted === "ignore") return [untouched(spec, here ?? records[0])];
  const elsewhere = records.filter(({ backend }) => backend !== spec.backend);
  const moved = elsewhere.map((record) =>
    removal(record, { kind: "moved", from: record.backend, to: spec.backend }),
  );
  const operator = elsewhere.find((record) => record.operator !== null);
  return [
    ...moved,
    here === undefined ? addition(spec, elsewhere[0], operator) : comparison(spec, here, former),
  ];
}

function removal(observed: Observed, reason: Reason): Change {
  return {
    server: observed.name,
    action: "remove",
    reasons: [reason],
    fields: [],
    observed,
    held: observed.operator === "stop",
    breaksSessions: isUp(observed.state),
  };
}

/** A server that is held stays held when it moves to another backend. */
function addition(desired: ServerSpec, from: Observed | undefined, spoken: Observed | undefined): Change {
  const reason: Reason =
    from === undefined
      ? { kind: "not-recorded" }
      : { kind: "moved", from: from.backend, to: desired.backend };
  const held = spoken?.operator === "stop";
  return {
    server: desired.name,
    action: "add",
    reasons: [reason],
    fields: [],
    desired,
    held,
    breaksSessions: false,
  };
}

function untouched(desired: ServerSpec, observed: Observed | undefined): Change {
  const seen = observed === undefined ? {} : { observed };
  const held = observed?.operator === "stop";
  return {
    server: desired.name,
    action: "none",
    reasons: [],
    fields: [],
    desired,
    ...seen,
    held,
    breaksSessions: false,
  };
}

/** Paths that were only renamed are no difference; a server that starts anew gets today's paths. */
function comparison(declared: ServerSpec, observed: Observed, former: readonly FormerName[]): Change {
  const { spec } = observed;
  // A server that does not run may start from its record before it is applied again.
  const names = isUp(observed.state) ? former : usable(former);
  const settled = spec === undefined ? declared : settleSecrets(settlePlaces(declared, spec, names), spec);
  const fields = observed.spec === undefined ? [] : fieldChanges(knownOnly(observed.spec), settled);
  const named = former.length === 0 ? settled : withPlacesOf(settled, declared);
  // An apply that was updating the record to today's names may have been interrupted.
  const isRenamed = observed.runningHash !== undefined && observed.runningHash === startHash(named);
  const running = isRenamed ? { ...observed, runningHash: startHash(settled) } : observed;
  const { action, reasons } = decide({ desired: settled, observed: running, fields });
  const startsAnew = action === "restart" || action === "start";
  const desired = startsAnew ? named : settled;
  const hasOthers = action === "none" && canonicalJson(named) !== canonicalJson(settled);
  const ends = action === "restart" || action === "stop";
  return {
    server: desired.name,
    action,
    reasons,
    fields,
    desired,
    observed,
    held: observed.operator === "stop",
    ...(hasOthers ? { renamed: named } : {}),
    breaksSessions: ends && isUp(observed.state),
  };
}
