import { join } from "node:path";
import { z } from "zod";
import type { BackendKind } from "../model/backends.ts";
import { type ServerSpec, serverSpec } from "../model/spec.ts";
import { peekRecord, type ReadRecord } from "../system/files.ts";
import { serverDir } from "../system/paths.ts";
import {
  type ProjectRecord,
  readProject,
  recordedBackends,
  recordedProjects,
  unitsDir,
} from "../system/projects.ts";

/** What the records of a state folder say, read without setting anything aside. */

export interface RecordedServer {
  readonly project: string;
  readonly name: string;
  readonly backend: BackendKind;
  /** What was applied. Undefined: it is not recorded, or cannot be read. */
  readonly spec: ServerSpec | undefined;
}

interface RecordedProject {
  readonly name: string;
  readonly record: ProjectRecord | undefined;
}

export interface Recorded {
  readonly projects: readonly RecordedProject[];
  readonly servers: readonly RecordedServer[];
  /** Records that cannot be trusted, and will be set aside when they are needed. */
  readonly damaged: readonly string[];
  /** Why the projects could not be read at all. */
  readonly problem?: string;
}

export const NOTHING_RECORDED: Recorded = { projects: [], servers: [], damaged: [] };

const applied = z.looseObject({ spec: serverSpec });

/** Never throws. */
export function recordedIn(state: string): Recorded {
  const damaged: string[] = [];
  const reading: ReadRecord = (path, parse) => peekRecord(path, parse, (found) => damaged.push(found));
  try {
    const names = recordedProjects(state);
    const projects = names.map((name) => ({ name, record: readProject(state, name, reading) }));
    const servers = names.flatMap((project) =>
      recordedBackends(state, project).map(({ name, backend }) => {
        const path =
          backend === "agent"
            ? join(serverDir(state, project, name), "spec.json")
            : join(unitsDir(state, project), backend, `${name}.json`);
        const spec = reading(path, (value) => applied.parse(value))?.spec;
        return { project, name, backend, spec };
      }),
    );
    return { projects, servers, damaged };
  } catch (error) {
    return { ...NOTHING_RECORDED, damaged, problem: error instanceof Error ? error.message : String(error) };
  }
}

/** `project/name` */
export const addressOf = ({ project, name }: RecordedServer): string => `${project}/${name}`;
