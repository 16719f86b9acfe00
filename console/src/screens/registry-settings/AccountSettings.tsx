import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import RadioGroup from "@cloudscape-design/components/radio-group";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import { getAccountSetting } from "../../api/registry";
import { Failure } from "../../parts/Failure";
import { useConfirm } from "../../parts/iam/Confirm";
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

/** One setting, which is saved when its choice is confirmed. */
function Setting({ name }: { name: Name }) {
  const { label, hint, values } = text[name];
  const query = useQuery({ queryKey: accountSettingKey(name), queryFn: () => getAccountSetting(name) });
  const { ask, dialog } = useConfirm([accountSettingKey(name)]);
  const choose = (value: string) =>
    ask({
      title: text.change(label),
      text: text.becomes((values as Record<string, string>)[value] ?? value),
      submit: strings.frame.save,
      changes: [{ service: "ecr", operation: "PutAccountSetting", input: { name, value } }],
      said: strings.registrySettings.saved,
    });
  if (query.error !== null) return <Failure error={query.error} retry={() => void query.refetch()} />;
  return (
    <SpaceBetween size="xs">
      <FormField label={label} description={hint}>
        <RadioGroup
          value={query.data ?? null}
          items={Object.entries(values).map(([value, name]) => ({ value, label: name, disabled: query.isPending }))}
          onChange={({ detail }) => choose(detail.value)}
        />
      </FormField>
      {dialog}
    </SpaceBetween>
  );
}
