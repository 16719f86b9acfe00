import Button from "@cloudscape-design/components/button";
import Checkbox from "@cloudscape-design/components/checkbox";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { Repository, Tag } from "../../api/ecr";
import { performAll } from "../../api/perform";
import { Loading } from "../../app/Loading";
import type { Change } from "../../lib/commands/change";
import { apiTags, tagDifference } from "../../lib/iam-changes";
import { isExclusion, mutabilityOf, type RepositoryForm } from "../../lib/repository-form";
import { AsCommand } from "../../parts/AsCommand";
import { Failure } from "../../parts/Failure";
import { useFlash } from "../../parts/flash";
import { ReadOnlyPanel } from "../../parts/ReadOnlyPanel";
import { strings } from "../../strings";
import { MutabilityFields } from "./MutabilityFields";
import { TagFields } from "./TagFields";
import { readOnlyKey, readOnlyQuery, repositoryKey, tagsQuery } from "./queries";
import type { TabProps } from "./tabs";

const text = strings.repository.settings;

export default function SettingsTab({ repository, name }: TabProps) {
  const arn = repository.repositoryArn ?? "";
  const tags = useQuery(tagsQuery(name, arn));
  const readOnly = useQuery(readOnlyQuery(name));
  return (
    <SpaceBetween size="l">
      <MutabilitySettings repository={repository} name={name} />
      <ScanSettings repository={repository} name={name} />
      <ReadOnlyPanel query={readOnly} repositoryName={name} stale={[readOnlyKey(name)]} />
      {tags.isPending ? <Loading /> : null}
      {tags.error === null ? null : <Failure error={tags.error} retry={() => void tags.refetch()} />}
      {tags.data === undefined ? null : <ResourceTags key={tags.dataUpdatedAt} name={name} arn={arn} tags={tags.data} />}
    </SpaceBetween>
  );
}

/** A change of the repository, which is read again afterwards. */
function useChange(name: string, changes: Change[]) {
  const queries = useQueryClient();
  const flash = useFlash();
  return useMutation({
    mutationFn: () => performAll(changes),
    onSuccess: async () => {
      flash.success(text.saved);
      await queries.invalidateQueries({ queryKey: repositoryKey(name) });
    },
  });
}

function MutabilitySettings({ repository, name }: TabProps) {
  const [value, setValue] = useState(() => mutabilityFields(repository));
  const input = { repositoryName: name, ...mutabilityOf(value) };
  const changes = [{ service: "ecr", operation: "PutImageTagMutability", input }];
  const save = useChange(name, changes);
  const isValid = value.exclusions.every(isExclusion);
  return (
    <Container
      header={
        <Header
          variant="h2"
          actions={<AsCommand changes={changes} />}
        >
          {text.tags}
        </Header>
      }
      footer={
        <Button disabled={!isValid} loading={save.isPending} onClick={() => save.mutate()}>
          {strings.frame.save}
        </Button>
      }
    >
      <MutabilityFields value={value} onChange={setValue} showErrors />
      {save.error === null ? null : <Failure error={save.error} />}
    </Container>
  );
}

function mutabilityFields(repository: Repository): Pick<RepositoryForm, "mutability" | "exclusions"> {
  return {
    mutability: repository.imageTagMutability?.startsWith("IMMUTABLE") === true ? "IMMUTABLE" : "MUTABLE",
    exclusions: (repository.imageTagMutabilityExclusionFilters ?? []).flatMap(({ filter }) => filter ?? []),
  };
}

function ScanSettings({ repository, name }: TabProps) {
  const [isOn, setIsOn] = useState(repository.imageScanningConfiguration?.scanOnPush === true);
  const input = { repositoryName: name, imageScanningConfiguration: { scanOnPush: isOn } };
  const changes = [{ service: "ecr", operation: "PutImageScanningConfiguration", input }];
  const save = useChange(name, changes);
  return (
    <Container
      header={
        <Header variant="h2" actions={<AsCommand changes={changes} />}>
          {text.scan}
        </Header>
      }
      footer={
        <Button loading={save.isPending} onClick={() => save.mutate()}>
          {strings.frame.save}
        </Button>
      }
    >
      <Checkbox
        checked={isOn}
        description={strings.repositories.form.scanHint}
        onChange={({ detail }) => setIsOn(detail.checked)}
      >
        {strings.repositories.form.scan}
      </Checkbox>
      {save.error === null ? null : <Failure error={save.error} />}
    </Container>
  );
}

function ResourceTags({ name, arn, tags }: { name: string; arn: string; tags: Tag[] }) {
  const [items, setItems] = useState(() => tags.map(({ Key = "", Value = "" }) => ({ key: Key, value: Value })));
  const { gone, set } = tagDifference(
    tags.map(({ Key = "", Value = "" }) => ({ key: Key, value: Value })),
    items,
  );
  const changes: Change[] = [
    ...(set.length === 0
      ? []
      : [{ service: "ecr", operation: "TagResource", input: { resourceArn: arn, tags: apiTags(set) } }]),
    ...(gone.length === 0
      ? []
      : [{ service: "ecr", operation: "UntagResource", input: { resourceArn: arn, tagKeys: gone } }]),
  ];
  const save = useChange(name, changes);
  return (
    <Container
      header={
        <Header variant="h2" actions={<AsCommand changes={changes} />}>
          {text.resourceTags}
        </Header>
      }
      footer={
        <Button
          disabled={items.some(({ key }) => key === "")}
          loading={save.isPending}
          onClick={() => save.mutate()}
        >
          {strings.frame.save}
        </Button>
      }
    >
      <TagFields tags={items} onChange={setItems} />
      {save.error === null ? null : <Failure error={save.error} />}
    </Container>
  );
}
