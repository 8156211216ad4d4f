/** A session bus with a real keyring on it: dbus-daemon and gnome-keyring, for one test. */

import { type Finished, run, waitFor } from "./process.ts";
import { TempDir } from "./temp.ts";

const SERVICE = "org.freedesktop.secrets";
const COLLECTION = "/org/freedesktop/secrets/collection/login";

/** What is on the bus. */
export interface SessionBusOptions {
  /** `none`: no keyring, and none that the bus would start. */
  readonly keyring?: "unlocked" | "none";
}

/** A bus of our own. Use with `await using`. */
export class SessionBus implements AsyncDisposable {
  readonly #temp = new TempDir();
  readonly #children: Deno.ChildProcess[] = [];
  /** HOME of the keyring. */
  readonly home = this.#temp.path;
  /** What programs need to find the bus. No display: nobody can be asked. */
  readonly env: Readonly<Record<string, string>> = {
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${this.#temp.path}/bus`,
    XDG_RUNTIME_DIR: this.#temp.path,
  };

  static async start(options: SessionBusOptions = {}): Promise<SessionBus> {
    const bus = new SessionBus();
    try {
      await bus.#startBus();
      if (options.keyring !== "none") await bus.#startKeyring();
    } catch (error) {
      await bus[Symbol.asyncDispose]();
      throw error;
    }
    return bus;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children.toReversed()) {
      child.kill("SIGKILL");
      await child.status;
    }
    this.#temp[Symbol.dispose]();
  }

  /** Runs a program of the desktop with this bus. */
  run(program: string, args: readonly string[], stdin = ""): Promise<Finished> {
    const env = { ...this.env, HOME: this.home, PATH: "/usr/bin:/bin" };
    return run(`/usr/bin/${program}`, args, { env, cwd: this.home, stdin });
  }

  /** Locks the keyring, as a desktop does after a while. */
  async lock(): Promise<void> {
    await this.#send("/org/freedesktop/secrets", [
      "org.freedesktop.Secret.Service.Lock",
      `array:objpath:${COLLECTION}`,
    ]);
  }

  /** Ends everything on the bus, and the bus. */
  async stop(): Promise<void> {
    for (const child of this.#children.splice(0).toReversed()) {
      child.kill("SIGKILL");
      await child.status;
    }
  }

  async #startBus(): Promise<void> {
    const config = `${this.home}/bus.conf`;
    // The machine's own would start a keyring for whoever asks.
    await Deno.writeTextFile(
      config,
      `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=${this.home}/bus</listen>
  <servicedir>${this.home}/services</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`,
    );
    await Deno.mkdir(`${this.home}/services`);
    await Deno.writeTextFile(
      `${this.home}/services/prompter.service`,
      `[D-BUS Service]
Name=org.gnome.keyring.SystemPrompter
Exec=/bin/false
`,
    );
    this.#spawn("dbus-daemon", [`--config-file=${config}`, "--nofork"]);
    await waitFor("the bus listens", async () => {
      const { code } = await this.run("dbus-send", [
        "--session",
        "--print-reply",
        "--dest=org.freedesktop.DBus",
        "/",
        "org.freedesktop.DBus.GetId",
      ]);
      return code === 0 ? true : undefined;
    });
  }

  async #startKeyring(): Promise<void> {
    const child = this.#spawn("gnome-keyring-daemon", [
      "--foreground",
      "--unlock",
      "--components=secrets",
    ]);
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode("password of the keyring"));
    await writer.close();
    await waitFor("the keyring is unlocked", async () => {
      const { stdout } = await this.run("dbus-send", [
        "--session",
        "--print-reply",
        `--dest=${SERVICE}`,
        "/org/freedesktop/secrets",
        "org.freedesktop.Secret.Service.ReadAlias",
        "string:default",
      ]);
      return stdout.includes(COLLECTION) ? true : undefined;
    });
  }

  async #send(path: string, words: readonly string[]): Promise<void> {
    const { code, stderr } = await this.run("dbus-send", [
      "--session",
      "--print-reply",
      `--dest=${SERVICE}`,
      path,
      ...words,
    ]);
    if (code !== 0) throw new Error(stderr);
  }

  #spawn(program: string, args: readonly string[]): Deno.ChildProcess {
    const child = new Deno.Command(`/usr/bin/${program}`, {
      args: [...args],
      clearEnv: true,
      env: { ...this.env, HOME: this.home, PATH: "/usr/bin:/bin" },
      cwd: this.home,
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#children.push(child);
    return child;
  }
}
