import type { Machine } from "../model/machine.ts";
import type { WhenInput } from "../model/server.ts";

/** Whether this is one of the machines that `when` names: each key that is given must match, a list by one of its values. */
export function matches(
  when: WhenInput | undefined,
  machine: Pick<Machine, "os" | "arch" | "host" | "user">,
): boolean {
  const keys = ["os", "arch", "host", "user"] as const;
  return keys.every((key) => {
    const wanted: string | readonly string[] | undefined = when?.[key];
    return wanted === undefined || [wanted].flat().includes(machine[key]);
  });
}
