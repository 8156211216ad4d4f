import assert from "node:assert/strict";
import "../../tests/support/open_libc.ts";
import { TempDir } from "../../tests/support/temp.ts";
import { readSeen, watchDirs } from "./dir_watch.ts";
import { closeDescriptor } from "./fds.ts";

const linux = { ignore: Deno.build.os !== "linux" };

Deno.test(
  "watchDirs() tells what was made and taken away again, and not what was read or written",
  linux,
  () => {
    using dir = new TempDir();
    const [a, b] = ["a", "b"].map((name) => `${dir.path}/${name}`) as [
      string,
      string,
    ];
    Deno.mkdirSync(a);
    Deno.mkdirSync(b);
    Deno.writeTextFileSync(`${a}/old`, "");
    const fd = watchDirs([a, b])!;
    Deno.writeTextFileSync(`${a}/old`, "more");
    Deno.readTextFileSync(`${a}/old`);
    Deno.writeTextFileSync(`${a}/new`, "");
    Deno.removeSync(`${a}/new`);
    Deno.renameSync(`${a}/old`, `${b}/moved`);
    assert.deepEqual(readSeen(fd), {
      seen: [{ dir: 0, name: "new" }, { dir: 0, name: "old" }, {
        dir: 1,
        name: "moved",
      }],
      isPartial: false,
    });
    assert.deepEqual(readSeen(fd).seen, []);
    closeDescriptor(fd);
  },
);

Deno.test("watchDirs() says that it saw not all", linux, () => {
  // In memory: elsewhere as many changes take seconds.
  const dir = { path: Deno.makeTempDirSync({ dir: "/dev/shm" }) };
  const fd = watchDirs([dir.path])!;
  const most = Deno.readTextFileSync(
    "/proc/sys/fs/inotify/max_queued_events",
  );
  const program =
    "import os, sys\nfor i in range(int(sys.argv[2])): os.mkdir(sys.argv[1]); os.rmdir(sys.argv[1])";
  new Deno.Command("python3", {
    args: ["-c", program, `${dir.path}/x`, most.trim()],
  }).outputSync();
  assert.equal(readSeen(fd).isPartial, true);
  closeDescriptor(fd);
  Deno.removeSync(dir.path);
});

Deno.test(
  "watchDirs() watches nothing where a directory is missing, or named twice",
  linux,
  () => {
    using dir = new TempDir();
    assert.equal(watchDirs([dir.path, `${dir.path}/missing`]), undefined);
    assert.equal(watchDirs([dir.path, `${dir.path}/.`]), undefined);
    assert.equal(watchDirs([]), undefined);
  },
);
