import * as fs from "node:fs";
import { z } from "zod";
import {
  ACTION_SHAPE,
  type ActionSecrets,
  type ActionSpec,
  actionKey,
  actionSpec,
} from "../../model/action.ts";
import { canonicalJson } from "../../model/canonical.ts";
import { acyclic, dependencyOrder, type Graph } from "../../model/graph.ts";
import { nearest } from "../../model/nearest.ts";
import { own } from "../../model/own.ts";
import { Redactor } from "../../model/redact.ts";
import { type SecretValues, secretValues } from "../../model/spec-parts.ts";
import { notKnown, RPC_ERRORS, RpcError } from "../../rpc/errors.ts";
import { readRecord, removeSetAside, writeAtomic } from "../../system/files.ts";
import { ensurePrivateDir, projectDir } from "../../system/paths.ts";
import { actionsPath, recordedProjects } from "../../system/projects.ts";

export interface AppliedAction {
  readonly spec: ActionSpec;
  readonly secrets: SecretValues;
}

const actionsFile = z.looseObject({
  version: z.literal(1),
  actions: z.array(z.object({ spec: actionSpec, secrets: secretValues })),
});

/** What was applied of actions: one file a project, so that a spec is never seen with the secrets of another. */
export class Actions {
  readonly #state: string;
  readonly #report: (message: string) => void;
  readonly #projects = new Map<string, ReadonlyMap<string, AppliedAction>>();
  /** Of those whose jobs somebody has read, or whose secrets have changed. They know former values too. */
  readonly #redactors = new Map<string, Redactor>();

  constructor(state: string, report: (message: string) => void) {
    this.#state = state;
    this.#report = report;
  }

  readAll(): void {
    for (const project of recordedProjects(this.#state)) {
      const actions = this.#read(project);
      if (actions) this.#projects.set(project, actions);
    }
  }

  /** In the order of their keys, project by project. */
  all(project?: string): AppliedAction[] {
    const projects = [...this.#projects.keys()]
      .filter((one) => project === undefined || one === project)
      .sort();
    return projects.flatMap((one) => [...(this.#projects.get(one)?.values() ?? [])]);
  }

  find(project: string, key: string): AppliedAction | undefined {
    return this.#projects.get(project)?.get(key);
  }

  /** All that a run of it runs first, each after what that comes after. */
  before(asked: ActionSpec): AppliedAction[] {
    const { project } = asked;
    const refuse = (code: number, why: string) =>
      new RpcError(code, `cannot run ${actionKey(asked)}: ${why}`);
    const found = new Map<string, AppliedAction>([[actionKey(asked), { spec: asked, secrets: {} }]]);
    // A map that grows while it is walked: whatever is added is visited too.
    for (const { spec } of found.values()) {
      for (const key of spec.after ?? []) {
        const needed = found.get(key) ?? this.find(project, key);
        if (!needed)
          throw refuse(
            RPC_ERRORS.actionNotFound,
            `${actionKey(spec)} comes after ${key}, which is not there; \`xy apply\` brings in what is declared`,
          );
        found.set(key, needed);
      }
    }
    const graph = new Map([...found].map(([key, { spec }]) => [key, spec.after ?? []]));
    const edges = (of: Graph) => [...of.values()].reduce((sum, needed) => sum + needed.length, 0);
    if (edges(acyclic(graph)) < edges(graph))
      throw refuse(RPC_ERRORS.invalidParams, "of what it comes after, some wait for each other");
    return dependencyOrder(graph)
      .slice(0, -1)
      .flatMap((key) => found.get(key) ?? []);
  }

  /** For what jobs of this action print, also those that had former values. */
  redactor(project: string, key: string): Redactor | undefined {
    const id = `${project}/${key}`;
    const known = this.#redactors.get(id);
    const applied = this.find(project, key);
    if (known || !applied) return known;
    const fresh = new Redactor(applied.secrets, applied.spec.env);
    this.#redactors.set(id, fresh);
    return fresh;
  }

  /** Without a project the action must be there only once. */
  get({ name, server }: Pick<ActionSpec, "name" | "server">, project: string | undefined): AppliedAction {
    const key = actionKey({ name, server });
    const all = this.all(project);
    const found = all.filter(({ spec }) => actionKey(spec) === key);
    const [first] = found;
    if (!first)
      throw new RpcError(RPC_ERRORS.actionNotFound, `cannot find action ${key}: ${wayOut(key, all)}`);
    if (found.length > 1) {
      const projects = found.map(({ spec }) => spec.project).join(", ");
      throw new RpcError(
        RPC_ERRORS.invalidParams,
        `cannot tell which ${key} is meant: projects ${projects} have one`,
      );
    }
    return first;
  }

  /** Throws, with nothing changed, when it cannot be written. Returns those that are gone. */
  apply(
    project: string,
    set: readonly ActionSpec[],
    secrets: ActionSecrets,
    remove: readonly string[],
  ): ActionSpec[] {
    const before = this.#projects.get(project) ?? new Map<string, AppliedAction>();
    const after = new Map(before);
    const gone = remove.flatMap((key) => before.get(key)?.spec ?? []);
    for (const key of remove) after.delete(key);
    for (const spec of set) {
      const key = actionKey(spec);
      const unknown = Object.keys(spec).filter((field) => !Object.hasOwn(ACTION_SHAPE, field));
      if (unknown.length > 0) throw notKnown(key, unknown);
      after.set(key, { spec, secrets: valuesOf(spec, own(secrets, key) ?? {}, before.get(key)) });
    }
    const sorted = new Map([...after].sort(([a], [b]) => (a < b ? -1 : 1)));
    this.#write(project, [...sorted.values()]);
    for (const key of remove) this.#redactors.delete(`${project}/${key}`);
    for (const [key, { spec, secrets: values }] of sorted)
      if (before.has(key) && canonicalJson(before.get(key)?.secrets) !== canonicalJson(values))
        this.redactor(project, key)?.renew(values, spec.env);
    if (sorted.size > 0) this.#projects.set(project, sorted);
    else this.#projects.delete(project);
    return gone;
  }

  #write(project: string, actions: readonly AppliedAction[]): void {
    removeSetAside(actionsPath(this.#state, project));
    if (actions.length === 0) {
      fs.rmSync(actionsPath(this.#state, project), { force: true, recursive: true });
      return;
    }
    ensurePrivateDir(projectDir(this.#state, project));
    writeAtomic(actionsPath(this.#state, project), JSON.stringify({ version: 1, actions }), {
      durable: true,
    });
  }

  #read(project: string): ReadonlyMap<string, AppliedAction> | undefined {
    const path = actionsPath(this.#state, project);
    const found = readRecord(path, actionsFile.parse, (aside, why) =>
      this.#report(`${aside}: its actions cannot be read, apply them again: ${why}`),
    );
    return found && new Map(found.actions.map((action) => [actionKey(action.spec), action]));
  }
}

/** A secret that was not looked up now keeps the value that its keyed hash stands for. */
function valuesOf(spec: ActionSpec, values: SecretValues, before: AppliedAction | undefined): SecretValues {
  const kept = Object.entries(before?.secrets ?? {}).filter(
    ([name]) => canonicalJson(own(before?.spec.env ?? {}, name)) === canonicalJson(own(spec.env, name)),
  );
  return { ...Object.fromEntries(kept), ...values };
}

function wayOut(key: string, all: readonly AppliedAction[]): string {
  const guess = nearest(
    key,
    all.map(({ spec }) => actionKey(spec)),
  );
  return guess === undefined ? "`xy apply` brings in what is declared" : `did you mean ${guess}?`;
}
