import FormField from "@cloudscape-design/components/form-field";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { getOpenIDConnectProvider } from "../../api/iam/providers";
import { issuerUrl, type TrustedEntity } from "../../lib/trust/entity";
import { emptyIssuer, issuerKind, type IssuerKind } from "../../lib/trust/issuers";
import { providerKey } from "../../parts/iam/keys";
import { Field } from "../../parts/Field";
import { strings } from "../../strings";
import { IssuerFields } from "./IssuerFields";
import { ProviderPicker } from "./ProviderPicker";

interface Props {
  entity: Extract<TrustedEntity, { kind: "webIdentity" }>;
  onChange: (entity: TrustedEntity) => void;
  errorOf: (field: string) => string | undefined;
}

const ISSUERS: IssuerKind[] = ["github", "gitlab", "circleci", "buildkite", "kubernetes", "other"];

/** Trust in tokens of an OpenID Connect provider. */
export function WebFields({ entity, onChange, errorOf }: Props) {
  const text = strings.roles.web;
  const provider = useQuery({
    queryKey: providerKey(entity.provider),
    queryFn: () => getOpenIDConnectProvider({ OpenIDConnectProviderArn: entity.provider }),
    enabled: entity.provider !== "",
  });
  const audience = provider.data?.ClientIDList?.[0];
  // The provider's first client id is offered once for each provider, and only while there is no other answer.
  const offered = useRef("");
  useEffect(() => {
    if (audience === undefined || entity.audience !== "" || offered.current === entity.provider) return;
    offered.current = entity.provider;
    onChange({ ...entity, audience });
  }, [audience, entity, onChange]);
  const options = ISSUERS.map((value) => ({ value, label: text.issuers[value] }));
  const url = issuerUrl(entity.provider);
  return (
    <SpaceBetween size="m">
      <ProviderPicker
        kind="oidc"
        arn={entity.provider}
        onChange={(arn) => {
          const kind = issuerKind(issuerUrl(arn));
          const issuer = kind === entity.issuer.kind ? entity.issuer : emptyIssuer(kind, issuerUrl(arn));
          onChange({ ...entity, provider: arn, audience: "", issuer });
        }}
        error={errorOf("provider")}
      />
      <Field
        label={text.audience}
        value={entity.audience}
        onChange={(value) => onChange({ ...entity, audience: value })}
        error={errorOf("audience")}
      />
      <FormField label={text.issuer}>
        <Select
          options={options}
          selectedOption={options.find(({ value }) => value === entity.issuer.kind) ?? null}
          onChange={(event) => {
            const kind = ISSUERS.find((known) => known === event.detail.selectedOption.value) ?? "other";
            onChange({ ...entity, issuer: emptyIssuer(kind, url) });
          }}
        />
      </FormField>
      <IssuerFields
        issuer={entity.issuer}
        onChange={(issuer) => onChange({ ...entity, issuer })}
        errorOf={errorOf}
      />
    </SpaceBetween>
  );
}
