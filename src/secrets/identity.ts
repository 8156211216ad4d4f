/**
 * Whose secrets an env gets: random ids that lie where neither a clone nor an archive brings one along. See README.md for the
 * rule.
 */
import { type Dirs, PROJECT_FILE } from "../base/dirs.ts";
import { type AbsPath, basename, join } from "../base/paths.ts";
import { makeDir, randomHex, readText, writeAtomic } from "../os/fs.ts";
import { sha256Hex } from "../os/hash.ts";
import type { Host } from "../os/host.ts";
import { readPrivate, REFUSED, requirePrivateDir } from "../os/private_file.ts";
import { placeFile } from "./own_files.ts";
import { findRepository, type Repository } from "./repository.ts";
import type { EnvFacts, EnvIdentity } from "./types.ts";

/** Where an identity is looked for. */
export interface IdentityPlace {
  readonly host: Host;
  readonly dirs: Dirs;
}

/** An identity, and other slots whose index may speak of it. */
export interface FoundIdentity {
  readonly identity: EnvIdentity;
  /** Where the project had its slot before its clone was moved. */
  readonly formerSlot: AbsPath | undefined;
}

/** Name of the id's file in a slot. */
const SLOT_ID = ".secrets.id";
const ID = /^[0-9a-f]{32}$/;
const MAX_BYTES = 64 * 1024;

/** The identity of an env; undefined when it was never given one, so that it can have no secrets. Writes nothing. Throws `IO`. */
export function findIdentity(
  facts: EnvFacts,
  place: IdentityPlace,
): FoundIdentity | undefined {
  const repository = facts.project && findRepository(facts.project.dir);
  const inClone = repository && idOfClone(repository, place);
  if (inClone !== undefined) {
    const { id, record } = inClone;
    const { subdir } = repository!;
    const former = Object.hasOwn(record.slots, subdir)
      ? join(place.dirs.envs, basename(record.slots[subdir]!))
      : undefined;
    return {
      identity: derive(id, subdir),
      formerSlot: former === facts.slot ? undefined : former,
    };
  }
  const id = readId(join(facts.slot, SLOT_ID), place);
  if (id === undefined || !isOwnSlot(facts)) return undefined;
  return {
    identity: derive(id, facts.project?.dir ?? ""),
    formerSlot: undefined,
  };
}

/**
 * The identity of an env, which gets one when it has none; what it was known by before is told one last time. Call it with the
 * home's lock held; the slot must exist. Throws `IO`.
 */
export function giveIdentity(
  facts: EnvFacts,
  place: IdentityPlace,
): FoundIdentity {
  const found = findIdentity(facts, place);
  const repository = facts.project && findRepository(facts.project.dir);
  const isInSlot = readId(join(facts.slot, SLOT_ID), place) !== undefined;
  if (repository === undefined || (found && isInSlot)) {
    if (found !== undefined) return found;
    placeFile(join(facts.slot, SLOT_ID), newId() + "\n", place.dirs);
  } else {
    registerClone(repository, facts, place);
  }
  const { identity } = findIdentity(facts, place) ?? impossible();
  return { identity, formerSlot: found?.formerSlot };
}

function impossible(): never {
  throw new Error("an identity that was just written is not there");
}

/** 128 bits that stand for the env and tell nothing of its id or its place. */
function derive(id: string, place: string): EnvIdentity {
  return sha256Hex(`${id}\0${place}`).slice(0, 32) as EnvIdentity;
}

function newId(): string {
  return randomHex(16) + randomHex(16);
}

/** Slots are named by a part of a hash: another project could have one of the same name. */
function isOwnSlot({ project, slot }: EnvFacts): boolean {
  if (project === undefined) return true;
  return readText(join(slot, PROJECT_FILE))?.trim() === project.manifest;
}

function readId(
  path: AbsPath,
  { host }: Pick<IdentityPlace, "host">,
): string | undefined {
  const text = readOwn(path, host)?.trim();
  return text !== undefined && ID.test(text) ? text : undefined;
}

