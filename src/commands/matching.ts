import { EXIT } from "../model/exit-codes.ts";
import { matcher, nothingSelected, partsOf, selector } from "../model/selector.ts";
import { appliedTags } from "../operation/applied-secrets.ts";
import { recordedBackends, recordedProjects } from "../system/projects.ts";
import type { BaseCommand } from "./base.ts";
import { currentProject } from "./configuration.ts";

/**
 * The recorded servers that a pattern or tag selects, in name order: of the current project, of another one as
 * `tools/web-*`. Ends the command if there are none.
 */
export async function matching(
  command: BaseCommand,
  word: string,
  flags: { readonly config?: string | undefined; readonly project?: string | undefined },
) {
  const { project, rest } = partsOf(word);
  const within = project ?? flags.project ?? (await currentProject(command, flags));
  if (within === undefined)
    command.fail(
      EXIT.failed,
      `cannot tell the project of ${word}: no applied configuration was found from here; write PROJECT/${rest}, or '*/${rest}' for all projects`,
    );
  const isMeant = matcher(within);
  const all = recordedProjects(command.state).flatMap((one) =>
    recordedBackends(command.state, one).map((server) => ({
      ...{ project: one, ...server },
      tags: appliedTags(command.state, { project: one, ...server }),
    })),
  );
  const inProject = all.filter((one) => isMeant(one.project));
  const found = inProject.filter(selector(rest));
  if (found.length > 0) return found.map(({ tags: _, ...address }) => address);
  const elsewhere = all.find(selector(rest));
  const hint =
    elsewhere === undefined
      ? nothingSelected(rest, inProject)
      : `project ${within} has none, but ${elsewhere.project} has; write ${elsewhere.project}/${rest}`;
  return command.fail(EXIT.failed, `cannot find servers with ${word}: ${hint}`);
}
