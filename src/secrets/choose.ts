/** Where values are kept: what the user says, else the keyring. There is no falling back from one to the other. */
import type { Dirs } from "../base/dirs.ts";
import { AppError } from "../base/errors.ts";
import { Var } from "../base/env_vars.ts";
import { join } from "../base/paths.ts";
import { quote } from "../base/text.ts";
import type { Host } from "../os/host.ts";
import { fileBackend } from "./file_backend.ts";
import { linuxKeyring } from "./keyring_linux.ts";
import { macosKeyring } from "./keyring_macos.ts";
import { unavailable } from "./keyring_errors.ts";
import type { Backend, BackendName } from "./types.ts";

const VALUES_FILE = "values.json";

/** The backend of this user. Throws `CONFIG_INVALID` for another word in `$AENV_SECRET_BACKEND`. */
export function chooseBackend(
  { host, dirs, configured }: {
    readonly host: Host;
    readonly dirs: Dirs;
    readonly configured: BackendName | undefined;
  },
): Backend {
  const chosen = host.env[Var.secretBackend] || configured || "keyring";
  if (chosen === "file") {
    return fileBackend(join(dirs.secrets, VALUES_FILE), host);
  }
  if (chosen !== "keyring") {
    throw new AppError(
      "CONFIG_INVALID",
      `Cannot keep secrets in ${
        quote(chosen)
      }: $${Var.secretBackend} is "keyring" or "file"`,
      { hint: `Set it: export ${Var.secretBackend}=keyring` },
    );
  }
  switch (host.os) {
    case "linux":
      return linuxKeyring(host);
    case "darwin":
      return macosKeyring(host);
    case "windows":
      return noKeyring();
  }
}

/** On Windows every use says so. */
function noKeyring(): Backend {
  function refuse(): Promise<never> {
    return Promise.reject(
      unavailable("all secrets", "this system has no keyring that aenv knows", {
        hint: "Use another system",
      }),
    );
  }
  return {
    name: "keyring",
    read: refuse,
    write: refuse,
    remove: refuse,
    keys: refuse,
  };
}
