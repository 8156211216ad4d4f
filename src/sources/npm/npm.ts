/** Packages of an npm registry. */
import ssri from "ssri";
import { AppError } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";
import type { NpmPin, NpmSpec, SourceContext } from "../source.ts";
import { type Download, Web } from "../web.ts";
import {
  explaining,
  findVersion,
  registryFor,
  tarballUrl,
} from "./registry.ts";

/** The version that is meant now. Throws `SOURCE_*`. */
export async function resolveNpm(
  spec: NpmSpec,
  context: SourceContext,
): Promise<NpmPin> {
  const { name } = spec;
  const registry = registryFor(name, spec.registry, context);
  const found = await findVersion(spec, registry, context);
  const { version, integrity, tarball } = found;
  if (found.deprecated !== undefined) {
    context.progress({
      type: "warning",
      text: `${name}@${version} is deprecated: ${found.deprecated}`,
    });
  }
  const own = spec.registry === undefined ? {} : { registry: spec.registry };
  return { kind: "npm", name, version, integrity, tarball, ...own };
}

/** The tarball of a pinned version, with the pinned hash. Throws `SOURCE_MISMATCH`, `SOURCE_*`. */
export async function downloadNpm(
  pin: NpmPin,
  context: SourceContext,
): Promise<Download> {
  const { name, version } = pin;
  const what = `${name}@${version}`;
  const registry = registryFor(name, pin.registry, context);
  const tarball = pin.tarball ?? await findTarball(pin, context);
  context.progress({ type: "step", text: `fetching ${what}` });
  using web = new Web(context, registry.settings);
  const wanted = ssri.parse(pin.integrity);
  const algorithm = wanted.pickAlgorithm() as string;
  const url = tarballUrl(tarball, registry);
  const saved = await explaining(
    registry,
    name,
    () => web.download(url, { algorithms: [algorithm] }),
  );
  const digest = saved.digest(algorithm, "base64");
  if (!ssri.parse(`${algorithm}-${digest}`).match(wanted)) {
    throw mismatch(what, pin.integrity, `${algorithm}-${digest}`);
  }
  return saved;
}

/** The registry must not have another hash for a version than the pin: versions never change. */
async function findTarball(
  pin: NpmPin,
  context: SourceContext,
): Promise<string> {
  const { name, version } = pin;
  const registry = registryFor(name, pin.registry, context);
  const spec = { name, wanted: version };
  const found = await findVersion(spec, registry, context);
  const known = ssri.parse(found.integrity);
  const pinned = ssri.parse(pin.integrity);
  const isSameKind = known.pickAlgorithm() === pinned.pickAlgorithm();
  if (isSameKind && !known.match(pinned)) {
    throw mismatch(`${name}@${version}`, pin.integrity, found.integrity);
  }
  return found.tarball;
}

function mismatch(what: string, pinned: string, found: string): AppError {
  return new AppError(
    "SOURCE_MISMATCH",
    `Cannot take the package ${
      quote(what)
    }: the lock has ${pinned}, the registry ${found}`,
    {
      hint:
        "A published version never changes: ask who published it, or move the pin: aenv update",
    },
  );
}
