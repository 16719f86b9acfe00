import { describe, expect, it } from "vitest";
import {
  planGroup,
  planInstanceProfile,
  planPolicy,
  planProvider,
  planRepository,
  planRole,
  planUser,
  type Plan,
  type Step,
} from "./plan";
import { isComplete, left, run, waiting, type Progress } from "./run";

const short = (plan: Plan) => plan.steps.map((step) => `${step.action} ${step.target}`);
const ARN = "arn:aws:iam::123456789012:policy/push";

describe("plan", () => {
  it("removes all of a user before the user", () => {
    const plan = planUser({
      userName: "alice",
      hasLoginProfile: true,
      accessKeys: ["AKIA1", "AKIA2"],
      signingCertificates: ["cert"],
      sshPublicKeys: ["APKA1"],
      serviceCredentials: ["ACCA1"],
      mfaDevices: ["arn:aws:iam::123456789012:mfa/alice", "GAHT12345678"],
      inlinePolicies: ["inline"],
      attachedPolicies: [ARN],
      groups: ["team"],
    });
    expect(short(plan)).toEqual([
      "iam:DeleteLoginProfile alice",
      "iam:DeleteAccessKey AKIA1",
      "iam:DeleteAccessKey AKIA2",
      "iam:DeleteSigningCertificate cert",
      "iam:DeleteSSHPublicKey APKA1",
      "iam:DeleteServiceSpecificCredential ACCA1",
      "iam:DeactivateMFADevice arn:aws:iam::123456789012:mfa/alice",
      "iam:DeleteVirtualMFADevice arn:aws:iam::123456789012:mfa/alice",
      "iam:DeactivateMFADevice GAHT12345678",
      "iam:DeleteUserPolicy inline",
      `iam:DetachUserPolicy ${ARN}`,
      "iam:RemoveUserFromGroup team",
      "iam:DeleteUser alice",
    ]);
    expect(plan.steps.find((step) => step.action === "iam:DeleteAccessKey")?.input).toEqual({
      UserName: "alice",
      AccessKeyId: "AKIA1",
    });
    expect(plan.steps.find((step) => step.action === "iam:DeleteVirtualMFADevice")?.input).toEqual({
      SerialNumber: "arn:aws:iam::123456789012:mfa/alice",
    });
  });

  it("empties a group before it is deleted", () => {
    const plan = planGroup({ groupName: "team", users: ["a"], inlinePolicies: ["i"], attachedPolicies: [ARN] });
    expect(short(plan)).toEqual([
      "iam:RemoveUserFromGroup a",
      `iam:DetachGroupPolicy ${ARN}`,
      "iam:DeleteGroupPolicy i",
      "iam:DeleteGroup team",
    ]);
  });

  it("deletes the instance profile of a role's own name, and leaves others", () => {
    const plan = planRole({
      roleName: "containerise",
      path: "/",
      instanceProfiles: ["containerise", "shared"],
      inlinePolicies: ["push"],
      attachedPolicies: [ARN],
      hosts: ["i-1"],
    });
    expect(short(plan)).toEqual([
      "iam:RemoveRoleFromInstanceProfile containerise",
      "iam:DeleteInstanceProfile containerise",
      "iam:RemoveRoleFromInstanceProfile shared",
      `iam:DetachRolePolicy ${ARN}`,
      "iam:DeleteRolePolicy push",
      "iam:DeleteRole containerise",
    ]);
    expect(plan.notes).toEqual([{ kind: "hostsUseProfile", names: ["i-1"] }]);
  });

  it("asks the service to delete a service-linked role", () => {
    const plan = planRole({
      roleName: "AWSServiceRoleForX",
      path: "/aws-service-role/x.amazonaws.com/",
      instanceProfiles: [],
      inlinePolicies: [],
      attachedPolicies: [ARN],
      hosts: [],
    });
    expect(short(plan)).toEqual(["iam:DeleteServiceLinkedRole AWSServiceRoleForX"]);
  });

  it("marks the steps that widen permissions", () => {
    const plan = planPolicy({
      policyArn: ARN,
      users: ["alice"],
      groups: ["team"],
      roles: ["ci"],
      boundaryOfUsers: ["bob"],
      boundaryOfRoles: ["ops"],
      otherVersions: ["v1"],
    });
    expect(short(plan)).toEqual([
      "iam:DetachUserPolicy alice",
      "iam:DetachGroupPolicy team",
      "iam:DetachRolePolicy ci",
      "iam:DeleteUserPermissionsBoundary bob",
      "iam:DeleteRolePermissionsBoundary ops",
      "iam:DeletePolicyVersion v1",
      `iam:DeletePolicy ${ARN}`,
    ]);
    expect(plan.steps.filter((step) => step.widens).map((step) => step.target)).toEqual(["bob", "ops"]);
  });

  it("revokes the hosts of an instance profile", () => {
    expect(short(planInstanceProfile({ instanceProfileName: "p", roles: ["r"], hosts: ["i-1"] }))).toEqual([
      "berth:RevokeHost i-1",
      "iam:RemoveRoleFromInstanceProfile r",
      "iam:DeleteInstanceProfile p",
    ]);
  });

  it("names the roles that trust a provider", () => {
    const arn = "arn:aws:iam::123456789012:saml-provider/corp";
    const plan = planProvider({ arn, roles: ["ci"], isPartial: true });
    expect(plan.steps).toEqual([
      { action: "iam:DeleteSAMLProvider", input: { SAMLProviderArn: arn }, target: arn },
    ]);
    expect(plan.notes.map((note) => note.kind)).toEqual(["rolesTrustProvider", "moreNotListed"]);
    const oidc = "arn:aws:iam::123456789012:oidc-provider/gitlab.com";
    expect(planProvider({ arn: oidc, roles: [], isPartial: false }).steps[0]?.action).toBe(
      "iam:DeleteOpenIDConnectProvider",
    );
  });

  it("deletes a repository by force only with images", () => {
    const plan = (imageCount: number) =>
      planRepository({ repositoryName: "app", imageCount, hasPolicy: false }).steps[0]?.input;
    expect(plan(0)).toEqual({ repositoryName: "app", force: false });
    expect(plan(3)).toEqual({ repositoryName: "app", force: true });
  });
});

