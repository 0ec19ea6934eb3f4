import { join } from "node:path";
import type { BackendKind } from "../model/backends.ts";
import { NAME_PATTERN } from "../model/name.ts";
import { STATES } from "../model/states.ts";
import { knownHome, projectDir, serverDir } from "../system/paths.ts";
import { actionsPath, recordedBackends, recordedProjects, unitsDir } from "../system/projects.ts";
import { Budget } from "./budget.ts";
import { declaredIn, isRecordOf, rootHere, type Surroundings } from "./here.ts";
import { asCandidate, isOpen, jobsOf } from "./jobs.ts";
import type { Kind } from "./kinds.ts";
import type { Question } from "./question.ts";
import type { Candidate } from "./table.ts";

/** Names that exist on this machine, from the records of xy and the names of files. Asks no agent, and runs nothing. */

/** Longest record that is read, bytes. */
const LONGEST_RECORD = 1024 * 1024;
const LONGEST_HEAD = 16 * 1024;

/** Something of a project. */
interface Item {
  readonly project: string;
  readonly name: string;
  readonly about: () => string | undefined;
}

interface ActionRecord {
  readonly name?: unknown;
  readonly server?: unknown;
  readonly description?: unknown;
  readonly tags?: unknown;
}

export class Names {
  readonly #state: string;
  readonly #around: Surroundings;
  readonly #question: Question;
  readonly #budget = new Budget();

  /** `state`: undefined where nothing is recorded. */
  constructor(state: string | undefined, around: Surroundings, question: Question) {
    // No folder is in that one.
    this.#state = state ?? "/dev/null";
    this.#around = around;
    this.#question = question;
  }

