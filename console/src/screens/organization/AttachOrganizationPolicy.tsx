import type { PolicyType } from "@aws-sdk/client-organizations";
import FormField from "@cloudscape-design/components/form-field";
import Select from "@cloudscape-design/components/select";
import { useQuery } from "@tanstack/react-query";
import { useChoices } from "../../parts/useChoices";
import { useState } from "react";
import { perform } from "../../api/perform";
import { policiesOfType, policyContent } from "../../api/organizations";
import { Failure } from "../../parts/Failure";
import { Dialog } from "../../parts/Dialog";
import { pretty } from "../../parts/iam/InlinePolicy";
import { PolicyText } from "../../parts/PolicyText";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";

interface Props {
  type: PolicyType;
  target: string;
  /** Policies that are attached already. */
  without: string[];
  stale: string[];
  onClose: () => void;
}

/** Attaches a policy of the organization, whose content is shown before. */
export function AttachOrganizationPolicy({ type, target, without, stale, onClose }: Props) {
  const text = strings.organization;
  const [id, setId] = useState("");
  const found = useChoices({ queryKey: ["organization", "offered", type], queryFn: () => policiesOfType(type) });
  const content = useQuery({
    queryKey: ["organization", "content", id],
    queryFn: () => policyContent(id),
    enabled: id !== "",
  });
  const change = { service: "organizations", operation: "AttachPolicy", input: { PolicyId: id, TargetId: target } };
  const attach = useAction(() => perform(change), {
    stale: [stale],
    said: () => text.attached,
    then: onClose,
  });
  const options = (found.data ?? [])
    .filter((policy) => !without.includes(policy.id))
    .map((policy) => ({ value: policy.id, label: policy.name, description: policy.description }));
  return (
    <Dialog
      title={text.attach}
      submit={text.attach}
      onSubmit={() => attach.run(undefined)}
      onClose={onClose}
      isRunning={attach.isRunning}
      isDisabled={id === ""}
      changes={id === "" ? [] : [change]}
      error={attach.error ?? found.error ?? undefined}
      size="large"
    >
      <FormField label={text.policy} stretch>
        <Select
          options={options}
          selectedOption={options.find(({ value }) => value === id) ?? null}
          onChange={(event) => setId(event.detail.selectedOption.value ?? "")}
          filteringType="auto"
          filteringAriaLabel={strings.iam.permissions.findHint}
          statusType={found.isPending ? "loading" : "finished"}
          loadingText={strings.iam.loading}
          empty={text.noOffers}
          placeholder={text.choose}
        />
      </FormField>
      {content.error === null ? null : <Failure error={content.error} />}
      {content.data === undefined ? null : <PolicyText label={text.content} value={pretty(content.data)} />}
    </Dialog>
  );
}
