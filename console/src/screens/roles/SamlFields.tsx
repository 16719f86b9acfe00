import Checkbox from "@cloudscape-design/components/checkbox";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { TrustedEntity } from "../../lib/trust/entity";
import { Field } from "../../parts/Field";
import { strings } from "../../strings";
import { ProviderPicker } from "./ProviderPicker";

interface Props {
  entity: Extract<TrustedEntity, { kind: "saml" }>;
  onChange: (entity: TrustedEntity) => void;
  errorOf: (field: string) => string | undefined;
}

/** Trust in a SAML provider. */
export function SamlFields({ entity, onChange, errorOf }: Props) {
  const text = strings.roles.saml;
  return (
    <SpaceBetween size="m">
      <ProviderPicker
        kind="saml"
        arn={entity.provider}
        onChange={(provider) => onChange({ ...entity, provider })}
        error={errorOf("provider")}
      />
      <Field
        label={text.audience}
        value={entity.audience}
        onChange={(audience) => onChange({ ...entity, audience })}
        error={errorOf("audience")}
      />
      <Checkbox
        checked={entity.tagSession}
        onChange={(event) => onChange({ ...entity, tagSession: event.detail.checked })}
      >
        {text.tagSession}
      </Checkbox>
    </SpaceBetween>
  );
}
