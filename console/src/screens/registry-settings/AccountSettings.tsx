import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import RadioGroup from "@cloudscape-design/components/radio-group";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import { getAccountSetting } from "../../api/registry";
import { perform } from "../../api/perform";
import { Failure } from "../../parts/Failure";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { accountSettingKey } from "./keys";

const text = strings.registrySettings.account;
const NAMES = ["REGISTRY_POLICY_SCOPE", "BLOB_MOUNTING", "BASIC_SCAN_TYPE_VERSION"] as const;
type Name = (typeof NAMES)[number];

export function AccountSettings() {
  return (
    <Container header={<Header variant="h2">{text.title}</Header>}>
      <SpaceBetween size="l">
        {NAMES.map((name) => (
          <Setting key={name} name={name} />
        ))}
      </SpaceBetween>
    </Container>
  );
}

/** One setting, which is saved when it is chosen. */
function Setting({ name }: { name: Name }) {
  const { label, hint, values } = text[name];
  const query = useQuery({ queryKey: accountSettingKey(name), queryFn: () => getAccountSetting(name) });
  const save = useAction(
    (value: string) => perform({ service: "ecr", operation: "PutAccountSetting", input: { name, value } }),
    { stale: [accountSettingKey(name)], said: () => strings.registrySettings.saved },
  );
  if (query.error !== null) return <Failure error={query.error} retry={() => void query.refetch()} />;
  return (
    <SpaceBetween size="xs">
      <FormField label={label} description={hint}>
        <RadioGroup
          value={query.data ?? null}
          items={Object.entries(values).map(([value, name]) => ({ value, label: name, disabled: query.isPending }))}
          onChange={({ detail }) => save.run(detail.value)}
        />
      </FormField>
      {save.error === undefined ? null : <Failure error={save.error} />}
    </SpaceBetween>
  );
}
