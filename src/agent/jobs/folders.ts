import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { type Job, MAIN_ACTION } from "../../model/job.ts";
import { makeWayForFolder, numbersIn } from "../../system/files.ts";
import { ensurePrivateDir, projectDir, serverDir } from "../../system/paths.ts";
import { namedFolders, recordedProjects } from "../../system/projects.ts";

/** What jobs belong to: a server with its actions, a standalone action, or the commands typed in a project. */
export interface Owner {
  readonly project: string;
  /** Null: `action_id` stands alone. */
  readonly service_id: string | null;
  readonly action_id: string;
  /** No action has it: all such jobs of a project belong together, whatever their `action_id`. */
  readonly inline?: true | undefined;
}

/** All jobs of a project that ran what a person has typed. */
export function inlineOwner(project: string): Owner {
  return { project, service_id: null, action_id: "", inline: true };
}

/** All of a server's jobs, or those of its own program. */
export function serverOwner(project: string, server: string): Owner {
  return { project, service_id: server, action_id: MAIN_ACTION };
}

/** One owner among those of all projects. */
export function ownerKey({ project, service_id, action_id, inline }: Owner): string {
  if (inline) return `${project}//`;
  return service_id === null ? `${project}//${action_id}` : `${project}/${service_id}`;
}

type OwnedJob = Owner & Pick<Job, "id">;

/** Whose jobs are looked for. */
export interface OwnerQuery {
  readonly project?: string | undefined;
  readonly server?: string | undefined;
  readonly action?: string | undefined;
  readonly standalone?: true | undefined;
}

/** Where everything about jobs lies. */
export class JobFolders {
  readonly #state: string;

  constructor(state: string) {
    this.#state = state;
  }

  /** The number of the next job. */
  get counter(): string {
    return join(this.#state, "jobs.next");
  }

  of({ project, service_id, action_id, inline }: Owner): string {
    const jobs = this.#projectDir(project);
    if (inline) return join(jobs, "inline");
    return service_id === null ? join(jobs, "actions", action_id) : join(jobs, "servers", service_id);
  }

  journal(owner: Owner): string {
    return join(this.of(owner), "journal");
  }

  /** What it printed. */
  log(job: OwnedJob): string {
    return join(this.of(job), "log", String(job.id));
  }

  /** What a server's own program printed, in all its runs. */
  serverLog({ project, service_id }: Owner): string {
    return join(serverDir(this.#state, project, service_id ?? ""), "log");
  }

  /** Where a job of an action runs, with a folder for each attempt. It is there as long as the job is not over. */
  run(job: OwnedJob): string {
    return join(this.of(job), "run", String(job.id));
  }

  /** The owner's folder is there, and whatever stood in the place of one is set aside. */
  make(owner: Owner): void {
    const folder = this.of(owner);
    for (const path of [this.#projectDir(owner.project), dirname(folder), folder]) makeWayForFolder(path);
    ensurePrivateDir(folder);
  }

  makeRun(job: OwnedJob): void {
    this.make(job);
    ensurePrivateDir(this.run(job));
  }

  removeRun(job: OwnedJob): void {
    fs.rmSync(this.run(job), { recursive: true, force: true });
  }

  /** Numbers of the jobs that have not ended in an orderly way. */
  runsOf(owner: Owner): number[] {
    return numbersIn(join(this.of(owner), "run"));
  }

  /** The run folder of an attempt, beside those of the others. */
  attempts(job: OwnedJob): string[] {
    return numbersIn(this.run(job)).map((attempt) => join(this.run(job), String(attempt)));
  }

  /** Those that have a folder. */
  owners({ project, server, action, standalone }: OwnerQuery): Owner[] {
    const projects = project === undefined ? recordedProjects(this.#state) : [project];
    return projects.flatMap((one) => {
      const jobs = this.#projectDir(one);
      const servers = standalone ? [] : namedFolders(join(jobs, "servers"));
      const actions = server === undefined ? namedFolders(join(jobs, "actions")) : [];
      return [
        ...servers
          .filter((name) => server === undefined || name === server)
          .map((name) => serverOwner(one, name)),
        ...actions
          .filter((name) => action === undefined || name === action)
          .map((name) => ({ project: one, service_id: null, action_id: name })),
        ...(server === undefined && namedFolders(jobs).includes("inline") ? [inlineOwner(one)] : []),
      ];
    });
  }

  #projectDir(project: string): string {
    return join(projectDir(this.#state, project), "jobs");
  }
}
