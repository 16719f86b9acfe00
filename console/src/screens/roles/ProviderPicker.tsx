import FormField from "@cloudscape-design/components/form-field";
import Select from "@cloudscape-design/components/select";
import { useChoices } from "../../parts/useChoices";
import { listOpenIDConnectProviders, listSAMLProviders } from "../../api/iam/providers";
import { Failure } from "../../parts/Failure";
import { listKey } from "../../parts/iam/keys";
import { LinkTo } from "../../parts/LinkTo";
import { strings } from "../../strings";

interface Props {
  kind: "oidc" | "saml";
  arn: string;
  onChange: (arn: string) => void;
  error: string | undefined;
}

async function arnsOf(kind: "oidc" | "saml"): Promise<string[]> {
  if (kind === "saml") return ((await listSAMLProviders({})).SAMLProviderList ?? []).flatMap(({ Arn }) => Arn ?? []);
  const answer = await listOpenIDConnectProviders({});
  return (answer.OpenIDConnectProviderList ?? []).flatMap(({ Arn }) => Arn ?? []);
}

/** Chooses one of the account's identity providers. */
export function ProviderPicker({ kind, arn, onChange, error }: Props) {
  const text = strings.roles.web;
  const found = useChoices({ queryKey: [...listKey("providers"), kind], queryFn: () => arnsOf(kind) });
  if (found.error !== null) return <Failure error={found.error} />;
  const options = (found.data ?? []).map((value) => ({ value, label: value.replace(/^.*:(oidc|saml)-provider\//, "") }));
  return (
    <FormField
      label={text.provider}
      errorText={error}
      secondaryControl={<LinkTo to={`/identity-providers/create?kind=${kind}`}>{text.createProvider}</LinkTo>}
      stretch
    >
      <Select
        options={options}
        selectedOption={options.find(({ value }) => value === arn) ?? null}
        onChange={(event) => onChange(event.detail.selectedOption.value ?? "")}
        statusType={found.isPending ? "loading" : "finished"}
        loadingText={strings.iam.loading}
        empty={text.noProviders}
        placeholder={text.provider}
      />
    </FormField>
  );
}
