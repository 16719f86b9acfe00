import { expect, test } from "vitest";
import { artifactKind, readConfiguration, readManifest } from "./manifest";

test("reads the platforms of an index", () => {
  const index = readManifest(
    JSON.stringify({
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: [
        { digest: "sha256:a", size: 7, platform: { os: "linux", architecture: "arm64", variant: "v8" } },
        { digest: "sha256:b", size: 8, platform: { os: "unknown", architecture: "unknown" } },
      ],
    }),
  );
  expect(index?.children.map((child) => [child.digest, child.platform])).toEqual([
    ["sha256:a", "linux/arm64/v8"],
    ["sha256:b", undefined],
  ]);
});

test("reads layers of both schemas, the base first", () => {
  const layers = (value: object) => readManifest(JSON.stringify(value))?.layers.map((layer) => layer.digest);
  expect(layers({ layers: [{ digest: "sha256:a" }, { digest: "sha256:b" }] })).toEqual(["sha256:a", "sha256:b"]);
  expect(layers({ fsLayers: [{ blobSum: "sha256:b" }, { blobSum: "sha256:a" }] })).toEqual(["sha256:a", "sha256:b"]);
});

test("reads what is of another type as missing", () => {
  const odd = readManifest('{"layers":{"digest":1},"annotations":[1],"subject":7,"config":null,"manifests":[null,1]}');
  expect(odd).toMatchObject({ layers: [], annotations: [], subject: undefined, config: undefined, children: [] });
  expect(readManifest("<script>")).toBeUndefined();
  expect(readManifest("[]")).toBeUndefined();
  expect(readConfiguration('"x"')).toBeUndefined();
  expect(readConfiguration('{"config":1,"history":[1],"os":{}}')).toMatchObject({ entries: [], history: [] });
});

test("keeps markup as text", () => {
  const text = '<img src=x onerror="alert(1)">';
  expect(readManifest(JSON.stringify({ annotations: { [text]: text } }))?.annotations).toEqual([[text, text]]);
});

test("names artifacts by their media types", () => {
  const oci = "application/vnd.oci.image.manifest.v1+json";
  expect(artifactKind("application/vnd.docker.distribution.manifest.list.v2+json", undefined)).toBe("index");
  expect(artifactKind(oci, "application/vnd.cncf.helm.config.v1+json")).toBe("helm");
  expect(artifactKind(oci, "application/vnd.dev.cosign.artifact.sig.v1+json")).toBe("signature");
  expect(artifactKind(oci, "application/spdx+json")).toBe("sbom");
  expect(artifactKind(oci, "application/vnd.in-toto+json")).toBe("attestation");
  expect(artifactKind(oci, "application/vnd.docker.container.image.v1+json")).toBe("image");
  expect(artifactKind(oci, "application/x-other")).toBe("artifact");
});

test("reads a configuration and its history", () => {
  const configuration = readConfiguration(
    JSON.stringify({
      os: "linux",
      architecture: "amd64",
      config: { Entrypoint: ["/app", "--serve"], Env: ["A=1"], Labels: { a: "b" }, User: "" },
      history: [{ created_by: "COPY app /app" }, { created_by: "ENV A=1", empty_layer: true }],
    }),
  );
  expect(configuration?.platform).toBe("linux/amd64");
  expect(configuration?.entries).toEqual([
    ["Entrypoint", "/app --serve"],
    ["Env", "A=1"],
    ["Label a", "b"],
  ]);
  expect(configuration?.history.map((step) => step.isEmpty)).toEqual([false, true]);
});
