import { actionInput } from "../../model/action-input.ts";
import { aboutAction, type Diagnostic } from "../../model/diagnostic.ts";
import { MAIN_ACTION } from "../../model/job.ts";
import { isObject } from "../../model/object.ts";
import { parseDuration } from "../../model/units.ts";
import type { DeclaredAction, DeclaredServer } from "../declared.ts";
import type { RootFile } from "../find/root-file.ts";
import { formatPlace, type KeyPath, placeOf, sourceFolder } from "../place.ts";
import { problemAt } from "./keys.ts";
import { envNameProblems, type ServerProblem, unfilledTexts } from "./server-checks.ts";
import { type Expanded, expandTemplates, type TemplateFacts } from "./templates.ts";

/** Declared actions, and the problems of actions whose fields all have the right form. */

export function serverActions(server: DeclaredServer): DeclaredAction[] {
  return Object.entries(server.input.actions).map(([name, input]) => ({
    name,
    server: server.name,
    input,
    place: (path) => server.place(["actions", name, ...path]),
    folder: (path) => server.folder(["actions", name, ...path]),
  }));
}

/** The actions of these files. The schema reports those of the wrong form; they are left out here. */
export function standaloneActions(roots: readonly RootFile[]): {
  readonly actions: readonly DeclaredAction[];
  readonly problems: readonly Diagnostic[];
} {
  const found = new Map<string, DeclaredAction>();
  const problems: Diagnostic[] = [];
  for (const { value, source: file } of roots)
    for (const [name, written] of isObject(value.actions) ? Object.entries(value.actions) : []) {
      const input = actionInput.safeParse(written);
      if (!input.success) continue;
      const source = { document: file.document, at: ["actions", name] };
      const place = (path: KeyPath) => placeOf(source, path);
      const first = found.get(name);
      if (first) {
        const message = `cannot declare the action ${name} twice: it is already declared at ${formatPlace(first.place([]))}; keep one of them`;
        problems.push({ ...problemAt(place([]), message), action: name });
      } else
        found.set(name, { name, server: null, input: input.data, place, folder: () => sourceFolder(source) });
    }
  return { actions: [...found.values()], problems };
}

export function actionProblems(
  actions: readonly DeclaredAction[],
  servers: readonly DeclaredServer[],
  facts: Omit<TemplateFacts, "port" | "name">,
): Diagnostic[] {
  const byName = new Map(servers.map((server) => [server.name, server]));
  return actions.flatMap((action) => {
    const server = action.server === null ? undefined : byName.get(action.server);
    const problems = [
      ...nameProblems(action),
      ...programProblems(action),
      ...envNameProblems(action.input),
      ...unfilledTexts(action.input),
      ...backoffProblems(action),
      ...expandAction(action, server, { ...facts, port: server?.input.port === "none" ? null : 65535 })
        .problems,
    ];
    return problems.map((problem) => located(action, problem));
  });
}

function located(action: DeclaredAction, { path, message, severity = "error" }: ServerProblem): Diagnostic {
  return { severity, message, ...aboutAction(action), ...action.place(path) };
}

/**
 * Templates of an action mean what they mean in its server, whose variables have the values that they have there
 * (`facts.baseEnv`, once those are known). One that stands alone has no port.
 */
export function expandAction(
  { name, input }: DeclaredAction,
  server: DeclaredServer | undefined,
  facts: Omit<TemplateFacts, "name">,
): Pick<Expanded, "args" | "env" | "problems"> {
  const given = Object.entries(server?.input.env ?? {});
  const texts = given.filter((variable): variable is [string, string] => typeof variable[1] === "string");
  const references = given.filter(([, value]) => typeof value !== "string");
  const standing = server === undefined ? { port: null, standsAlone: true } : {};
  return expandTemplates(
    {
      args: input.args,
      env: { ...Object.fromEntries(references), ...input.env },
      readiness: undefined,
      liveness: undefined,
    },
    {
      ...facts,
      ...standing,
      name: server?.name ?? name,
      baseEnv: { ...Object.fromEntries(texts), ...facts.baseEnv },
    },
  );
}

function nameProblems({ name, server }: DeclaredAction): ServerProblem[] {
  if (server === null || name !== MAIN_ACTION) return [];
  const message = `cannot name an action ${MAIN_ACTION}: that is the name of jobs of the server's own program; choose another name`;
  return [{ path: [], message }];
}

function programProblems({ input: { command, script, interpreter } }: DeclaredAction): ServerProblem[] {
  if (command === undefined && script === undefined)
    return [{ path: [], message: "cannot run an action without a program: write its command, or a script" }];
  if (command !== undefined && script !== undefined)
    return [{ path: ["script"], message: "cannot run both a command and a script: keep one of them" }];
  if (script === undefined)
    return interpreter === undefined
      ? []
      : [
          {
            path: ["interpreter"],
            message: "cannot use an interpreter with a command: make the interpreter the command",
          },
        ];
  if (interpreter !== undefined || shebangOf(script) !== undefined) return [];
  const message =
    "cannot tell what runs the script: begin it with a line such as #!/bin/sh, or set its interpreter";
  return [{ path: ["script"], message }];
}

/** What a script's first line names: a program, and the rest of the line as one argument, as the kernel does it. */
export function shebangOf(script: string): readonly [program: string, ...args: string[]] | undefined {
  const [, program, rest] = /^#![ \t]*([^\s]+)[ \t]*([^\n\r]*)/.exec(script) ?? [];
  if (program === undefined) return undefined;
  const argument = rest?.trim() ?? "";
  // `env NAME` is a way to write a bare name, and is found like one.
  if (/\/env$/.test(program) && /^[^\s=-][^\s=]*$/.test(argument)) return [argument];
  return argument === "" ? [program] : [program, argument];
}

function backoffProblems({ input: { retries } }: DeclaredAction): ServerProblem[] {
  if (typeof retries === "number") return [];
  if ((parseDuration(retries.backoffInitial) ?? 0) <= (parseDuration(retries.backoffMax) ?? 0)) return [];
  const message = `cannot wait ${retries.backoffInitial} before the second attempt: the longest wait is ${retries.backoffMax}; shorten this one, or lengthen the other`;
  return [{ path: ["retries", "backoffInitial"], message }];
}

/** The cron library is loaded only if there is a schedule. */
export async function scheduleProblems(actions: readonly DeclaredAction[]): Promise<Diagnostic[]> {
  const scheduled = actions.flatMap((action) => {
    const { schedule } = action.input;
    return schedule === undefined ? [] : [{ action, schedule }];
  });
  if (scheduled.length === 0) return [];
  const { cronFault, timeZoneFault } = await import("./cron.ts");
  return scheduled.flatMap(({ action, schedule }) => {
    const { cron, timeZone } =
      typeof schedule === "string" ? { cron: schedule, timeZone: undefined } : schedule;
    const at = typeof schedule === "string" ? ["schedule"] : ["schedule", "cron"];
    const faults = [
      { path: at, message: cronFault(cron) },
      {
        path: ["schedule", "timeZone"],
        message: timeZone === undefined ? undefined : timeZoneFault(timeZone),
      },
    ];
    return faults.flatMap(({ path, message }) =>
      message === undefined ? [] : [located(action, { path, message })],
    );
  });
}
