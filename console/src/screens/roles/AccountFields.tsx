import Checkbox from "@cloudscape-design/components/checkbox";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { useSession } from "../../api/current";
import type { TrustedEntity } from "../../lib/trust/entity";
import { Field } from "../../parts/Field";
import { strings } from "../../strings";

interface Props {
  entity: Extract<TrustedEntity, { kind: "account" }>;
  onChange: (entity: TrustedEntity) => void;
  errorOf: (field: string) => string | undefined;
}

/** Trust in accounts, users and roles. */
export function AccountFields({ entity, onChange, errorOf }: Props) {
  const text = strings.roles.account;
  const { account } = useSession();
  const [typed, setTyped] = useState(entity.principals.join(", "));
  return (
    <SpaceBetween size="m">
      <Field
        label={text.label}
        description={text.own(account)}
        constraint={text.hint}
        value={typed}
        error={errorOf("principals")}
        onChange={(value) => {
          setTyped(value);
          onChange({ ...entity, principals: value.split(/[\s,]+/).filter((part) => part !== "") });
        }}
      />
      <Field
        label={text.externalId}
        description={text.externalIdHint}
        value={entity.externalId}
        error={errorOf("externalId")}
        onChange={(externalId) => onChange({ ...entity, externalId })}
        isOptional
      />
      <Checkbox
        checked={entity.mfa}
        description={text.mfaHint}
        onChange={(event) => onChange({ ...entity, mfa: event.detail.checked })}
      >
        {text.mfa}
      </Checkbox>
    </SpaceBetween>
  );
}
