import { deepStrictEqual } from "node:assert/strict";
import { parseAddress, sessionBusSockets } from "./address.ts";

Deno.test("parseAddress() takes the Unix sockets of an address in order", () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["unix:path=/run/user/1/bus", ["/run/user/1/bus"]],
    ["unix:path=/tmp/a%20b%c3%bc,guid=0f", ["/tmp/a bü"]],
    ["unix:abstract=/tmp/dbus-x", ["\0/tmp/dbus-x"]],
    ["tcp:host=h,port=1;unix:guid=1,path=/b", ["/b"]],
    ["unix:path=/a;unix:path=/b", ["/a", "/b"]],
    ["unix:path=relative", []],
    ["unix:tmpdir=/tmp", []],
    ["autolaunch:", []],
    ["nonsense", []],
    ["unix:path=%2", []],
  ];
  for (const [address, sockets] of cases) {
    deepStrictEqual(parseAddress(address), sockets, address);
  }
});

Deno.test("sessionBusSockets() goes by the variable, else by where systemd puts the bus", () => {
  const sockets = (env: Record<string, string>) =>
    sessionBusSockets({ env, uid: 7 });
  deepStrictEqual(
    sockets({
      DBUS_SESSION_BUS_ADDRESS: "unix:path=/x",
      XDG_RUNTIME_DIR: "/run/me",
    }),
    ["/x"],
  );
  deepStrictEqual(sockets({ XDG_RUNTIME_DIR: "/run/me" }), ["/run/me/bus"]);
  deepStrictEqual(sockets({}), ["/run/user/7/bus"]);
  deepStrictEqual(sockets({ XDG_RUNTIME_DIR: "relative" }), []);
});
