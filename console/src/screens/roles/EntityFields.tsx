import FormField from "@cloudscape-design/components/form-field";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Tiles from "@cloudscape-design/components/tiles";
import { emptyEntity, SERVICES, type EntityKind, type TrustedEntity } from "../../lib/trust/entity";
import { fieldProblems } from "../../lib/trust/review";
import { PolicyEdit } from "../../parts/PolicyText";
import { Field } from "../../parts/Field";
import { strings } from "../../strings";
import { AccountFields } from "./AccountFields";
import { SamlFields } from "./SamlFields";
import { WebFields } from "./WebFields";

interface Props {
  entity: TrustedEntity;
  onChange: (entity: TrustedEntity) => void;
  isSent: boolean;
}

const KINDS: EntityKind[] = ["service", "account", "webIdentity", "saml", "custom"];

/** Who may assume the role: a tile for each kind, and what its trust policy needs. */
export function EntityFields({ entity, onChange, isSent }: Props) {
  const text = strings.roles;
  const problems = fieldProblems(entity);
  const errorOf = (field: string): string | undefined => {
    const problem = problems.find((found) => found.field === field);
    const isShown = problem !== undefined && (isSent || problem.kind === "characters");
    return isShown ? text.fieldProblem(problem) : undefined;
  };
  return (
    <SpaceBetween size="l">
      <FormField label={text.trusted} stretch>
        <Tiles
          ariaLabel={text.trusted}
          value={entity.kind}
          columns={3}
          items={KINDS.map((kind) => ({ value: kind, label: text.kinds[kind], description: text.kindHints[kind] }))}
          onChange={(event) => onChange(emptyEntity(KINDS.find((kind) => kind === event.detail.value) ?? "service"))}
        />
      </FormField>
      {entity.kind === "service" ? (
        <Field
          label={text.service.label}
          value={entity.services.join(", ")}
          constraint={entity.services.includes(SERVICES[0]) ? text.service.hint : ""}
          error={errorOf("services")}
          onChange={(value) => onChange({ ...entity, services: list(value) })}
        />
      ) : null}
      {entity.kind === "account" ? <AccountFields entity={entity} onChange={onChange} errorOf={errorOf} /> : null}
      {entity.kind === "webIdentity" ? <WebFields entity={entity} onChange={onChange} errorOf={errorOf} /> : null}
      {entity.kind === "saml" ? <SamlFields entity={entity} onChange={onChange} errorOf={errorOf} /> : null}
      {entity.kind === "custom" ? (
        <PolicyEdit
          kind="trust"
          label={text.preview}
          value={entity.document}
          error={errorOf("document")}
          onChange={(document) => onChange({ ...entity, document })}
        />
      ) : null}
    </SpaceBetween>
  );
}

/** The parts of a text with commas between; an empty last part stays while the person types. */
export function list(text: string): string[] {
  return text === "" ? [] : text.split(",").map((part) => part.trim());
}
