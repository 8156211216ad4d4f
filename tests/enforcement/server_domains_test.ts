/** Domains of MCP servers: what `[mcp.NAME.sandbox]` says holds for them, and gives the agent nothing. */
import assert from "node:assert/strict";
import { launchClaim } from "./launch_world.ts";
import { Servers } from "./servers.ts";

const OWN = `
[mcp.s]
command = "true"
[mcp.s.sandbox]
`;

launchClaim(
  "a server that may read the project changes nothing in it",
  async (world) => {
    // Guards: a server that is given a repository to look at, and plants a hook or a build script.
    assert.equal(await world.shell("cat file", { server: "s" }), "a file");
    await world.refuses({
      write: "echo x > file",
      make: "echo x > new",
      directory: "mkdir dir",
      remove: "mv file other && mv other file",
      hook: "echo x > .git/hooks/post-checkout",
    }, {
      server: "s",
      check: () =>
        assert.equal(world.read("home/work/project/file"), "a file\n"),
    });
    // The agent of the same env may.
    assert.equal(await world.shell("echo y > mine; cat mine"), "y");
  },
  `${OWN}project = "read"`,
);

launchClaim(
  "a server without the project sees nothing of it",
  async (world) => {
    // Guards: a server for one service that reads all the source code.
    const project = world.project;
    await world.refuses({
      read: `cat ${project}/file`,
      list: `ls ${project}`,
      git: `cat ${project}/.git/HEAD`,
      write: `echo x > ${project}/new`,
    }, { server: "s" });
  },
  `${OWN}project = "none"`,
);

launchClaim(
  "what is taken from a server is not there, and what it is given is not the agent's",
  async (world) => {
    // Guards: grants of one domain that count in another.
    world.file("home/data/file", "the env's\n");
    world.file("home/keep/file", "the server's\n");
    world.own();
    const [ours, its] = ["data", "keep"].map((name) => `cat ~/${name}/file`);
    await world.refuses({ ours: ours! }, { server: "s" });
    await world.refuses({ its: its! });
    assert.equal(await world.shell(ours!), "the env's");
    assert.equal(await world.shell(its!, { server: "s" }), "the server's");
  },
  `paths = ["~/data:ro"]${OWN}paths = ["~/keep:ro"]`,
);

launchClaim(
  "a server without a network has none while the agent's is open",
  async (world) => {
    // Guards: a server with a key that sends it somewhere.
    using servers = new Servers();
    const port = servers.tcp("127.0.0.1", "outside");
    const words = `$attack connect-tcp 127.0.0.1 ${port}`;
    assert.match(await world.shell(words), /^done/);
    assert.doesNotMatch(await world.shell(words, { server: "s" }), /^done/);
  },
  `${OWN}network = "none"`,
);

launchClaim(
  "neither the agent nor another server finds a server's caches and temporary files",
  async (world) => {
    // Guards: a package in a cache that runs with another server's secret.
    const inOne = { server: "s" };
    const dirs = await world.shell(
      "echo secret > $TMPDIR/f; mkdir -p $npm_config_cache; echo evil > $npm_config_cache/f; echo $TMPDIR/f $npm_config_cache/f",
      inOne,
    );
    const [temporary, cached] = dirs.split(" ");
    const commands = {
      read: `cat ${temporary}`,
      replace: `echo x >> ${cached}`,
      list: `ls $(dirname ${cached})`,
    };
    await world.refuses(commands, { server: "t" });
    await world.refuses(commands);
  },
  `${OWN}
[mcp.t]
command = "true"
[mcp.t.sandbox]`,
);
