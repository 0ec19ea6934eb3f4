import { actionKey, parseActionKey } from "../model/action.ts";
import { EXIT } from "../model/exit-codes.ts";
import { DEFAULT_PROJECT, NAME_PATTERN } from "../model/name.ts";
import { nearest } from "../model/nearest.ts";
import type { RpcClient } from "../rpc/client.ts";
import type { ResultOf } from "../rpc/contract.ts";
import type { BaseCommand } from "./base.ts";
import { currentProject } from "./configuration.ts";

type Known = ResultOf<"action_list">[number];

/** Finds `backup` or `web:backup`, optionally with `PROJECT/` before it: in the current project, else in the only one that has it. */
export async function actionNamed(
  command: BaseCommand,
  client: RpcClient,
  text: string,
  flags: { config?: string | undefined },
): Promise<Known["spec"]> {
  const slash = text.indexOf("/");
  const key = text.slice(slash + 1);
  const project = slash < 0 ? {} : { project: text.slice(0, slash) };
  if (parseActionKey(key) === undefined || !NAME_PATTERN.test(project.project ?? DEFAULT_PROJECT))
    command.fail(
      EXIT.usage,
      `cannot read ${JSON.stringify(text)} as an action: write ACTION or SERVER:ACTION, with PROJECT/ before it if needed`,
    );
  const all = await client.call("action_list", project);
  const found = all.filter(({ spec }) => actionKey(spec) === key);
  const current = slash < 0 ? await currentProject(command, flags) : undefined;
  const only = found.length === 1 ? found[0] : found.find(({ spec }) => spec.project === current);
  if (only) return only.spec;
  if (found.length === 0) return unknownAction(command, key, all);
  const names = found.map(({ spec }) => `${spec.project}/${key}`).join(" or ");
  return command.fail(EXIT.usage, `cannot tell which ${key} is meant: write ${names}`);
}

function unknownAction(command: BaseCommand, key: string, all: readonly Known[]): never {
  const guess = nearest(
    key,
    all.map(({ spec }) => actionKey(spec)),
  );
  const wayOut =
    guess === undefined
      ? "`xy run` lists all actions, `xy apply` adds declared ones; to run a command, write it after --"
      : `did you mean ${guess}?`;
  return command.fail(EXIT.failed, `cannot find action ${key}: ${wayOut}`);
}
