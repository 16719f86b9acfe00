import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { shortDigest } from "../../lib/format";
import type { Descriptor, Manifest } from "../../lib/manifest";
import { repositoryPath } from "../../lib/paths";
import { CodeBlock } from "../../parts/CodeBlock";
import { LinkTo } from "../../parts/LinkTo";
import { Digest, Size } from "../../parts/Values";
import { strings } from "../../strings";

interface Props {
  name: string;
  manifest: Manifest;
  json: string;
}

/** What a manifest names: platforms, layers and annotations. All of it is text that a pusher wrote. */
export function ManifestParts({ name, manifest, json }: Props) {
  const text = strings.repository.image;
  return (
    <SpaceBetween size="l">
      {manifest.children.length === 0 ? null : <Platforms name={name} items={manifest.children} />}
      {manifest.layers.length === 0 ? null : (
        <Table
          items={manifest.layers}
          header={<Header variant="h2">{text.layers}</Header>}
          ariaLabels={{ tableLabel: text.layersCaption }}
          wrapLines
          columnDefinitions={[
            { id: "digest", header: text.layer, isRowHeader: true, cell: ({ digest }) => <Digest digest={digest} /> },
            { id: "size", header: text.size, cell: ({ size }) => <Size bytes={size} /> },
            { id: "type", header: text.mediaTypeColumn, cell: ({ mediaType }) => mediaType },
          ]}
        />
      )}
      {manifest.annotations.length === 0 ? null : (
        <Pairs title={text.annotations} caption={text.annotationsCaption} items={manifest.annotations} />
      )}
      <ExpandableSection headerText={text.manifest} variant="container">
        <CodeBlock code={json} label={text.manifest} copyLabel={text.copyManifest} />
      </ExpandableSection>
    </SpaceBetween>
  );
}

function Platforms({ name, items }: { name: string; items: Descriptor[] }) {
  const text = strings.repository.image;
  return (
    <Table
      items={items}
      header={<Header variant="h2">{text.platforms}</Header>}
      ariaLabels={{ tableLabel: text.platforms }}
      wrapLines
      columnDefinitions={[
        {
          id: "platform",
          header: text.platform,
          isRowHeader: true,
          cell: ({ platform, digest }) => (
            <LinkTo
              to={repositoryPath(name, { tab: "images", image: digest })}
              ariaLabel={`${platform ?? text.noPlatform} ${shortDigest(digest)}`}
            >
              {platform ?? text.noPlatform}
            </LinkTo>
          ),
        },
        { id: "digest", header: text.digest, cell: ({ digest }) => <Digest digest={digest} /> },
        { id: "size", header: text.manifestSize, cell: ({ size }) => <Size bytes={size} /> },
      ]}
    />
  );
}

interface PairsProps {
  title: string;
  caption: string;
  items: [string, string][];
}

/** A table of keys and values. */
export function Pairs({ title, caption, items }: PairsProps) {
  const text = strings.repository.image;
  return (
    <Table
      items={items}
      header={<Header variant="h2">{title}</Header>}
      ariaLabels={{ tableLabel: caption }}
      wrapLines
      columnDefinitions={[
        { id: "key", header: text.key, isRowHeader: true, cell: ([key]) => key },
        { id: "value", header: text.value, cell: ([, value]) => value },
      ]}
    />
  );
}
