import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";
import type { ImageDetail } from "../../api/ecr";
import { shortDigest } from "../../lib/format";
import { artifactKind, readManifest } from "../../lib/manifest";
import { repositoryPath } from "../../lib/paths";
import { CodeBlock } from "../../parts/CodeBlock";
import { Failure } from "../../parts/Failure";
import { LinkTo } from "../../parts/LinkTo";
import { Digest, Size, Time } from "../../parts/Values";
import { strings } from "../../strings";
import { Configuration } from "./Configuration";
import { DeleteImages } from "./DeleteImages";
import { ManifestParts } from "./ManifestParts";
import { Referrers } from "./Referrers";
import { ReplicationStatus } from "./ReplicationStatus";
import { TagChips } from "./imageColumns";
import { imageQuery, manifestsQuery } from "./queries";
import type { TabProps } from "./tabs";

interface Props extends TabProps {
  digest: string;
}

/** One image: what it is, its platforms or layers, its configuration, and what refers to it. */
export function ImagePanel({ name, digest, repository }: Props) {
  const text = strings.repository.image;
  const navigate = useNavigate();
  const [isDeleting, setIsDeleting] = useState(false);
  const query = useQuery(imageQuery(name, digest));
  const manifests = useQuery(manifestsQuery(name, [digest]));
  const list = repositoryPath(name, { tab: "images" });
  const json = manifests.data?.get(digest);
  const manifest = json === undefined ? undefined : readManifest(json);
  const isImage = artifactKind(query.data?.imageManifestMediaType, query.data?.artifactMediaType) === "image";
  return (
    <SpaceBetween size="l">
      <LinkTo to={list}>{text.back}</LinkTo>
      <Container
        header={
          <Header
            variant="h2"
            actions={
              <Button disabled={query.data == null} onClick={() => setIsDeleting(true)}>
                {strings.frame.delete}
              </Button>
            }
          >
            {text.title(shortDigest(digest))}
          </Header>
        }
      >
        {query.error === null ? null : <Failure error={query.error} retry={() => void query.refetch()} />}
        {query.data === null ? <Box variant="p">{text.notFound}</Box> : null}
        {query.data == null ? null : (
          <Details
            name={name}
            image={query.data}
            uri={repository.repositoryUri ?? ""}
            isImmutable={repository.imageTagMutability?.startsWith("IMMUTABLE") ?? false}
          />
        )}
      </Container>
      {manifests.error === null ? null : <Failure error={manifests.error} retry={() => void manifests.refetch()} />}
      {manifest === undefined || json === undefined ? null : (
        <ManifestParts name={name} manifest={manifest} json={json} />
      )}
      {manifest?.config === undefined || !isImage ? null : <Configuration name={name} digest={manifest.config.digest} />}
      <Referrers name={name} digest={digest} />
      {query.data == null ? null : <ReplicationStatus name={name} digest={digest} />}
      {isDeleting && query.data != null ? (
        <DeleteImages
          name={name}
          images={[query.data]}
          onClose={(isDeleted) => {
            setIsDeleting(false);
            if (isDeleted) void navigate(list);
          }}
        />
      ) : null}
    </SpaceBetween>
  );
}

interface DetailsProps {
  name: string;
  image: ImageDetail;
  uri: string;
  isImmutable: boolean;
}

function Details({ name, image, uri, isImmutable }: DetailsProps) {
  const { image: text, images } = strings.repository;
  const { imageDigest = "", imageTags = [], subjectManifestDigest: subject } = image;
  const pull = `docker pull ${uri}@${imageDigest}`;
  return (
    <SpaceBetween size="m">
      <KeyValuePairs
        columns={3}
        items={[
          { label: text.digest, value: <Digest digest={imageDigest} /> },
          { label: text.tags, value: <TagChips tags={imageTags} isImmutable={isImmutable} /> },
          {
            label: images.columns.kind,
            value: images.kinds[artifactKind(image.imageManifestMediaType, image.artifactMediaType)],
          },
          { label: text.size, value: <Size bytes={image.imageSizeInBytes} /> },
          { label: images.columns.pushed, value: <Time time={image.imagePushedAt} /> },
          { label: images.columns.pulled, value: <Time time={image.lastRecordedPullTime} missing={images.never} /> },
          { label: text.mediaType, value: image.imageManifestMediaType ?? strings.frame.none },
          { label: text.artifactType, value: image.artifactMediaType ?? strings.frame.none },
          ...(subject === undefined
            ? []
            : [
                {
                  label: text.subject,
                  value: (
                    <LinkTo to={repositoryPath(name, { tab: "images", image: subject })}>{shortDigest(subject)}</LinkTo>
                  ),
                },
              ]),
        ]}
      />
      <div>
        <Box variant="awsui-key-label">{text.pull}</Box>
        <CodeBlock code={pull} label={text.pull} copyLabel={text.copyPull} />
      </div>
    </SpaceBetween>
  );
}
