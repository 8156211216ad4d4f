/** Programs of the user that run outside of every sandbox. */
import type { LaunchWorld } from "./launch_world.ts";
import { asUser } from "./world.ts";

/** One of them. Use with `await using`. */
export class Outside implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;

  constructor(
    world: LaunchWorld,
    program: string,
    args: readonly string[],
    env: Record<string, string> = {},
  ) {
    const [start, words] = asUser(world.user, program, args);
    this.#child = new Deno.Command(start, {
      args: [...words],
      env: { PATH: "/usr/bin:/bin", HOME: world.home, ...env },
      clearEnv: true,
      cwd: "/",
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  get pid(): number {
    return this.#child.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }
}
