import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "react-router";
import { perform } from "../../api/perform";
import { describeOrganization, roots } from "../../api/organizations";
import { AsCommand } from "../../parts/AsCommand";
import { Failure } from "../../parts/Failure";
import { Page } from "../../parts/Page";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { TargetPolicies } from "./TargetPolicies";
import { Tree } from "./Tree";

const CREATE = { service: "organizations", operation: "CreateOrganization", input: {} };
const NONE = "AWSOrganizationsNotInUseException";

/** The organization of the account: its tree, and the policies on the selected part of it. */
export default function Organization() {
  const text = strings.organization;
  const found = useQuery({
    queryKey: ["organization"],
    // `null`: the account is in none.
    queryFn: async () => {
      try {
        return (await describeOrganization()) ?? null;
      } catch (error) {
        if (error instanceof Error && error.name === NONE) return null;
        throw error;
      }
    },
  });
  const create = useAction(() => perform(CREATE), {
    stale: [["organization"]],
    said: () => text.made,
    isLoud: true,
  });
  return (
    <Page title={text.title} description={text.description}>
      {found.error === null ? null : <Failure error={found.error} retry={() => void found.refetch()} />}
      {found.data === null ? (
        <Container>
          <SpaceBetween size="m">
            <Box>{text.none}</Box>
            <Box>{text.createHint}</Box>
            <SpaceBetween size="xs" direction="horizontal">
              <Button loading={create.isRunning} onClick={() => create.run(undefined)}>
                {text.create}
              </Button>
              <AsCommand changes={[CREATE]} />
            </SpaceBetween>
          </SpaceBetween>
        </Container>
      ) : null}
      {found.data == null ? null : (
        <>
          <Container>
            <KeyValuePairs
              columns={2}
              items={[
                { label: text.id, value: found.data.Id ?? strings.iam.none },
                { label: text.management, value: found.data.MasterAccountId ?? strings.iam.none },
              ]}
            />
          </Container>
          <Parts />
        </>
      )}
    </Page>
  );
}

function Parts() {
  const [params, setParams] = useSearchParams();
  const found = useQuery({ queryKey: ["organization", "roots"], queryFn: roots });
  if (found.error !== null) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const [root] = found.data ?? [];
  if (root === undefined) return null;
  const id = params.get("target") ?? root.id;
  const name = params.get("name") ?? root.name;
  return (
    <SpaceBetween size="l">
      <Tree root={root} selected={id} onSelect={(node) => setParams({ target: node.id, name: node.name })} />
      <TargetPolicies key={id} target={id} name={name} />
    </SpaceBetween>
  );
}
