import { dirname, isAbsolute } from "node:path";
import type { Machine } from "../model/machine.ts";
import type { Screen } from "../views/screen.ts";

/** A screen for views of specs: it knows the environment that every program gets, which is not worth showing. */
export async function specScreen(screen: Screen, target?: Machine): Promise<Screen> {
  const { readMachine } = await import("../operation/machine.ts");
  const { givenEnv } = await import("../model/given-env.ts");
  const { ENV } = await import("../config/resolve/elsewhere.ts");
  const machine = target ?? readMachine(process.env);
  const given = (programs: readonly string[]) =>
    givenEnv(
      machine,
      // On another machine, nobody here knows which folder `env` finds a program in.
      programs.filter((path) => isAbsolute(path) && !(target && path === ENV)).map((path) => dirname(path)),
    );
  return { ...screen, given };
}