function readOwn(path: AbsPath, host: Host): string | undefined {
  const bytes = readPrivate(path, {
    uid: host.uid,
    maxBytes: MAX_BYTES,
    refused: REFUSED.writing,
  });
  return bytes && new TextDecoder().decode(bytes);
}

/** What the home remembers of a clone that has an id. */
interface CloneRecord {
  /** The directory that holds the id. */
  readonly commonDir: string;
  /** Project's directory in the clone → name of its slot. */
  readonly slots: Readonly<Record<string, string>>;
}

/** The id of a clone. Undefined when it has none that this home gave it, or is a copy of one that still has it. */
function idOfClone(
  { commonDir }: Repository,
  place: IdentityPlace,
): { readonly id: string; readonly record: CloneRecord } | undefined {
  const home = homeTag(place);
  const id = home && idFor(home, commonDir, place);
  const record = id && readRecord(id, place);
  if (!id || !record) return undefined;
  const isElsewhere = record.commonDir !== commonDir &&
    idFor(home, record.commonDir as AbsPath, place) === id;
  return isElsewhere ? undefined : { id, record };
}

function registerClone(
  repository: Repository,
  facts: EnvFacts,
  place: IdentityPlace,
): void {
  const { commonDir, subdir } = repository;
  const known = idOfClone(repository, place);
  const id = known?.id ?? newId();
  const slots = { ...known?.record.slots, [subdir]: basename(facts.slot) };
  const record: CloneRecord = { commonDir, slots };
  // First the record: an id that the home does not know counts for nothing.
  const text = JSON.stringify(record) + "\n";
  placeFile(recordPath(id, place), text, place.dirs);
  if (known === undefined) writeId(id, commonDir, place);
}

/** The file that holds the ids of a clone, one line for each home: `<tag of the home> <id>`. */
function idFile(commonDir: AbsPath): AbsPath {
  return join(commonDir, "aenv", "id");
}

function idFor(
  home: string,
  commonDir: AbsPath,
  { host }: IdentityPlace,
): string | undefined {
  const lines = readOwn(idFile(commonDir), host)?.split("\n") ?? [];
  const id = lines.map((line) => line.split(" ")).find(([tag]) => tag === home)
    ?.[1];
  return id !== undefined && ID.test(id) ? id : undefined;
}

function writeId(
  id: string,
  commonDir: AbsPath,
  place: IdentityPlace,
): void {
  const home = homeTag(place) ?? giveHomeTag(place);
  const file = idFile(commonDir);
  makeDir(join(file, ".."), { mayExist: true });
  requirePrivateDir(join(file, ".."), place.host.uid);
  const others = (readOwn(file, place.host) ?? "").split("\n")
    .filter((line) => line !== "" && !line.startsWith(`${home} `));
  writeAtomic(file, [...others, `${home} ${id}`, ""].join("\n"));
}

function homeTagPath({ dirs }: IdentityPlace): AbsPath {
  return join(dirs.secrets, "home-id");
}

function homeTag(place: IdentityPlace): string | undefined {
  return readId(homeTagPath(place), place);
}

function giveHomeTag(place: IdentityPlace): string {
  const tag = newId();
  placeFile(homeTagPath(place), tag + "\n", place.dirs);
  return tag;
}

function recordPath(id: string, { dirs }: IdentityPlace): AbsPath {
  // Named by the hash: who may list the home's files learns no id.
  return join(dirs.secrets, `${sha256Hex(id).slice(0, 32)}.json`);
}

function readRecord(
  id: string,
  place: IdentityPlace,
): CloneRecord | undefined {
  const text = readOwn(recordPath(id, place), place.host);
  if (text === undefined) return undefined;
  try {
    const { commonDir, slots } = JSON.parse(text);
    const isRecord = typeof commonDir === "string" &&
      typeof slots === "object" && slots !== null &&
      Object.values(slots).every((slot) => typeof slot === "string");
    return isRecord ? { commonDir, slots } : undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}
