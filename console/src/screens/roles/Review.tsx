import Container from "@cloudscape-design/components/container";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useSession } from "../../api/current";
import { descriptionProblem, nameProblem, pathProblem, sessionSecondsProblem } from "../../lib/names";
import { inlinePolicyOf } from "../../lib/permissions-choice";
import { Field } from "../../parts/Field";
import { TagRows } from "../../parts/iam/TagRows";
import { PolicyText } from "../../parts/PolicyText";
import { sessionText } from "../../parts/Values";
import { strings } from "../../strings";
import type { RoleDraft } from "./role-draft";
import { TrustPreview } from "./TrustPreview";

interface Props {
  draft: RoleDraft;
  onChange: (part: Partial<RoleDraft>) => void;
  isSent: boolean;
}

/** The last step: name and settings, and all that will be made. */
export function Review({ draft, onChange, isSent }: Props) {
  const text = strings.roles;
  const session = useSession();
  const policy = inlinePolicyOf(draft.permissions, session);
  return (
    <SpaceBetween size="l">
      <Container header={<Header>{strings.iam.details}</Header>}>
        <SpaceBetween size="m">
          <Field
            label={text.name}
            value={draft.name}
            onChange={(name) => onChange({ name })}
            constraint={strings.iam.nameHint(64)}
            problem={nameProblem("role", draft.name)}
            isShown={isSent}
          />
          <Field
            label={strings.iam.description}
            value={draft.description}
            onChange={(description) => onChange({ description })}
            problem={descriptionProblem(draft.description)}
            isOptional
          />
          <Field
            label={text.duration}
            value={draft.seconds}
            onChange={(seconds) => onChange({ seconds })}
            constraint={text.durationHint(sessionText(draft.seconds))}
            inputMode="numeric"
            problem={sessionSecondsProblem(Number(draft.seconds))}
          />
          <ExpandableSection headerText={strings.users.advanced}>
            <SpaceBetween size="m">
              <Field
                label={strings.iam.path}
                value={draft.path}
                onChange={(path) => onChange({ path })}
                constraint={strings.iam.pathHint}
                problem={pathProblem(draft.path)}
              />
              <TagRows tags={draft.tags} onChange={(tags) => onChange({ tags })} />
            </SpaceBetween>
          </ExpandableSection>
        </SpaceBetween>
      </Container>
      <Container header={<Header>{text.whoCan}</Header>}>
        <TrustPreview entity={draft.entity} />
        {draft.entity.kind === "custom" ? <PolicyText label={text.preview} value={draft.entity.document} /> : null}
      </Container>
      <Container header={<Header>{strings.iam.permissions.title}</Header>}>
        {policy === undefined ? (
          <div>{draft.permissions.kind === "managed" ? draft.permissions.arns.join(", ") : strings.iam.permissions.none}</div>
        ) : (
          <PolicyText label={draft.permissions.policyName} value={policy} />
        )}
      </Container>
    </SpaceBetween>
  );
}