  /** In the order in which they are shown. */
  of(kind: Kind): Candidate[] {
    switch (kind) {
      case "server":
        return [...this.#fitting(this.#projects.flatMap((one) => this.#servers(one))), ...this.#tagWords()];
      case "selection":
        return [...this.#selectable(), ...this.#tagWords()];
      case "action":
        return this.#fitting(this.#projects.flatMap((one) => this.#actions(one)));
      case "action name":
        return unique(this.#chosen.flatMap((one) => this.#actions(one)).map(ownName));
      case "project":
        return this.#projects.map((value) => ({ value, about: () => this.#rootOf(value) }));
      case "job":
        return jobsOf(this.#state, this.#projects, this.#budget).map(asCandidate);
      case "open job":
        return jobsOf(this.#state, this.#projects, this.#budget).filter(isOpen).map(asCandidate);
      case "generation":
        return this.#generations();
      case "states":
        return STATES.map((value) => ({ value }));
      case "tag":
        return this.#tags().map((value) => ({ value }));
      case "agreed root":
        return this.#agreed();
      case "file":
      case "folder":
      case "program":
      case "text":
        return [];
      default:
        return kind satisfies never;
    }
  }

  get #projects(): string[] {
    return recordedProjects(this.#state);
  }

  get #current(): string | undefined {
    const { project, config } = this.#question;
    if (project !== undefined) return project;
    const root = rootHere(config, this.#around);
    if (root === undefined) return undefined;
    return this.#projects.find((one) => isRecordOf(this.#projectRecord(one), root));
  }

  /** The current project; all, where there is none. */
  get #chosen(): string[] {
    const current = this.#current;
    return current === undefined ? this.#projects : this.#projects.filter((one) => one === current);
  }

  #projectRecord(project: string): unknown {
    return this.#budget.json(join(projectDir(this.#state, project), "project.json"), LONGEST_RECORD);
  }

  /** Where a project is declared. */
  #rootOf(project: string): string | undefined {
    const { config } = (this.#projectRecord(project) ?? {}) as { config?: unknown };
    const home = knownHome(this.#around.env);
    if (typeof config !== "string") return undefined;
    return home !== undefined && config.startsWith(`${home}/`) ? `~${config.slice(home.length)}` : config;
  }

  #servers(project: string): Item[] {
    return recordedBackends(this.#state, project).map(({ name, backend }) => ({
      ...{ project, name },
      about: () => text(this.#spec(project, name, backend)?.description),
    }));
  }

  #spec(project: string, name: string, backend: BackendKind): ActionRecord | undefined {
    const path =
      backend === "agent"
        ? join(serverDir(this.#state, project, name), "spec.json")
        : join(unitsDir(this.#state, project), backend, `${name}.json`);
    return (this.#budget.json(path, LONGEST_RECORD) as { spec?: ActionRecord } | null | undefined)?.spec;
  }

  /** Servers of the configuration that is meant, also those that were never applied. */
  #selectable(): Candidate[] {
    const root = rootHere(this.#question.config, this.#around);
    const declared = root === undefined ? [] : declaredIn(root, this.#budget);
    const recorded = this.#current === undefined ? [] : this.#servers(this.#current);
    const names = [...new Set([...declared, ...recorded.map(({ name }) => name)])].sort();
    return names.map((value) => ({
      value,
      about: recorded.find(({ name }) => name === value)?.about ?? "not applied yet",
    }));
  }

  #actions(project: string): Item[] {
    const file = this.#budget.json(actionsPath(this.#state, project), LONGEST_RECORD);
    const { actions } = (file ?? {}) as { actions?: unknown };
    if (!Array.isArray(actions)) return [];
    return actions.flatMap((one) => {
      const { name, server, description } = ((one as { spec?: ActionRecord } | null)?.spec ??
        {}) as ActionRecord;
      if (!isName(name) || !(server === null || isName(server))) return [];
      return [
        { project, name: server === null ? name : `${server}:${name}`, about: () => text(description) },
      ];
    });
  }

  /**
   * As each has to be written: by its own name where that is enough, else with its project before it, which is also what
   * somebody means who begins with a project.
   */
  #fitting(items: readonly Item[]): Candidate[] {
    const { typed } = this.#question;
    const current = this.#current;
    const isEnough = (one: Item) =>
      one.project === current ||
      !items.some(({ name, project }) => name === one.name && project !== one.project);
    const aboutProject = ({ project }: Item) => (project === current ? undefined : `of project ${project}`);
    const full = (one: Item): Candidate => ({ value: `${one.project}/${one.name}`, about: one.about });
    if (typed.includes("/")) return items.map(full);
    const inOrder = [
      ...items.filter(({ project }) => project === current),
      ...items.filter(({ project }) => project !== current),
    ];
    const short = inOrder.map((one) =>
      isEnough(one) ? { value: one.name, about: () => one.about() ?? aboutProject(one) } : full(one),
    );
    const isMeant = typed === "" || short.some(({ value }) => value.startsWith(typed));
    return isMeant ? short : [...short, ...items.map(full)];
  }

  /** Only where somebody begins one: they would be in the way of names. */
  #tagWords(): Candidate[] {
    const { typed } = this.#question;
    if (typed === "" || !("tag:".startsWith(typed) || typed.startsWith("tag:"))) return [];
    return this.#tags().map((tag) => ({ value: `tag:${tag}`, about: "Servers with this tag" }));
  }

  #tags(): string[] {
    const specs = this.#chosen.flatMap((project) =>
      recordedBackends(this.#state, project).map(({ name, backend }) => this.#spec(project, name, backend)),
    );
    const tags = specs.flatMap((spec) => (Array.isArray(spec?.tags) ? spec.tags : []));
    return [...new Set(tags.filter((tag) => typeof tag === "string"))].sort();
  }

  #generations(): Candidate[] {
    return this.#chosen.length > 1
      ? []
      : this.#chosen.flatMap((project) => {
          const folder = join(projectDir(this.#state, project), "generations");
          const numbers = this.#budget
            .names(folder)
            .flatMap((name) => /^([1-9]\d{0,8})\.json$/.exec(name)?.[1] ?? []);
          const newest = numbers.sort((a, b) => Number(b) - Number(a));
          return newest.map((value) => ({
            value,
            about: () => this.#applied(join(folder, `${value}.json`)),
          }));
        });
  }

  /** When, and what changed: its servers, which are most of the file, stand behind that. */
  #applied(path: string): string | undefined {
    const head = this.#budget.text(path, LONGEST_HEAD) ?? "";
    const at = Number(/"at":(\d+)/.exec(head)?.[1]);
    const changes = /"changes":(\{[^}]*\})/.exec(head)?.[1];
    try {
      const { add, change, remove } = JSON.parse(changes ?? "") as Record<string, string[]>;
      const signed = [
        add?.map((name) => `+${name}`),
        change?.map((name) => `~${name}`),
        remove?.map((name) => `-${name}`),
      ];
      return `${new Date(at).toISOString().slice(0, 16).replace("T", " ")}Z ${signed.flatMap((some) => some ?? []).join(" ")}`;
    } catch {
      return undefined;
    }
  }

  #agreed(): Candidate[] {
    const folder = join(this.#state, "trust");
    return this.#budget.names(folder).flatMap((name) => {
      const { path } = (this.#budget.json(join(folder, name), LONGEST_HEAD) ?? {}) as { path?: unknown };
      return typeof path === "string" ? [{ value: path }] : [];
    });
  }
}

const isName = (value: unknown): value is string => typeof value === "string" && NAME_PATTERN.test(value);
const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);

/** Of an action, without its server. */
const ownName = ({ name, about }: Item): Candidate => ({ value: name.slice(name.indexOf(":") + 1), about });

const unique = (candidates: readonly Candidate[]) =>
  candidates.filter(({ value }, at) => candidates.findIndex((one) => one.value === value) === at);
