import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import type { Repository } from "../../api/ecr";
import { CopiedName, Time } from "../../parts/Values";
import { strings } from "../../strings";

/** The head of a repository's page. */
export function Overview({ repository }: { repository: Repository }) {
  const text = strings.repository.overview;
  const { mutability, on, off } = strings.repositories;
  const { repositoryUri = "", repositoryArn = "", imageTagMutability = "" } = repository;
  const { encryptionType, kmsKey } = repository.encryptionConfiguration ?? {};
  const exclusions = repository.imageTagMutabilityExclusionFilters ?? [];
  return (
    <Container header={<Header variant="h2">{text.title}</Header>}>
      <KeyValuePairs
        columns={2}
        items={[
          { label: text.uri, value: <CopiedName name={repositoryUri} label={text.copyUri} /> },
          { label: text.arn, value: <CopiedName name={repositoryArn} label={text.copyArn} /> },
          { label: text.created, value: <Time time={repository.createdAt} /> },
          { label: text.mutability, value: mutability[imageTagMutability] ?? imageTagMutability },
          ...(exclusions.length === 0
            ? []
            : [{ label: text.exclusions, value: exclusions.map(({ filter }) => filter).join(", ") }]),
          { label: text.encryption, value: encryptionType ?? strings.frame.none },
          ...(kmsKey === undefined ? [] : [{ label: text.kmsKey, value: <CopiedName name={kmsKey} label={text.copyKey} /> }]),
          { label: text.scan, value: repository.imageScanningConfiguration?.scanOnPush === true ? on : off },
        ]}
      />
    </Container>
  );
}
