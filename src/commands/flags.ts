import { string as argument, integer } from "@oclif/core/args";
import { boolean, custom, string } from "@oclif/core/flags";
import type { Machine } from "../model/machine.ts";
import { NAME_PATTERN, NAME_RULE } from "../model/name.ts";

/** Flags and arguments that several commands take. */

/** For commands that ask before they change something. */
export const yesFlag = {
  yes: boolean({ char: "y", summary: "Do not ask before making changes." }),
};

/** For every command that evaluates a configuration. */
export const trustFlags = {
  trust: boolean({
    summary: "Agree, for good, to everything this configuration can run or send.",
  }),
};

/** For commands that show what a server is made of. */
export const defaultsFlag = {
  defaults: boolean({ summary: "Show settings that have their default value, too." }),
};

/** Hidden: `--yes` used to answer the question about the configuration, which commands without changes also ask. */
export const unaskedFlag = { yes: boolean({ char: "y", hidden: true }) };

export const secretsFlag = (summary: string) => ({ "no-secrets": boolean({ summary }) });

export const selectionFlags = {
  only: string({
    multiple: true,
    helpValue: "NAME",
    summary: "Include only these servers: names, patterns or tag:x.",
  }),
  except: string({ multiple: true, helpValue: "NAME", summary: "Leave out these servers." }),
};

/** For commands that can evaluate a configuration for another machine than this one. */
export const machineFlag = {
  for: custom<Machine>({
    helpValue: "MACHINE",
    summary: "Evaluate for another machine: os=OS,home=DIR,user=NAME,host=NAME[,arch=ARCH].",
    parse: async (text) => (await import("../operation/machine.ts")).machineFor(text),
  })(),
};

const projectNamed = (summary: string) =>
  string({
    helpValue: "NAME",
    summary,
    parse: async (text) => {
      if (NAME_PATTERN.test(text)) return text;
      throw new Error(`cannot use ${JSON.stringify(text)} as a project's name: write ${NAME_RULE}`);
    },
  });

/** For commands about one project. */
export const projectFlag = { project: projectNamed("Project to use, instead of the one of this folder.") };
/** For commands about all projects. */
export const projectFilter = { project: projectNamed("Show only this project.") };

/** For every command that makes a plan from a configuration. */
export const backendFlags = {
  strict: boolean({ summary: "Fail if a backend cannot express a setting exactly." }),
  adopt: boolean({
    summary: "Take over units of service managers, and entries of clients, that xy did not write.",
  }),
};

/** For commands that may move a project. */
export const adoptProjectFlag = (summary: string) => ({ "adopt-project": boolean({ summary }) });

export const nameArgument = {
  name: argument({ required: true, description: "Server, as NAME or PROJECT/NAME." }),
};

/** For commands that take `NAME… | --all`. Without `strict = false`, oclif takes one argument only. */
export const namesArgument = {
  name: argument({
    description: "Servers, each as NAME or PROJECT/NAME, as a pattern such as 'web-*', or as tag:x.",
  }),
};
export const allFlag = {
  all: boolean({ default: false, summary: "Select all servers of the current project." }),
};
export const keepJobsFlag = {
  "keep-jobs": boolean({
    summary: "Keep jobs: cancel no running ones and delete no finished ones.",
  }),
};
export const endFlag = {
  wait: boolean({
    default: true,
    allowNo: true,
    summary: "Wait until the servers have stopped.",
  }),
};
export const depsFlag = {
  deps: boolean({
    default: true,
    allowNo: true,
    summary: "Start dependencies first, and wait for them.",
  }),
};

export const jobArgument = {
  id: integer({ required: true, min: 1, description: "Job number, as shown by `xy jobs`." }),
};

export const waitFlags = {
  wait: boolean({ default: true, allowNo: true, summary: "Wait until each server is ready." }),
  "wait-timeout": string({
    env: "XY_WAIT_TIMEOUT",
    helpValue: "DURATION",
    summary:
      "Wait exactly this long for each server to become ready. Without it, wait until the server's `start-timeout` " +
      "(5m unless declared), but give up after 60s without a sign of life.",
  }),
  rollback: boolean({
    default: true,
    allowNo: true,
    summary: "Restore the previous version of a changed server that does not become ready.",
  }),
};

/** For commands that start servers and usually return once they run. */
export const readyFlags = {
  wait: boolean({ summary: "Wait until each server is ready, and exit with 1 if one is not." }),
  "wait-timeout": string({
    dependsOn: ["wait"],
    helpValue: "DURATION",
    summary: "With --wait: wait at most this long for each server, instead of its `start-timeout`.",
  }),
};
