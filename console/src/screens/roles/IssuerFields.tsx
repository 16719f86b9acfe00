import FormField from "@cloudscape-design/components/form-field";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { Issuer } from "../../lib/trust/issuers";
import { Field } from "../../parts/Field";
import { strings } from "../../strings";

interface Props {
  issuer: Issuer;
  onChange: (issuer: Issuer) => void;
  errorOf: (field: string) => string | undefined;
}

type TextMember = "organization" | "repository" | "ref" | "group" | "project" | "pipeline" | "branch" | "namespace" | "serviceAccount" | "subject";

const GITHUB_SCOPES = ["any", "branch", "tag", "environment", "pullRequest"] as const;
const GITLAB_SCOPES = ["any", "branch", "tag"] as const;

/** What the issuer's `sub` claim is made of. */
export function IssuerFields({ issuer, onChange, errorOf }: Props) {
  const text = strings.roles.web;
  const line = (member: TextMember, label: string, value: string, isAny: boolean) => (
    <Field
      label={label}
      value={value}
      constraint={isAny ? text.anyHint : ""}
      error={errorOf(member)}
      onChange={(typed) => onChange({ ...issuer, [member]: typed })}
    />
  );
  switch (issuer.kind) {
    case "github":
      return (
        <SpaceBetween size="m">
          {line("organization", text.organization, issuer.organization, false)}
          {line("repository", text.repository, issuer.repository, true)}
          <Scope
            scopes={GITHUB_SCOPES}
            scope={issuer.scope}
            onChange={(scope) => onChange({ ...issuer, scope, ref: "" })}
          />
          {issuer.scope === "any" || issuer.scope === "pullRequest"
            ? null
            : line("ref", text.ref, issuer.ref, true)}
        </SpaceBetween>
      );
    case "gitlab":
      return (
        <SpaceBetween size="m">
          {line("group", text.group, issuer.group, false)}
          {line("project", text.project, issuer.project, true)}
          <Scope
            scopes={GITLAB_SCOPES}
            scope={issuer.scope}
            onChange={(scope) => onChange({ ...issuer, scope, ref: "" })}
          />
          {issuer.scope === "any" ? null : line("ref", text.ref, issuer.ref, true)}
        </SpaceBetween>
      );
    case "circleci":
      return (
        <SpaceBetween size="m">
          {line("organization", text.organizationId, issuer.organization, false)}
          {line("project", text.projectId, issuer.project, true)}
        </SpaceBetween>
      );
    case "buildkite":
      return (
        <SpaceBetween size="m">
          {line("organization", text.organization, issuer.organization, false)}
          {line("pipeline", text.pipeline, issuer.pipeline, true)}
          {line("branch", text.branch, issuer.branch, true)}
        </SpaceBetween>
      );
    case "kubernetes":
      return (
        <SpaceBetween size="m">
          {line("namespace", text.namespace, issuer.namespace, false)}
          {line("serviceAccount", text.serviceAccount, issuer.serviceAccount, true)}
        </SpaceBetween>
      );
    case "other":
      return line("subject", text.subject, issuer.subject, false);
  }
}

interface ScopeProps<Value extends keyof typeof strings.roles.web.scopes> {
  scopes: readonly Value[];
  scope: Value;
  onChange: (scope: Value) => void;
}

function Scope<Value extends keyof typeof strings.roles.web.scopes>({ scopes, scope, onChange }: ScopeProps<Value>) {
  const text = strings.roles.web;
  const options = scopes.map((value) => ({ value, label: text.scopes[value] }));
  return (
    <FormField label={text.scope}>
      <Select
        options={options}
        selectedOption={options.find(({ value }) => value === scope) ?? null}
        onChange={(event) => {
          const chosen = scopes.find((value) => value === event.detail.selectedOption.value);
          if (chosen !== undefined) onChange(chosen);
        }}
      />
    </FormField>
  );
}