describe("run", () => {
  const steps: Step[] = ["a", "b", "c"].map((target) => ({ action: "x:Delete", input: {}, target }));
  const never = () => false;

  it("reports each step in order", async () => {
    const seen: string[] = [];
    const end = await run(
      steps,
      () => Promise.resolve(),
      never,
      (progress) => seen.push(progress.states.join(" ")),
    );
    expect(seen).toEqual([
      "running waiting waiting",
      "done waiting waiting",
      "done running waiting",
      "done done waiting",
      "done done running",
      "done done done",
    ]);
    expect(isComplete(end)).toBe(true);
    expect(left(steps, end)).toEqual([]);
  });

  it("stops at a failure, says what is left, and continues from there", async () => {
    const called: string[] = [];
    let isBroken = true;
    const call = (step: Step) => {
      called.push(step.target);
      return step.target === "b" && isBroken ? Promise.reject(new Error("denied")) : Promise.resolve();
    };
    const stopped = await run(steps, call, never, () => undefined);
    expect(stopped.states).toEqual(["done", "failed", "waiting"]);
    expect(stopped.failure).toEqual(new Error("denied"));
    expect(left(steps, stopped).map((step) => step.target)).toEqual(["b", "c"]);
    expect(isComplete(stopped)).toBe(false);

    isBroken = false;
    const end = await run(steps, call, never, () => undefined, stopped);
    expect(called).toEqual(["a", "b", "b", "c"]);
    expect(isComplete(end)).toBe(true);
    expect(end.failure).toBeUndefined();
  });

  it("counts what is gone already as removed", async () => {
    const gone = new Error("NoSuchEntity");
    const call = (step: Step) => (step.target === "a" ? Promise.reject(gone) : Promise.resolve());
    const end: Progress = await run(steps, call, (error) => error === gone, () => undefined);
    expect(end.states).toEqual(["gone", "done", "done"]);
    expect(isComplete(end)).toBe(true);
  });

  it("is not complete before it began", () => {
    expect(isComplete(waiting(steps))).toBe(false);
    expect(isComplete({ states: [] })).toBe(false);
  });
});
