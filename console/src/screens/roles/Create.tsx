import Alert from "@cloudscape-design/components/alert";
import Wizard from "@cloudscape-design/components/wizard";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useSession } from "../../api/current";
import { choiceProblems, hasProblems } from "../../lib/permissions-choice";
import { fieldProblems } from "../../lib/trust/review";
import { AsCommand } from "../../parts/AsCommand";
import { Failure } from "../../parts/Failure";
import { listKey } from "../../parts/iam/keys";
import { LinkButton } from "../../parts/iam/LinkButton";
import { PermissionsFields } from "../../parts/iam/PermissionsFields";
import { WizardPage } from "../../parts/iam/WizardPage";
import { Page } from "../../parts/Page";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { EntityFields } from "./EntityFields";
import { Review } from "./Review";
import { emptyRole, isNamed, makeRole, roleChanges } from "./role-draft";
import { TrustPreview } from "./TrustPreview";

/** The wizard: who may assume the role, what it may do, its name. */
export default function CreateRole() {
  const text = strings.roles;
  const session = useSession();
  const navigate = useNavigate();
  const [draft, setDraft] = useState(emptyRole);
  const [step, setStep] = useState(0);
  const [isSent, setIsSent] = useState(false);
  const to = `/roles/${encodeURIComponent(draft.name)}`;
  const [failure, setFailure] = useState<unknown>();
  const create = useAction(() => makeRole(draft, session), {
    stale: [listKey("roles")],
    said: () => text.made(draft.name),
    then: (made) => {
      if (made.failure === undefined) void navigate(to);
      else setFailure(made.failure);
    },
  });
  const isReady = [
    fieldProblems(draft.entity).length === 0,
    !hasProblems(choiceProblems(draft.permissions)),
    isNamed(draft),
  ];
  const go = (wanted: number) => {
    const stop = isReady.findIndex((ready, at) => !ready && at < wanted);
    setIsSent(stop >= 0);
    setStep(stop >= 0 ? stop : wanted);
  };
  if (failure !== undefined) {
    return (
      <Page title={draft.name} crumbs={[{ text: text.title, to: "/roles" }]}>
        <Alert type="warning">{text.partly}</Alert>
        <Failure error={failure} />
        <LinkButton to={to}>{text.toRole}</LinkButton>
      </Page>
    );
  }
  const submit = () => {
    setIsSent(true);
    if (isReady.every(Boolean)) create.run(undefined);
  };
  return (
    <WizardPage
      title={text.create}
      crumbs={[{ text: text.title, to: "/roles" }]}
      actions={<AsCommand changes={roleChanges(draft, session)} />}
    >
      <Wizard
        activeStepIndex={step}
        onNavigate={(event) => go(event.detail.requestedStepIndex)}
        onCancel={() => void navigate("/roles")}
        onSubmit={submit}
        isLoadingNextStep={create.isRunning}
        submitButtonText={text.wizard.submit}
        i18nStrings={{
          stepNumberLabel: text.wizard.step,
          collapsedStepsLabel: text.wizard.collapsed,
          navigationAriaLabel: text.wizard.navigation,
          cancelButton: text.wizard.cancel,
          previousButton: text.wizard.previous,
          nextButton: text.wizard.next,
        }}
        steps={[
          {
            title: text.steps.entity,
            content: (
              <>
                <EntityFields
                  entity={draft.entity}
                  onChange={(entity) => setDraft({ ...draft, entity })}
                  isSent={isSent}
                />
                <TrustPreview entity={draft.entity} />
              </>
            ),
          },
          {
            title: text.steps.permissions,
            content: (
              <PermissionsFields
                choice={draft.permissions}
                onChange={(permissions) => setDraft({ ...draft, permissions })}
                registry={session}
                isSent={isSent}
              />
            ),
          },
          {
            title: text.steps.review,
            content: (
              <>
                <Review draft={draft} onChange={(part) => setDraft({ ...draft, ...part })} isSent={isSent} />
                {create.error === undefined ? null : <Failure error={create.error} />}
              </>
            ),
          },
        ]}
      />
    </WizardPage>
  );
}
